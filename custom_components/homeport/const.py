"""Names shared by the Home Assistant side."""

from typing import Final

DOMAIN: Final = "homeport"

# The config entry
CONF_LOCATION: Final = "location"  # URL of the gateway's description; absent without a gateway

# Options; absent means: ask nobody
CONF_ECHO_URL: Final = "echo_url"
CONF_PROBER_URL: Final = "prober_url"
DEFAULT_ECHO_URL: Final = "https://api.ipify.org"
DEFAULT_PROBER_URL: Final = "https://ifconfig.co"

# Subentry "port"
SUBENTRY_PORT: Final = "port"
CONF_PROTOCOL: Final = "protocol"
CONF_INTERNAL_CLIENT: Final = "internal_client"  # absent: this Home Assistant
CONF_INTERNAL_PORT: Final = "internal_port"
CONF_EXTERNAL_PORT: Final = "external_port"
CONF_TRY_ANYWAY: Final = "try_anyway"

# Subentry "hostname"; the provider's own fields stand beside these
SUBENTRY_HOSTNAME: Final = "hostname"
CONF_HOSTNAME: Final = "hostname"
CONF_PROVIDER: Final = "provider"
