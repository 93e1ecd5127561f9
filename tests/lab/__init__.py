"""A small internet in network namespaces, with real daemons, for tests."""

from .bind import Bind
from .build import Lab, build
from .daemon import Daemon
from .errors import LabError
from .host import Host
from .miniupnpd import Miniupnpd
from .python_module import PythonModule
from .tls import Authority, Certificate
from .topology import Interface, Link, Namespace, Topology, bridge

__all__ = [
    "Authority",
    "Bind",
    "Certificate",
    "Daemon",
    "Host",
    "Interface",
    "Lab",
    "LabError",
    "Link",
    "Miniupnpd",
    "Namespace",
    "PythonModule",
    "Topology",
    "bridge",
    "build",
]
