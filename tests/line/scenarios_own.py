"""Lines with an address of their own."""

from custom_components.homeport.line import Evidence

from .evidence import (
    KEPT,
    SEQUENTIAL,
    echo4,
    echo6,
    gateway,
    host,
    ipv6,
    names,
    proof,
    stun4,
)
from .homes import (
    G2,
    NGN,
    NURO,
    OCN,
    PPPOE6,
    SOFTBANK,
    TRANSIX,
    V6,
    V6PLUS,
    C,
    G,
    K,
    M,
    O,
    Truth,
    plain_home,
)

OWN: dict[str, tuple[Evidence, Truth]] = {
    "public by DHCP, native IPv6": (
        plain_home(G),
        Truth(mode=M.PUBLIC, ipv6=V6.NATIVE, openable=O.ALL),
    ),
    "public, a NAT that keeps the ports": (
        plain_home(G, stun4=stun4(G, KEPT)),
        Truth(mode=M.PUBLIC, ipv6=V6.NATIVE, openable=O.ALL),
    ),
    "public, no IPv6": (
        plain_home(G, address=None, ipv6_mtu=None),
        Truth(mode=M.PUBLIC, ipv6=V6.NONE, openable=O.ALL),
    ),
    "public, a port seen working": (
        plain_home(G, proof=proof(G)),
        Truth(mode=M.PUBLIC, ipv6=V6.NATIVE, confidence=K.CERTAIN, openable=O.ALL),
    ),
    "public, UDP is blocked": (
        plain_home(G, stun4=stun4(None)),
        Truth(mode=M.PUBLIC, ipv6=V6.NATIVE, confidence=K.POSSIBLE),
    ),
    "public, a NAT that counts ports upwards": (
        plain_home(G, stun4=stun4(G, SEQUENTIAL)),
        Truth(mode=M.PUBLIC, ipv6=V6.NATIVE, confidence=K.POSSIBLE),
    ),
    "public, the MTU cannot be measured": (
        plain_home(G, ipv4_mtu=None),
        Truth(mode=M.PUBLIC, ipv6=V6.NATIVE, confidence=K.POSSIBLE, openable=O.ALL),
    ),
    "public, the router writes the octets in reverse": (
        plain_home("44.33.22.61", public=G),
        Truth(mode=M.PUBLIC, ipv6=V6.NATIVE, openable=O.ALL),
    ),
    "public, the echo is behind an HTTP proxy": (
        plain_home(G, echo4=echo4(G2)),
        Truth(mode=M.PUBLIC, ipv6=V6.NATIVE, confidence=K.POSSIBLE),
    ),
    "public, the router says it is disconnected, and is wrong": (
        plain_home(G, gateway=gateway(G, connected=False)),
        Truth(mode=M.PUBLIC, ipv6=V6.NATIVE, openable=O.ALL),
    ),
    "public, a public resolver with DNS64": (
        plain_home(G, system_names=names(nat64="64:ff9b::/96")),
        Truth(mode=M.PUBLIC, ipv6=V6.NATIVE, openable=O.ALL),
    ),
    "PPPoE of FLET'S, no IPv6": (
        plain_home(G, address=None, ipv4_mtu=1454, ipv6_mtu=None),
        Truth(mode=M.PPPOE, ipv6=V6.NONE, openable=O.ALL),
    ),
    "PPPoE elsewhere, native IPv6 over the same session": (
        plain_home(G, gateway=gateway(G, ppp=True), ipv4_mtu=1492, ipv6_mtu=1492),
        Truth(mode=M.PPPOE, ipv6=V6.PPPOE, openable=O.ALL),
    ),
    "PPPoE of FLET'S, IPv6 PPPoE": (
        plain_home(G, address=PPPOE6, ipv4_mtu=1454, ipv6_mtu=1454),
        Truth(mode=M.PPPOE, ipv6=V6.PPPOE, openable=O.ALL),
    ),
    "PPPoE beside IPoE IPv6 of OCN": (
        plain_home(G, address=OCN, ipv4_mtu=1454),
        Truth(mode=M.PPPOE, ipv6=V6.IPOE, carrier=C.OCN, openable=O.ALL),
    ),
    "PPPoE beside IPoE IPv6 of transix": (
        plain_home(G, address=TRANSIX, ipv4_mtu=1454, names=names("gw.transix.jp")),
        Truth(mode=M.PPPOE, ipv6=V6.IPOE, carrier=C.TRANSIX, openable=O.ALL),
    ),
    "PPPoE that hides its MTU (RFC 4638), an IP service": (
        plain_home(G),
        Truth(mode=M.PUBLIC, ipv6=V6.NATIVE, openable=O.ALL),
    ),
    "PPPoE that hides its MTU (RFC 4638), a PPP service": (
        plain_home(G, gateway=gateway(G, ppp=True)),
        Truth(mode=M.PPPOE, ipv6=V6.NATIVE, confidence=K.POSSIBLE, openable=O.ALL),
    ),
    "PPPoE with NGN-only IPv6": (
        plain_home(G, address=NGN, ipv4_mtu=1454, echo6=echo6(None), ipv6_mtu=None),
        Truth(mode=M.PPPOE, ipv6=V6.NGN_ONLY, openable=O.ALL),
    ),
    "fixed IPv4 on an IPoE line": (
        plain_home(G, address=TRANSIX, ipv4_mtu=1460),
        Truth(mode=M.IPIP_FIXED, ipv6=V6.IPOE, carrier=C.TRANSIX, openable=O.ALL),
    ),
    "fixed IPv4 on a prefix of a MAP-E service": (
        plain_home(G, address=V6PLUS, ipv4_mtu=1460),
        Truth(mode=M.IPIP_FIXED, ipv6=V6.IPOE, carrier=C.V6PLUS, openable=O.ALL),
    ),
    "fixed IPv4 of OCN, by its reverse name": (
        plain_home(G, address=OCN, ipv4_mtu=1460, reverse_name="p123456-ipoefx.ipoe.ocn.ne.jp"),
        Truth(mode=M.IPIP_FIXED, ipv6=V6.IPOE, carrier=C.OCN, openable=O.ALL),
    ),
    "SoftBank 10G: a tunnel with an address of its own": (
        plain_home(G, address=SOFTBANK, ipv4_mtu=1460),
        Truth(mode=M.IPIP_FIXED, ipv6=V6.IPOE, carrier=C.SOFTBANK, openable=O.ALL),
    ),
    "NURO, the older dual stack": (
        plain_home(G, address=NURO),
        Truth(mode=M.PUBLIC, ipv6=V6.IPOE, carrier=C.NURO, openable=O.ALL),
    ),
    "6to4": (
        plain_home(G, address=None, host=host(ipv6("2002:b16:212c::10")), ipv6_mtu=1480),
        Truth(mode=M.PUBLIC, ipv6=V6.TUNNEL, openable=O.ALL),
    ),
    "IPv6 of a tunnel broker": (
        plain_home(G, address="2001:470:1::10", ipv6_mtu=1480),
        Truth(mode=M.PUBLIC, ipv6=V6.TUNNEL, openable=O.ALL),
    ),
}
