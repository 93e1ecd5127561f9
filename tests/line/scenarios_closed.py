"""Lines whose IPv4 ends in somebody else's NAT."""

from custom_components.homeport.line import Evidence

from .evidence import (
    BLOCK,
    CONTRADICTION,
    behind,
    echo4,
    evidence,
    gateway,
    host,
    names,
    proof,
    stun4,
)
from .homes import NATIVE, POOL, TRANSIX, V6, V6CONNECT, XPASS, C, G, K, M, O, Truth, plain_home

CLOSED: dict[str, tuple[Evidence, Truth]] = {
    # --- DS-Lite and NAT64
    "transix": (
        plain_home(
            "192.0.0.2",
            public=POOL,
            address=TRANSIX,
            ipv4_mtu=1460,
            stun4=stun4(POOL, BLOCK),
            names=names("gw.transix.jp"),
            reverse_name="1.50.22.27.shared.user.transix.jp",
        ),
        Truth(
            mode=M.DS_LITE, ipv6=V6.IPOE, confidence=K.CERTAIN, carrier=C.TRANSIX, openable=O.NONE
        ),
    ),
    "クロスパス, a pool of several addresses": (
        plain_home(
            "192.0.0.2",
            address=XPASS,
            ipv4_mtu=1460,
            echo4=CONTRADICTION,
            stun4=stun4(None),
        ),
        Truth(mode=M.DS_LITE, ipv6=V6.IPOE, carrier=C.XPASS, openable=O.NONE),
    ),
    "v6 コネクト": (
        plain_home(
            "192.0.0.2",
            public=POOL,
            address=V6CONNECT,
            ipv4_mtu=1460,
            stun4=stun4(POOL, BLOCK),
            names=names(
                "dslite.v6connect.net",
                txt="v=v6mig-1 url=https://prod.v6mig.v6connect.net/cpe/v1/config t=b",
            ),
            reverse_name="ai123456.d.west.v6connect.net",
        ),
        Truth(
            mode=M.DS_LITE,
            ipv6=V6.IPOE,
            confidence=K.CERTAIN,
            carrier=C.V6CONNECT,
            openable=O.NONE,
        ),
    ),
    "クロスパス behind a home gateway": (
        plain_home(
            "192.168.0.2",
            public=POOL,
            address=XPASS,
            ipv4_mtu=1460,
            stun4=stun4(POOL, BLOCK),
            reverse_name="27-22-50-1.east.xps.vectant.ne.jp",
            second_hop=behind(
                "192.168.1.1", "192.168.0.1", router="192.168.0.1", address="192.0.0.2"
            ),
        ),
        Truth(mode=M.DS_LITE, ipv6=V6.IPOE, carrier=C.XPASS, openable=O.NONE),
    ),
    "DS-Lite in Germany, the router gives its own LAN address": (
        plain_home(
            "192.168.1.1",
            public=POOL,
            stun4=stun4(POOL, BLOCK),
            reverse_name="aftr-27-22-50-1.unity-media.net",
        ),
        Truth(mode=M.DS_LITE, ipv6=V6.NATIVE, carrier=C.VODAFONE_WEST, openable=O.NONE),
    ),
    "DS-Lite in Germany, the router gives no address": (
        plain_home(
            None,
            public=POOL,
            stun4=stun4(POOL, BLOCK),
            reverse_name="aftr-27-22-50-1.unity-media.net",
        ),
        Truth(mode=M.DS_LITE, ipv6=V6.NATIVE, carrier=C.VODAFONE_WEST, openable=O.NONE),
    ),
    "transix, a router without UPnP": (
        plain_home(
            None,
            public=POOL,
            address=TRANSIX,
            gateway=None,
            stun4=stun4(POOL, BLOCK),
            names=names("gw.transix.jp"),
            reverse_name="1.50.22.27.shared.user.transix.jp",
        ),
        Truth(mode=M.DS_LITE, ipv6=V6.IPOE, confidence=K.POSSIBLE, carrier=C.TRANSIX),
    ),
    "464XLAT": (
        plain_home(
            "192.0.0.1",
            public=POOL,
            ipv4_mtu=1480,
            stun4=stun4(POOL, BLOCK),
            names=names(nat64="64:ff9b::/96"),
            system_names=names(nat64="64:ff9b::/96"),
        ),
        Truth(mode=M.NAT64, ipv6=V6.NATIVE, openable=O.NONE),
    ),
    "NAT64 without a CLAT": (
        plain_home(
            None,
            gateway=gateway(None),
            echo4=echo4(None),
            stun4=stun4(None),
            host=host(NATIVE, router=None),
            names=names(nat64="64:ff9b::/96"),
        ),
        Truth(mode=M.NAT64, ipv6=V6.NATIVE, openable=O.NONE),
    ),
    # --- Behind somebody else's NAT
    "CGNAT": (
        plain_home("100.64.0.2", public=POOL, stun4=stun4(POOL, BLOCK)),
        Truth(mode=M.CGNAT, ipv6=V6.NATIVE, confidence=K.CERTAIN, openable=O.NONE),
    ),
    "CGNAT with a pool of several addresses": (
        plain_home("100.64.0.2", echo4=CONTRADICTION, stun4=stun4(None)),
        Truth(mode=M.CGNAT, ipv6=V6.NATIVE, openable=O.NONE),
    ),
    "CGNAT, nobody outside may be asked": (
        evidence(gateway=gateway("100.127.0.2"), host=host()),
        Truth(mode=M.CGNAT, ipv6=V6.NONE, openable=O.NONE),
    ),
    "CGNAT behind a second router": (
        plain_home(
            "192.168.0.2",
            public=POOL,
            stun4=stun4(POOL, BLOCK),
            second_hop=behind(
                "192.168.1.1", "192.168.0.1", router="192.168.0.1", address="100.64.0.2"
            ),
        ),
        Truth(mode=M.CGNAT, ipv6=V6.NATIVE, openable=O.NONE),
    ),
    "CGNAT with an address that was thought to be shared": (
        plain_home("100.64.0.2", public=POOL, proof=proof(POOL)),
        Truth(mode=M.CGNAT, ipv6=V6.NATIVE, confidence=K.POSSIBLE),
    ),
    "squatted address space": (
        plain_home("25.0.0.2", public=POOL, stun4=stun4(POOL, BLOCK)),
        Truth(mode=M.CGNAT, ipv6=V6.NATIVE, confidence=K.POSSIBLE),
    ),
    "squatted address space, a pool of several addresses": (
        plain_home("25.0.0.2", echo4=CONTRADICTION, stun4=stun4(None)),
        Truth(mode=M.CGNAT, ipv6=V6.NATIVE, confidence=K.POSSIBLE),
    ),
    "double NAT, the second router answers": (
        plain_home(
            "192.168.0.2",
            public=G,
            second_hop=behind("192.168.1.1", "192.168.0.1", G, router="192.168.0.1", address=G),
        ),
        Truth(mode=M.DOUBLE_NAT, ipv6=V6.NATIVE, openable=O.AFTER_SECOND_ROUTER),
    ),
    "double NAT, the second router does not say its address": (
        plain_home(
            "10.0.0.2",
            public=G,
            second_hop=behind("192.168.1.1", "10.0.0.1", router="10.0.0.1"),
        ),
        Truth(mode=M.DOUBLE_NAT, ipv6=V6.NATIVE, confidence=K.POSSIBLE),
    ),
    "an apartment building": (
        plain_home("172.31.0.2", public=G, second_hop=behind("192.168.1.1", "172.31.0.1", None)),
        Truth(mode=M.PRIVATE_WAN, ipv6=V6.NATIVE, confidence=K.POSSIBLE),
    ),
    "1:1 NAT of the provider": (
        plain_home("10.1.2.3", public=G, proof=proof(G), second_hop=behind(None, None, None)),
        Truth(mode=M.PRIVATE_WAN, ipv6=V6.NATIVE, confidence=K.POSSIBLE),
    ),
}
