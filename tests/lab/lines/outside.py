"""What stands outside of every line, on `net`."""

from tests.lab.coturn import Coturn
from tests.lab.home import NET, NET6
from tests.lab.python_module import PythonModule
from tests.lab.tls import Certificate

from .common import OTHER_NET, OTHER_NET6

ADDRESSES = (NET, OTHER_NET, NET6, OTHER_NET6)
"""Of both services; the certificate of `echo` has to name them all."""
ECHO4 = (f"https://{NET}", f"https://{OTHER_NET}")
ECHO6 = (f"https://[{NET6}]", f"https://[{OTHER_NET6}]")
"""Two address echoes and probers of each family."""
STUN = Coturn(namespace="net", addresses=ADDRESSES)


def echo(certificate: Certificate) -> PythonModule:
    """Return the address echo and prober at all addresses of `net`, with TLS.

    Its scripting interface is `peers.OUTSIDE_CONTROL`.
    """
    return PythonModule(
        namespace="net",
        module="tests.fakes.outside",
        arguments=(
            *("--host", "::", "--port", "443", "--control-port", "8080"),
            *("--cert", str(certificate.certificate), "--key", str(certificate.key)),
        ),
        listens=(*((address, 443) for address in ADDRESSES), ("127.0.0.1", 8080)),
    )
