"""Routers that refuse, each with a code or a form of its own."""

from dataclasses import replace

from tests.fakes.igd.device import Connection
from tests.fakes.igd.profiles.model import Outcome, Profile, no_opening, rewritten, xml
from tests.fakes.igd.table import Entry, Quirk
from tests.fakes.reply import Reply

CONSOLE = Entry(
    protocol="TCP",
    external_port=18123,
    internal_client="127.0.0.99",
    internal_port=9,
    description="console",
)
LOWER = replace(CONSOLE, external_port=18125)
OWN_OTHER = replace(LOWER, internal_client="127.0.0.1")
CONTROL = "urn:schemas-upnp-org:control-1-0"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TAKEN = Outcome(opened="PortTaken 718", read="foreign", closed="gone")


def _always(code: int, why: str, name: str = "ActionRefused") -> Profile:
    faults = {"AddPortMapping": code}
    return Profile(name=str(code), does=why, faults=faults, must=no_opening(f"{name} {code}"))


REFUSALS = (
    _always(402, "refuses every lease"),
    _always(606, "gives no permission (lontivero/Open.NAT#80)"),
    _always(715, "wants one remote host"),
    _always(716, "does not take the external port"),
    _always(724, "wants the same port inside and outside", "SamePortRequired"),
    _always(726, "wants no remote host, however it is written"),
    _always(727, "opens all ports or none"),
    _always(728, "has no place left"),
    _always(729, "has a rule of its own there"),
    _always(732, "does not take the internal port"),
    _always(718, "says conflict where there is none, and means permission", "NotPermitted"),
    _always(501, "fails, although it is connected"),
    _always(899, "has a code of its own"),
    Profile(
        name="port taken",
        does="refuses a port of another client with 718",
        held=(CONSOLE,),
        must=TAKEN,
    ),
    Profile(
        name="port taken, 501",
        does="refuses a port of another client with 501 (routers known to libtorrent)",
        options={"quirks": [Quirk.CONFLICT_501]},
        held=(CONSOLE,),
        must=replace(TAKEN, opened="PortTaken 501"),
    ),
    Profile(
        name="second port taken",
        does="has another client's mapping where any port would do",
        held=(LOWER,),
        must=Outcome(anywhere="18200", listed="3"),
    ),
    Profile(
        name="second port taken, IGD:2",
        does="gives the next lower port by itself (miniupnpd 2.3.1, measured)",
        options={"connection": Connection.WANIP2},
        held=(LOWER,),
        must=Outcome(service="WANIPConnection:2", anywhere="18124", listed="3"),
    ),
    Profile(
        name="replaces silently",
        does="replaces a mapping of the same client without a word (miniupnpd 2.3.1, measured)",
        held=(OWN_OTHER,),
        must=Outcome(anywhere="18200", listed="3"),
    ),
    Profile(
        name="replaces silently, IGD:2",
        does="does so with AddAnyPortMapping too",
        options={"connection": Connection.WANIP2},
        held=(OWN_OTHER,),
        must=Outcome(service="WANIPConnection:2", anywhere="18200", listed="3"),
    ),
    Profile(
        name="secure mode",
        does="opens for its callers only, and says 718 (miniupnp/miniupnp#359)",
        options={"quirks": [Quirk.SECURE_MODE]},
        client="127.0.0.7",
        must=no_opening("NotPermitted 718"),
    ),
    Profile(
        name="same port",
        does="wants the same port inside and outside",
        options={"quirks": [Quirk.SAME_PORT]},
        internal_port=18123,
        must=Outcome(anywhere="SamePortRequired 724", listed="1"),
    ),
    Profile(
        name="star",
        does='wants "*" for any remote host, and says 726 (known to PortMapper)',
        options={"quirks": [Quirk.STAR_HOST]},
    ),
    Profile(
        name="table full",
        does="has place for two mappings",
        options={"quirks": [Quirk.FEW_PLACES]},
        held=(replace(CONSOLE, external_port=1), replace(CONSOLE, external_port=2)),
        must=no_opening("ActionRefused 728", listed="2"),
    ),
    Profile(
        name="no WAN address",
        does="has no address, and fails with 501 (miniupnpd 2.3.1, measured)",
        options={"wan_address": ""},
        must=no_opening("NoPublicAddress 501", wan="connected None"),
    ),
    Profile(
        name="CGNAT",
        does="has a shared address, and fails with 501 (miniupnpd 2.3.1, measured)",
        options={"wan_address": "100.64.0.2", "quirks": [Quirk.REFUSE_PRIVATE_WAN]},
        must=no_opening("NoPublicAddress 501", wan="connected 100.64.0.2"),
    ),
    Profile(
        name="disconnected",
        does="has lost its connection, and takes mappings all the same (miniupnpd 2.3.1, measured)",
        options={"connection_status": "Disconnected"},
        must=Outcome(wan="not connected None"),
    ),
    Profile(
        name="address 0.0.0.0",
        does="writes 0.0.0.0 for no address",
        options={"wan_address": "0.0.0.0"},
        must=Outcome(wan="connected None"),
    ),
    Profile(
        name="no status",
        does="does not know GetStatusInfo",
        faults={"GetStatusInfo": 401},
        must=Outcome(wan="perhaps connected 11.22.33.44"),
    ),
    Profile(
        name="no address action",
        does="fails to say its address",
        faults={"GetExternalIPAddress": 501},
        must=Outcome(wan="connected None"),
    ),
    Profile(
        name="fault without namespace",
        does="leaves out the control namespace",
        faults={"AddPortMapping": 606},
        rewrite=rewritten("AddPortMapping", f'xmlns="{CONTROL}"', ""),
        must=no_opening("ActionRefused 606"),
    ),
    Profile(
        name="fault in a wrong namespace",
        does="misspells the control namespace",
        faults={"AddPortMapping": 606},
        rewrite=rewritten("AddPortMapping", CONTROL, "urn:schemas-upnp-org:control-1.0"),
        must=no_opening("ActionRefused 606"),
    ),
    Profile(
        name="SOAP 1.2",
        does="answers with the envelope of SOAP 1.2",
        faults={"AddPortMapping": 606},
        rewrite=lambda _, body: body.replace(SOAP, "http://www.w3.org/2003/05/soap-envelope"),
        must=no_opening("ActionRefused 606"),
    ),
    Profile(
        name="HTML for an error",
        does="answers a web page where an error belongs",
        answers={"AddPortMapping": Reply.html_error()},
        must=no_opening("HttpRefused"),
    ),
    Profile(
        name="error that is no number",
        does="writes words for a code",
        faults={"AddPortMapping": 718},
        rewrite=rewritten("AddPortMapping", "<errorCode>718<", "<errorCode>conflict<"),
        must=no_opening("InvalidAnswer"),
    ),
    Profile(
        name="redirects actions",
        does="sends actions to another host",
        answers={"AddPortMapping": Reply.redirect("http://127.0.0.9/control")},
        must=no_opening("Redirected"),
    ),
    Profile(
        name="entities in answers",
        does="answers actions with entities that multiply",
        answers={"AddPortMapping": Reply.entity_bomb()},
        must=no_opening("InvalidAnswer"),
    ),
    Profile(
        name="empty answer",
        does="says nothing when it was told to open",
        answers={"AddPortMapping": xml("")},
        must=no_opening("InvalidAnswer"),
    ),
)
