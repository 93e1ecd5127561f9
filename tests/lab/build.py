"""From a topology to a running lab, and back to nothing."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
import itertools
import json
import os
from pathlib import Path
import shutil
import subprocess
import time

from .daemon import Daemon
from .errors import LabError
from .host import Host
from .topology import Interface, Namespace, Topology

START_WITHIN = 15.0

_ACCEPT_RA = "ipv6/conf/default/accept_ra"
# Set before an interface exists, so that each one has them from its first moment on.
_EVERYWHERE = {
    # An IPv6 address is usable at once, and nothing but the topology makes addresses.
    "ipv6/conf/default/accept_dad": "0",
    _ACCEPT_RA: "0",
    # Removing an address leaves the younger ones of the same subnet, and the routes over them.
    "ipv4/conf/all/promote_secondaries": "1",
}
_FORWARDING = {
    "ipv4/ip_forward": "1",
    "ipv6/conf/all/forwarding": "1",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
}

_numbers = itertools.count(1)


class Lab:
    """A running topology. `lab["lan"]` is the machine of that name."""

    def __init__(self, topology: Topology, folder: Path) -> None:
        """Take what `build` has made; `folder` keeps configurations and logs."""
        self.topology = topology
        self.folder = folder
        self.built_in = 0.0
        """Seconds from the first command to the last daemon's answer."""
        self._hosts: dict[str, Host] = {}
        self._running: dict[str, ExitStack] = {}
        self._wan = _first_ipv4(topology.wan) if topology.wan else ""

    def __getitem__(self, name: str) -> Host:
        """Return a machine."""
        return self._hosts[name]

    def daemon[D: Daemon](self, kind: type[D], name: str = "") -> D:
        """Return the only daemon of a kind, or the one of that name. Raises LookupError."""
        found = [
            daemon
            for daemon in self.topology.daemons
            if isinstance(daemon, kind) and name in {"", daemon.name}
        ]
        if len(found) != 1:
            raise LookupError(f"{len(found)} daemons are a {kind.__name__} {name}".rstrip())
        return found[0]

    def start(self, *daemons: Daemon) -> None:
        """Start daemons side by side and wait until each answers. Raises LabError."""
        processes = [(daemon, self._launch(daemon)) for daemon in daemons]
        deadline = time.monotonic() + START_WITHIN
        for daemon, process in processes:
            self._await_answer(daemon, process, deadline)

    def stop(self, daemon: Daemon) -> None:
        """End a daemon and wait until it is gone. What it has stored stays."""
        self._running.pop(daemon.name).close()

    def restart(self, daemon: Daemon) -> None:
        """Start a daemon anew with nothing in its memory, as a router without a disk would."""
        self.stop(daemon)
        shutil.rmtree(self.folder / daemon.name)
        daemon.reset(self[daemon.namespace])
        self.start(daemon)

    def log(self, daemon: Daemon) -> str:
        """Return what a daemon has said since the lab was built."""
        return self._log_file(daemon).read_text(errors="replace")

    @property
    def wan_address(self) -> str:
        """The IPv4 address of the home router's WAN interface."""
        return self._wan.partition(" ")[0].partition("/")[0]

    def change_wan(self, address: str) -> None:
        """Give the home router another WAN address, with the same neighbours and routes."""
        wan = self.topology.wan
        if wan is None:
            raise LabError(f"the topology {self.topology.name} names no WAN interface")
        new = self._wan.replace(self.wan_address, address, 1)
        # The new one first: the routes over the subnet would go with its last address.
        lines = (f"address add {new} dev {wan.name}", f"address del {self._wan} dev {wan.name}")
        _ip(lines, netns=self[wan.namespace].netns)
        self._wan = new

    def _log_file(self, daemon: Daemon) -> Path:
        return self.folder / f"{daemon.name}.log"

    def _launch(self, daemon: Daemon) -> subprocess.Popen[bytes]:
        if daemon.name in self._running:
            raise LabError(f"{daemon.name} is running")
        folder = self.folder / daemon.name
        folder.mkdir(exist_ok=True)
        argv = daemon.prepare(folder)
        stack = self._running[daemon.name] = ExitStack()
        host = self[daemon.namespace]
        return stack.enter_context(host.spawn(*argv, log=self._log_file(daemon)))

    def _await_answer(
        self, daemon: Daemon, process: subprocess.Popen[bytes], deadline: float
    ) -> None:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise LabError(f"{daemon.name} ended: {self.log(daemon)[-2000:]}")
            with suppress(OSError, LookupError):
                if daemon.answers(self[daemon.namespace]):
                    return
            time.sleep(0.01)
        raise LabError(f"{daemon.name} does not answer: {self.log(daemon)[-2000:]}")

    @contextmanager
    def _up(self) -> Iterator[None]:
        """Make everything, and take it away again, in the opposite order."""
        # Two labs of one network must not meet.
        prefix = f"{os.getpid()}-{next(_numbers)}"
        with ExitStack() as stack:
            names = {space.name: f"{prefix}-{space.name}" for space in self.topology.namespaces}
            for netns in names.values():
                stack.callback(_delete, netns)
            _ip(f"netns add {netns}" for netns in names.values())
            for space in self.topology.namespaces:
                host = Host(space.name, names[space.name], self._resolver(space))
                stack.callback(host.close)
                self._hosts[space.name] = host
                _set_sysctls(host, space)
            _ip(_cables(self.topology, names))
            for space in self.topology.namespaces:
                self._furnish(space)
            self._await_links()
            stack.callback(self._stop_all)
            self.start(*self.topology.daemons)
            self._await_advertisements()
            yield

    def _resolver(self, space: Namespace) -> Path | None:
        if not space.nameservers:
            return None
        path = self.folder / f"{space.name}.resolv.conf"
        path.write_text("".join(f"nameserver {server}\n" for server in space.nameservers))
        return path

    def _furnish(self, space: Namespace) -> None:
        """Give a namespace with all its cables its devices, addresses, routes and rules."""
        host = self[space.name]
        if space.nft:
            # Before the first packet: conntrack would keep what the rules have not seen.
            host.run("nft", "-f", "-", stdin=space.nft)
        _ip(_interface_lines(self.topology, space.name), netns=host.netns)
        lines = [f"route add {route}" for route in space.routes]
        lines += [f"rule add {rule}" for rule in space.rules]
        _ip((line for line in lines if ":" not in line), netns=host.netns)
        _ip((line for line in lines if ":" in line), "-6", netns=host.netns)

    def _await_links(self) -> None:
        """Wait until every cable carries IPv4 and IPv6.

        The kernel may take a second to wake a bridge's port.
        """
        deadline = time.monotonic() + START_WITHIN
        for link in self.topology.links:
            for end in (link.a, link.b):
                while not _carries(end, self[end.namespace].netns):
                    if time.monotonic() > deadline:
                        raise LabError(f"{end.name} of {end.namespace} does not come up")
                    time.sleep(0.01)

    def _await_advertisements(self) -> None:
        """Wait until who takes its way out from an advertisement has one."""
        deadline = time.monotonic() + START_WITHIN
        for space in self.topology.namespaces:
            if space.sysctls.get(_ACCEPT_RA) != "1":
                continue
            netns = self[space.name].netns
            while not any(json.loads(_ip(["route show default"], "-json", "-6", netns=netns))):
                if time.monotonic() > deadline:
                    raise LabError(f"{space.name} hears no advertisement")
                time.sleep(0.01)

    def _stop_all(self) -> None:
        for stack in reversed(self._running.values()):
            stack.close()
        self._running.clear()


@contextmanager
def build(topology: Topology, folder: Path) -> Iterator[Lab]:
    """Build a topology, for as long as the context lasts.

    Needs the rights of root over its own network. `folder` keeps the logs. Raises LabError when a
    command fails or a daemon does not answer; nothing is left behind then either.
    """
    start = time.monotonic()
    lab = Lab(topology, folder)
    with lab._up():
        lab.built_in = time.monotonic() - start
        yield lab


def _first_ipv4(interface: Interface) -> str:
    return next(address for address in interface.addresses if ":" not in address)


def _cables(topology: Topology, names: dict[str, str]) -> Iterator[str]:
    for link in topology.links:
        a, b = (
            f"name {end.name} netns {names[end.namespace]} mtu {link.mtu}"
            for end in (link.a, link.b)
        )
        yield f"link add {a} type veth peer {b}"


def _interface_lines(topology: Topology, namespace: str) -> Iterator[str]:
    ends = (end for link in topology.links for end in (link.a, link.b))
    # Devices first: they include the bridges that cables are plugged into.
    interfaces = [i for i in (*topology.devices, *ends) if i.namespace == namespace]
    yield "link set lo up"
    for interface in interfaces:
        if interface.made_by:
            yield interface.made_by
        if interface.bridge:
            yield f"link set {interface.name} master {interface.bridge}"
        yield f"link set {interface.name} up"
        for address in interface.addresses:
            yield f"address add {address} dev {interface.name}"


def _carries(end: Interface, netns: str) -> bool:
    shown = _ip([f"link show dev {end.name}"], "-details", "-json", netns=netns)
    link = json.loads(shown)[0]
    port = link.get("linkinfo", {}).get("info_slave_data", {})
    if (link["operstate"], port.get("state", "forwarding")) != ("UP", "forwarding"):
        return False
    # Without a link-local address no neighbour is found, and an advertisement is not heard.
    shown = _ip([f"address show dev {end.name} scope link"], "-json", "-6", netns=netns)
    return bool(end.bridge) or any(json.loads(shown))


def _set_sysctls(host: Host, space: Namespace) -> None:
    settings = _EVERYWHERE | (_FORWARDING if space.forwarding else {}) | dict(space.sysctls)
    with host.inside():
        for name, value in settings.items():
            Path("/proc/sys/net", name).write_text(value)


def _ip(lines: Iterable[str], *options: str, netns: str = "") -> str:
    """Run a batch of ip(8) commands in one process, up to the first that fails."""
    batch = "".join(f"{line}\n" for line in lines)
    if not batch:
        return ""
    where = ("-netns", netns) if netns else ()
    argv = ("ip", *options, *where, "-batch", "-")
    done = subprocess.run(argv, input=batch, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{' '.join(argv)}: {done.stderr.strip()}\n{batch}")
    return done.stdout


def _delete(netns: str) -> None:
    # Building may have failed before this one was there.
    if Path("/run/netns", netns).exists():
        _ip([f"netns del {netns}"])
