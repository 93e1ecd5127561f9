"""The lasting and the temporary IPv6 address of `lan`, where it makes them itself."""

import asyncio
from ipaddress import IPv6Address
import json
from pathlib import Path

from tests.lab.build import Lab
from tests.lab.host import Host
from tests.lab.python_module import PythonModule

from .mape import V6PLUS_HOME

_WITHIN = 10.0


async def both(lab: Lab) -> tuple[str, str]:
    """Return both once they can be used. Raises TimeoutError."""
    async with asyncio.timeout(_WITHIN):
        while True:
            found = {bool(each.get("temporary")): each for each in _addresses(lab["lan"])}
            if len(found) == 2 and not any(each.get("tentative") for each in found.values()):
                return str(found[False]["local"]), str(found[True]["local"])
            await asyncio.sleep(0.05)


async def leave_temporary(lab: Lab) -> str:
    """Take the lasting address from `lan` of `map_e_v6plus`; return the temporary one it is left.

    The router has the same address: `lan` notices, and gives it up (RFC 4862 section 5.4.5).
    Nothing is advertised any more. Raises TimeoutError.
    """
    lan, (lasting, _) = lab["lan"], await both(lab)
    taken = _by_mac(lan)
    lab["rtr"].run("ip", "address", "add", f"{taken}/64", "dev", "lan0", "nodad")
    with lan.inside():
        for name, value in {"addr_gen_mode": "0", "accept_dad": "1"}.items():
            Path("/proc/sys/net/ipv6/conf/eth0", name).write_text(value)
    # Each advertisement but the first would bring one more temporary address.
    advertiser = lab.daemon(PythonModule, "advertiser")
    lab.stop(advertiser)
    # The temporary address that was made with it goes as well.
    lan.run("ip", "address", "del", f"{lasting}/64", "dev", "eth0")
    lab.start(advertiser)
    async with asyncio.timeout(_WITHIN):
        while not _addresses(lan):
            await asyncio.sleep(0.05)
        lab.stop(advertiser)
        while True:
            match _addresses(lan):
                case [{"local": str(left), "temporary": True, **more}] if "tentative" not in more:
                    return left
            await asyncio.sleep(0.05)


def _by_mac(host: Host) -> IPv6Address:
    """Return the address that is made of the MAC address (RFC 4291 appendix A)."""
    [link] = json.loads(host.run("ip", "-json", "link", "show", "dev", "eth0"))
    mac = bytes.fromhex(link["address"].replace(":", ""))
    suffix = bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]
    return IPv6Address(IPv6Address(f"{V6PLUS_HOME}::").packed[:8] + suffix)


def _addresses(host: Host) -> list[dict[str, object]]:
    shown = host.run("ip", "-json", "-6", "address", "show", "dev", "eth0", "scope", "global")
    # Empty ones stand for what is filtered out.
    found = (each for link in json.loads(shown) for each in link.get("addr_info", ()))
    return list(filter(None, found))
