"""Names shared by the Home Assistant side."""

from enum import StrEnum
from typing import Final

DOMAIN: Final = "homeport"

# The config entry
CONF_LOCATION: Final = "location"  # URL of the gateway's description; absent without UPnP
CONF_GATEWAY: Final = "gateway"  # address of one that speaks PCP or NAT-PMP only; else absent

# Options; absent means: ask nobody, and find out everything
CONF_ECHO_URLS: Final = "echo_urls"
CONF_STUN_SERVERS: Final = "stun_servers"
CONF_STUN_MINUTES: Final = "stun_minutes"  # 0: STUN never, the echoes now and then
CONF_PROBER_URL: Final = "prober_url"
CONF_HOSTED_PROBERS: Final = "hosted_probers"  # of HostedProber
CONF_GLOBALPING_TOKEN: Final = "globalping_token"  # noqa: S105
CONF_OWN_PROBER_URL: Final = "own_prober_url"
CONF_OWN_PROBER_TOKEN: Final = "own_prober_token"  # noqa: S105
CONF_OWN_PROBER_NAME: Final = "own_prober_name"  # that the prober dials instead of its caller
CONF_UDP_SERVER: Final = "udp_server"  # STUN with RESPONSE-PORT
CONF_LOOK_UP_NAMES: Final = "look_up_names"
CONF_LOOK_BEHIND: Final = "look_behind"
CONF_BOTH_ROUTERS: Final = "both_routers"
CONF_LINE_MODE: Final = "line_mode"
CONF_IPV6_MODE: Final = "ipv6_mode"
CONF_RULE_IPV6: Final = "rule_ipv6"
CONF_RULE_IPV4: Final = "rule_ipv4"
CONF_RULE_EA_LENGTH: Final = "rule_ea_length"
CONF_RULE_PSID_OFFSET: Final = "rule_psid_offset"
DEFAULT_ECHO_URLS: Final = ("https://api64.ipify.org", "https://icanhazip.com")
DEFAULT_STUN_SERVERS: Final = ("stun.home-assistant.io:3478", "stun.cloudflare.com:3478")
DEFAULT_STUN_MINUTES: Final = 5
DEFAULT_PROBER_URL: Final = "https://ifconfig.co"

# Subentry "port"
SUBENTRY_PORT: Final = "port"
CONF_PROTOCOL: Final = "protocol"
CONF_FAMILIES: Final = "families"  # of Family; absent: IPv4 alone
CONF_INTERNAL_CLIENT: Final = "internal_client"  # address, MAC or name; absent: Home Assistant
CONF_INTERNAL_PORT: Final = "internal_port"
CONF_EXTERNAL_PORT: Final = "external_port"
CONF_AUTOMATIC_PORT: Final = "automatic_port"  # true: the external port may be moved; absent: fixed
CONF_TRY_ANYWAY: Final = "try_anyway"
CONF_CLOSE_AFTER: Final = "close_after"  # minutes; absent: stays open
CONF_BY_HAND: Final = "by_hand"  # true: the user makes the rule; absent: Homeport does
MOST_OPEN_MINUTES: Final = 30 * 24 * 60  # that a port can be opened for


class Family(StrEnum):
    """A family of addresses over which a port is to be reached."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


class HostedProber(StrEnum):
    """A prober that somebody runs for everybody."""

    CHECK_HOST = "check_host"
    GLOBALPING = "globalping"
    PORTCHECKER = "portchecker"


# Subentry "hostname"; the provider's own fields stand beside these
SUBENTRY_HOSTNAME: Final = "hostname"
CONF_HOSTNAME: Final = "hostname"
CONF_PROVIDER: Final = "provider"
