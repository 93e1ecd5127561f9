"""Lines with a part of the ports of an address."""

from ipaddress import IPv6Address

from custom_components.homeport.host import AddressFlag
from custom_components.homeport.line import Evidence, MapE
from custom_components.homeport.line.portset import PortSet

from .evidence import behind, echo6, evidence, gateway, home_gateway, host, ipv6, mtu, stun4, within
from .homes import (
    BIGLOBE,
    FREE_SET,
    NURO,
    OCN,
    OCN_SET,
    OWN_ADDRESS,
    OWN_RULE,
    UNKNOWN_SET,
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
    computed,
    mape_home,
    plain_home,
)

PORTS: dict[str, tuple[Evidence, Truth]] = {
    # --- MAP-E
    "v6プラス": (
        mape_home(V6PLUS),
        Truth(
            mode=M.MAP_E,
            ipv6=V6.IPOE,
            confidence=K.CERTAIN,
            carrier=C.V6PLUS,
            openable=O.PORT_SET,
            ports=V6PLUS_SET,
        ),
    ),
    "OCN バーチャルコネクト": (
        mape_home(OCN),
        Truth(
            mode=M.MAP_E,
            ipv6=V6.IPOE,
            confidence=K.CERTAIN,
            carrier=C.OCN,
            openable=O.PORT_SET,
            ports=OCN_SET,
        ),
    ),
    "BIGLOBE IPv6オプション": (
        mape_home(BIGLOBE),
        Truth(
            mode=M.MAP_E,
            ipv6=V6.IPOE,
            confidence=K.CERTAIN,
            carrier=C.BIGLOBE,
            openable=O.PORT_SET,
            ports=computed(BIGLOBE).port_set,
        ),
    ),
    "NURO 光 with MAP-E": (
        mape_home(NURO),
        Truth(
            mode=M.MAP_E,
            ipv6=V6.IPOE,
            confidence=K.CERTAIN,
            carrier=C.NURO,
            openable=O.PORT_SET,
            ports=computed(NURO).port_set,
        ),
    ),
    "v6プラス, only a temporary address in another /64 of the /56": (
        mape_home(
            V6PLUS,
            host=host(ipv6("240b:10:3f6c:d4a5:1:2:3:4", AddressFlag.TEMPORARY)),
            echo6=echo6("240b:10:3f6c:d4a5:1:2:3:4"),
        ),
        Truth(
            mode=M.MAP_E,
            ipv6=V6.IPOE,
            confidence=K.CERTAIN,
            carrier=C.V6PLUS,
            openable=O.PORT_SET,
            ports=V6PLUS_SET,
        ),
    ),
    "v6プラス, an old prefix is deprecated": (
        mape_home(
            V6PLUS, host=host(ipv6("240b:10:1:100::10", AddressFlag.DEPRECATED), ipv6(V6PLUS))
        ),
        Truth(
            mode=M.MAP_E,
            ipv6=V6.IPOE,
            confidence=K.CERTAIN,
            carrier=C.V6PLUS,
            openable=O.PORT_SET,
            ports=V6PLUS_SET,
        ),
    ),
    "v6プラス in an NTT home gateway before the router": (
        mape_home(
            V6PLUS,
            gateway=gateway("192.168.0.2"),
            second_hop=behind(
                "192.168.1.1", "192.168.0.1", router="192.168.0.1", address=V6PLUS_ADDRESS
            ),
            home_gateway=home_gateway(on=True),
        ),
        Truth(
            mode=M.MAP_E,
            ipv6=V6.IPOE,
            confidence=K.CERTAIN,
            carrier=C.V6PLUS,
            openable=O.AFTER_SECOND_ROUTER,
            ports=V6PLUS_SET,
        ),
    ),
    "OCN in a home gateway that answers nothing": (
        mape_home(
            OCN,
            gateway=gateway("192.168.0.2"),
            second_hop=behind("192.168.1.1", "192.168.0.1"),
        ),
        Truth(
            mode=M.MAP_E,
            ipv6=V6.IPOE,
            confidence=K.CERTAIN,
            carrier=C.OCN,
            openable=O.AFTER_SECOND_ROUTER,
            ports=OCN_SET,
        ),
    ),
    "v6プラス, a router without UPnP": (
        mape_home(V6PLUS, gateway=None),
        Truth(
            mode=M.MAP_E,
            ipv6=V6.IPOE,
            confidence=K.CERTAIN,
            carrier=C.V6PLUS,
            openable=O.PORT_SET,
            ports=V6PLUS_SET,
        ),
    ),
    "v6プラス, the router's UPnP gives no address": (
        mape_home(V6PLUS, gateway=gateway(None)),
        Truth(
            mode=M.MAP_E,
            ipv6=V6.IPOE,
            confidence=K.CERTAIN,
            carrier=C.V6PLUS,
            openable=O.PORT_SET,
            ports=V6PLUS_SET,
        ),
    ),
    "v6プラス, nobody outside may be asked": (
        evidence(gateway=gateway(V6PLUS_ADDRESS), host=host(V6PLUS), mtu=mtu(1460)),
        Truth(
            mode=M.MAP_E,
            ipv6=V6.IPOE,
            carrier=C.V6PLUS,
            openable=O.PORT_SET,
            ports=V6PLUS_SET,
        ),
    ),
    "v6プラス, Home Assistant has no IPv6": (
        mape_home(V6PLUS, host=host(), echo6=echo6(None)),
        Truth(
            mode=M.MAP_E,
            ipv6=V6.NONE,
            openable=O.PORT_SET,
            ports=V6PLUS_SET,
        ),
    ),
    "MAP-E with ports that are not the computed ones": (
        mape_home(V6PLUS, stun4=stun4(V6PLUS_ADDRESS, within(PortSet(4, 8, 13)))),
        Truth(mode=M.MAP_E, ipv6=V6.IPOE, carrier=C.V6PLUS),
    ),
    "MAP-E by a rule of the user's own": (
        plain_home(
            str(MapE.from_ipv6(IPv6Address(OWN_ADDRESS), OWN_RULE).ipv4),
            address=OWN_ADDRESS,
            ipv4_mtu=1460,
            stun4=stun4(
                str(MapE.from_ipv6(IPv6Address(OWN_ADDRESS), OWN_RULE).ipv4),
                within(MapE.from_ipv6(IPv6Address(OWN_ADDRESS), OWN_RULE).port_set),
            ),
            own_rule=OWN_RULE,
        ),
        Truth(
            mode=M.MAP_E,
            ipv6=V6.NATIVE,
            confidence=K.CERTAIN,
            openable=O.PORT_SET,
            ports=MapE.from_ipv6(IPv6Address(OWN_ADDRESS), OWN_RULE).port_set,
        ),
    ),
    # --- A port set by rules that are not known
    "a table older than the line": (
        plain_home(
            G,
            address="2400:4150:ffff:ff00::10",
            ipv4_mtu=1460,
            stun4=stun4(G, within(PortSet(6, 6, 33))),
        ),
        Truth(
            mode=M.A_PLUS_P,
            ipv6=V6.IPOE,
            carrier=C.OCN,
            openable=O.PORT_SET,
            ports=PortSet(6, 6, 33),
        ),
    ),
    "a rule that is wrong by now": (
        plain_home(G, address=V6PLUS, ipv4_mtu=1460, stun4=stun4(G, within(UNKNOWN_SET))),
        Truth(
            mode=M.A_PLUS_P,
            ipv6=V6.IPOE,
            carrier=C.V6PLUS,
            openable=O.PORT_SET,
            ports=UNKNOWN_SET,
        ),
    ),
    "MAP-T in Italy": (
        plain_home(G, stun4=stun4(G, within(UNKNOWN_SET))),
        Truth(mode=M.A_PLUS_P, ipv6=V6.NATIVE, openable=O.PORT_SET, ports=UNKNOWN_SET),
    ),
    "a quarter of an address in France": (
        plain_home(
            G,
            stun4=stun4(
                G, within(FREE_SET) + tuple((port + 1, 16390 + port // 4) for port in (60, 65000))
            ),
        ),
        Truth(mode=M.A_PLUS_P, ipv6=V6.NATIVE, openable=O.PORT_SET, ports=FREE_SET),
    ),
    "A+P in a second router": (
        plain_home(
            "192.168.0.2",
            public=G,
            stun4=stun4(G, within(UNKNOWN_SET)),
            second_hop=behind("192.168.1.1", "192.168.0.1", router="192.168.0.1", address=G),
        ),
        Truth(mode=M.A_PLUS_P, ipv6=V6.NATIVE, openable=O.AFTER_SECOND_ROUTER, ports=UNKNOWN_SET),
    ),
    "A+P, a router without UPnP": (
        plain_home(G, gateway=None, stun4=stun4(G, within(UNKNOWN_SET))),
        Truth(mode=M.A_PLUS_P, ipv6=V6.NATIVE, confidence=K.POSSIBLE),
    ),
}
