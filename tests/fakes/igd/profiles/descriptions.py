"""Routers with a description that not every client can read."""

from tests.fakes.igd.device import Connection, Wan
from tests.fakes.igd.profiles.model import Outcome, Profile, nothing_but, replaced, xml
from tests.fakes.reply import Reply

IGD2 = Outcome(service="WANIPConnection:2")
PPP = Outcome(service="WANPPPConnection:1")

DESCRIPTIONS = (
    Profile(name="IGD:1", does="nothing unusual"),
    Profile(
        name="IGD:2",
        does="offers WANIPConnection:2",
        options={"connection": Connection.WANIP2},
        must=IGD2,
    ),
    Profile(
        name="PPP",
        does="offers WANPPPConnection:1 only",
        options={"connection": Connection.WANPPP1},
        must=PPP,
    ),
    Profile(
        name="DSL Forum PPP",
        does="has the service type of before 2015 (miniupnpc knows it)",
        options={"connection": Connection.WANPPP1, "namespace": "dslforum-org"},
        must=PPP,
    ),
    Profile(
        name="DSL Forum IP",
        does="has the service type of before 2015",
        options={"namespace": "dslforum-org"},
    ),
    Profile(
        name="PPP behind a dead IP",
        does="names a WANIPConnection that is not connected before the PPP one that is",
        options={"connection": Connection.WANPPP1, "others": (Wan(),)},
        must=PPP,
    ),
    Profile(
        name="two of a kind",
        does="has two WANConnectionDevices with the same service, the dead one first",
        options={"others": (Wan(),)},
    ),
    Profile(
        name="mobile beside DSL",
        does="has a second connection with a private address, first in the list",
        options={"others": (Wan(wan_address="10.1.2.3", connection_status="Connected"),)},
    ),
    Profile(
        name="many connections",
        does="has eight WANConnectionDevices, one of them connected",
        options={"others": (Wan(),) * 7},
    ),
    Profile(
        name="Up",
        does='says "Up" for "Connected" (miniupnp/miniupnp#147)',
        options={"connection_status": "Up", "others": (Wan(),)},
    ),
    Profile(
        name="white space",
        does="writes white space before the XML declaration",
        description=lambda good: xml("\r\n \t" + good),
    ),
    Profile(
        name="ampersand",
        does="writes an ampersand of its name as it is",
        description=replaced("Simulated router", "Smith & Sons"),
    ),
    Profile(
        name="Latin-1, not declared",
        does="writes ISO-8859-1 and declares nothing",
        description=lambda good: xml(
            good.replace("Simulated router", "Caf\xe9").partition("?>")[2].encode("latin-1")
        ),
    ),
    Profile(
        name="Latin-1 as UTF-8",
        does="writes ISO-8859-1 and declares UTF-8",
        description=lambda good: xml(good.replace("Simulated router", "Caf\xe9").encode("latin-1")),
    ),
    Profile(
        name="no namespace",
        does="has no namespace in its description",
        description=replaced('xmlns="urn:schemas-upnp-org:device-1-0"', ""),
    ),
    Profile(
        name="wrong namespace",
        does="has a namespace of its own in its description",
        description=replaced("urn:schemas-upnp-org:device-1-0", "urn:example:device"),
    ),
    Profile(
        name="zeros at the end",
        does="ends its description with zeros",
        description=lambda good: xml(good + "\0\0"),
    ),
    Profile(
        name="URLBase",
        does="has a URLBase that its URLs are relative to",
        description=lambda good: xml(
            good.replace("<device>", "<URLBase>/</URLBase><device>", 1).replace(">/con", ">con")
        ),
    ),
    Profile(
        name="URLBase of the factory",
        does="has a URLBase with an address that it had once",
        description=replaced("<device>", "<URLBase>http://192.168.1.1:80/</URLBase><device>", 1),
    ),
    Profile(
        name="no SCPD",
        does="answers 404 for what its services can do (home-assistant/core#68873)",
        scpd=Reply(status=404),
    ),
    Profile(name="empty SCPD", does="says nothing of what its services can do", scpd=Reply()),
    Profile(name="broken SCPD", does="breaks off in the middle of it", scpd=xml("<scpd><action")),
    Profile(
        name="no events",
        does="has no URL for events",
        description=replaced("/event/connection", ""),
        must=Outcome(events="silent"),
    ),
    Profile(
        name="events refused",
        does="refuses subscriptions",
        events=Reply(status=503),
        must=Outcome(events="silent"),
    ),
    Profile(
        name="control elsewhere",
        does="names a control URL of another host",
        description=replaced("/control/connection", "http://127.0.0.9/control"),
        must=nothing_but("ForeignUrl"),
    ),
    Profile(
        name="no WAN service",
        does="offers nothing that carries a connection",
        description=replaced("WANIPConnection:1", "Layer3Forwarding:1"),
        must=nothing_but("NoWanService"),
    ),
    Profile(
        name="redirect",
        does="sends its clients to another host",
        description=lambda _: Reply.redirect("http://127.0.0.9/desc.xml"),
        must=nothing_but("Redirected"),
    ),
    Profile(
        name="entity expansion",
        does="answers entities that multiply",
        description=lambda _: Reply.entity_bomb(),
        must=nothing_but("InvalidAnswer"),
    ),
    Profile(
        name="10 MB",
        does="answers ten megabytes",
        description=lambda _: Reply.huge(),
        must=nothing_but("AnswerTooLarge"),
    ),
    Profile(
        name="web page",
        does="answers a web page",
        description=lambda _: Reply.html_error(200),
        must=nothing_but("InvalidAnswer"),
    ),
)
