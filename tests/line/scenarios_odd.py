"""Lines with two ways out or none, and homes that see their line through something else."""

from custom_components.homeport.line import Evidence

from .evidence import (
    BLOCK,
    echo4,
    echo6,
    evidence,
    gateway,
    host,
    names,
    proof,
    stun4,
    within,
)
from .homes import (
    NATIVE,
    NGN,
    ONE_EXIT_OF_TWO,
    POOL,
    TRANSIX,
    V6,
    V6PLUS,
    V6PLUS_ADDRESS,
    V6PLUS_SET,
    C,
    G,
    K,
    M,
    O,
    Truth,
    mape_home,
    plain_home,
)

ODD: dict[str, tuple[Evidence, Truth]] = {
    # --- Two ways out
    "PPPoE beside transix, the echo sees transix": (
        plain_home(
            "61.22.40.77",
            public=POOL,
            address=TRANSIX,
            stun4=stun4(POOL, BLOCK),
            names=names("gw.transix.jp"),
            reverse_name="1.50.22.27.shared.user.transix.jp",
        ),
        Truth(mode=M.TWO_EXITS, ipv6=V6.IPOE, carrier=C.TRANSIX),
    ),
    "PPPoE beside transix, a port seen working": (
        plain_home(
            "61.22.40.77",
            public=POOL,
            address=TRANSIX,
            stun4=stun4(POOL, BLOCK),
            reverse_name="1.50.22.27.shared.user.transix.jp",
            proof=proof("61.22.40.77"),
        ),
        Truth(
            confidence=K.CERTAIN, mode=M.TWO_EXITS, ipv6=V6.IPOE, carrier=C.TRANSIX, openable=O.ALL
        ),
    ),
    "PPPoE beside v6プラス": (
        mape_home(V6PLUS, gateway=gateway("61.1.2.3")),
        Truth(mode=M.TWO_EXITS, ipv6=V6.IPOE, carrier=C.V6PLUS, also=ONE_EXIT_OF_TWO),
    ),
    "another exit, nobody knows which": (
        plain_home("61.1.2.3", public=G),
        Truth(mode=M.TWO_EXITS, ipv6=V6.NATIVE, confidence=K.POSSIBLE),
    ),
    # --- This machine stands in the way
    "a VPN on the host": (
        plain_home(
            G,
            public="61.9.9.9",
            host=host(NATIVE, tunnel=True, tunnel6=True),
            echo6=echo6("2a03:1::1"),
        ),
        Truth(mode=M.PUBLIC, confidence=K.POSSIBLE),
    ),
    "a VPN on the host, the exit is in a pool of transix": (
        plain_home(
            G,
            public=POOL,
            host=host(NATIVE, tunnel=True),
            reverse_name="1.50.22.27.shared.user.transix.jp",
        ),
        Truth(mode=M.PUBLIC, ipv6=V6.NATIVE, confidence=K.POSSIBLE),
    ),
    "a VPN on the host, into a home with v6プラス": (
        plain_home(
            G,
            public=V6PLUS_ADDRESS,
            host=host(V6PLUS, tunnel=True, tunnel6=True),
            echo6=echo6(V6PLUS),
            stun4=stun4(V6PLUS_ADDRESS, within(V6PLUS_SET)),
            ipv4_mtu=1420,
            ipv6_mtu=1420,
        ),
        Truth(mode=M.PUBLIC, confidence=K.POSSIBLE, carrier=C.V6PLUS),
    ),
    "a container behind a bridge": (
        plain_home(
            G,
            address=None,
            ipv6_mtu=None,
            gateway=gateway(G, default=None),
            host=host(own="172.17.0.2", router="172.17.0.1", mac="02:42:0a:00:00:01"),
        ),
        Truth(mode=M.PUBLIC, openable=O.ALL),
    ),
    "a gateway that is not the way out": (
        plain_home("61.1.2.3", public=G, gateway=gateway("61.1.2.3", default=False)),
        Truth(mode=None, ipv6=V6.NATIVE, confidence=K.UNKNOWN),
    ),
    "a gateway at another address that is the way out": (
        plain_home(G, gateway=gateway(G, default=False)),
        Truth(mode=M.PUBLIC, ipv6=V6.NATIVE, openable=O.ALL),
    ),
    "netlink is missing": (
        plain_home(G, host=host(NATIVE, complete=False)),
        Truth(mode=M.PUBLIC, ipv6=V6.NATIVE, openable=O.ALL),
    ),
    # --- IPv6 alone, or nothing
    "IPv6 only": (
        plain_home(None, echo4=echo4(None), stun4=stun4(None), ipv4_mtu=None),
        Truth(mode=M.NONE, ipv6=V6.NATIVE, openable=O.NONE),
    ),
    "NGN-only IPv6, and no IPv4 contract": (
        plain_home(None, address=NGN, echo4=echo4(None), stun4=stun4(None), echo6=echo6(None)),
        Truth(mode=M.OFFLINE, ipv6=V6.NGN_ONLY),
    ),
    "the cable to the provider is out": (
        plain_home(
            G,
            address=None,
            gateway=gateway(None, connected=False),
            echo4=echo4(None),
            stun4=stun4(None),
        ),
        Truth(mode=M.OFFLINE, ipv6=V6.NONE),
    ),
    "the provider is down, and the router does not know": (
        plain_home(G, echo4=echo4(None), stun4=stun4(None), echo6=echo6(None)),
        Truth(mode=M.OFFLINE, ipv6=V6.NATIVE),
    ),
    "no route": (
        evidence(host=host(router=None), echo4=echo4(None), stun4=stun4(None), echo6=echo6(None)),
        Truth(mode=M.OFFLINE, ipv6=V6.NONE, confidence=K.CERTAIN),
    ),
    "nothing is known": (
        evidence(),
        Truth(mode=None, confidence=K.UNKNOWN),
    ),
    "a router without UPnP on a line that could be anything": (
        plain_home(G, gateway=None),
        Truth(mode=None, ipv6=V6.NATIVE, confidence=K.UNKNOWN),
    ),
}
