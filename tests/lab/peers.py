"""The project's own servers, in the places that they have in the lab."""

from .coturn import Coturn
from .home import NET, ROUTER
from .python_module import PythonModule
from .tls import Certificate

OUTSIDE_URL = f"https://{NET}"
"""Address echo and prober."""
STUN = Coturn(namespace="net", addresses=(NET,))
STUN_SERVER = f"{NET}:3478"
OUTSIDE_CONTROL = "http://127.0.0.1:8080"
"""Its scripting interface, to be called on `net`."""

SIMULATED_GATEWAY_LOCATION = f"http://{ROUTER}:5001/desc.xml"
SIMULATED_GATEWAY_CONTROL = "http://127.0.0.1:8081"
"""Its scripting interface, to be called on `rtr`."""


def outside(certificate: Certificate) -> PythonModule:
    """Return the address echo and prober on the internet host, with TLS."""
    return PythonModule(
        namespace="net",
        module="tests.fakes.outside",
        arguments=(
            *("--host", NET, "--port", "443", "--control-port", "8080"),
            *("--cert", str(certificate.certificate), "--key", str(certificate.key)),
        ),
        listens=((NET, 443), ("127.0.0.1", 8080)),
    )


def simulated_gateway(wan_address: str, *arguments: str) -> PythonModule:
    """Return a UPnP gateway on the home router that says any WAN address, and maps nothing.

    `arguments` are more of `python -m tests.fakes.igd`, such as "--fault", "AddPortMapping=725".
    """
    return PythonModule(
        namespace="rtr",
        module="tests.fakes.igd",
        arguments=(
            *("--host", ROUTER, "--port", "5001", "--control-port", "8081", "--ssdp"),
            *("--wan-address", wan_address),
            *arguments,
        ),
        listens=((ROUTER, 5001), ("127.0.0.1", 8081)),
    )
