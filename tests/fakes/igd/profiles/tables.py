"""Routers that keep their table, and the leases in it, in their own way."""

from dataclasses import replace

from tests.fakes.igd.device import Connection
from tests.fakes.igd.profiles.model import Outcome, Profile, rewritten
from tests.fakes.igd.table import ONE_WEEK, Entry, Quirk
from tests.fakes.reply import Reply

IGD2 = {"connection": Connection.WANIP2}
MUST2 = Outcome(service="WANIPConnection:2")
PERMANENT = Outcome(opened="18123 for 0 s", read="ours, 0 s")
SPECIFIC, GENERIC = "GetSpecificPortMappingEntry", "GetGenericPortMappingEntry"
MANY = tuple(
    Entry(
        protocol="TCP",
        external_port=20_000 + number,
        internal_client="127.0.0.99",
        internal_port=9,
    )
    for number in range(150)
)
LEASE = "<NewLeaseDuration>3600</NewLeaseDuration>"


def _lease(written: str) -> Profile:
    return Profile(
        name=f"lease {written or 'empty'}",
        does="writes for what is left of a lease something that cannot be",
        rewrite=rewritten(SPECIFIC, LEASE, f"<NewLeaseDuration>{written}</NewLeaseDuration>"),
        must=Outcome(read="ours, -1 s"),
    )


def _end(name: str, does: str, faults: dict[str, int], answer: Reply | None = None) -> Profile:
    """Return a router whose table ends with something else than 713."""

    def rewrite(action: str, body: str) -> str:
        if action == GENERIC and faults:
            return body.replace("<errorCode>713<", f"<errorCode>{faults[GENERIC]}<")
        if action == GENERIC and answer and "<errorCode>713<" in body:
            return str(answer.body)
        return body

    return Profile(name=name, does=does, rewrite=rewrite)


TABLES = (
    Profile(
        name="only permanent",
        does="keeps mappings for ever only, and says 725 (syncthing/syncthing#1831)",
        options={"quirks": [Quirk.ONLY_PERMANENT]},
        must=PERMANENT,
    ),
    Profile(
        name="only permanent, 402",
        does="keeps mappings for ever only, and says 402 (tailscale/tailscale#15223)",
        options={"quirks": [Quirk.ONLY_PERMANENT_402]},
        must=PERMANENT,
    ),
    Profile(
        name="a week at most",
        does="refuses more than a week, and for ever, with 402 (n0-computer/net-tools#52)",
        options={"quirks": [Quirk.NO_PERMANENT]},
        lease=2 * ONE_WEEK,
    ),
    Profile(
        name="cuts leases",
        does="makes a week of a longer lease without a word (miniupnpd 2.3.1, measured)",
        options=IGD2,
        lease=2 * ONE_WEEK,
        must=replace(MUST2, opened="18123 for 1209600 s", read="ours, 604800 s"),
    ),
    Profile(
        name="loses finite leases",
        does="accepts a finite lease, and nothing is there (tailscale/tailscale#18196)",
        options={"quirks": [Quirk.FINITE_VANISHES]},
        must=Outcome(read="none", listed="0"),
    ),
    Profile(
        name="forgets all",
        does="empties its table when it gets long (tailscale/tailscale#10597)",
        options={"quirks": [Quirk.FORGETS_ALL]},
        held=(MANY[0], MANY[1]),
    ),
    _lease(""),
    _lease("-1"),
    _lease("infinite"),
    _lease("4294967295"),
    Profile(
        name="cuts descriptions",
        does="keeps sixteen characters of a description",
        options={"quirks": [Quirk.CUT_DESCRIPTION]},
    ),
    Profile(
        name="other namespace",
        does="answers in the namespace of another service",
        rewrite=lambda _, body: body.replace("WANIPConnection:1", "WANPPPConnection:1"),
    ),
    Profile(
        name="more than asked",
        does="answers arguments that nobody knows",
        rewrite=lambda _, body: body.replace(LEASE, f"<X_Vendor>1</X_Vendor>{LEASE}"),
    ),
    Profile(
        name="ampersand in the table",
        does="writes an ampersand of another client's description as it is",
        held=(replace(MANY[0], description="A &amp; B"),),
        rewrite=lambda _, body: body.replace("&amp;amp;", "&"),
        must=Outcome(listed="3"),
    ),
    Profile(
        name="not ASCII",
        does="keeps a description with other letters (miniupnpd 2.3.1, measured)",
        held=(replace(MANY[0], description="Küche 玄関 ☃"),),
        must=Outcome(listed="3"),
    ),
    Profile(
        name="lower case",
        does="writes protocols in small letters in its table",
        rewrite=rewritten(GENERIC, ">TCP<", ">tcp<"),
    ),
    Profile(
        name="remote host 0.0.0.0",
        does="writes 0.0.0.0 for any remote host in its table",
        rewrite=rewritten(GENERIC, "<NewRemoteHost />", "<NewRemoteHost>0.0.0.0</NewRemoteHost>"),
    ),
    Profile(
        name="says nothing of enabled",
        does="leaves out whether a mapping is enabled",
        rewrite=rewritten(SPECIFIC, "<NewEnabled>1</NewEnabled>", ""),
    ),
    Profile(
        name="deleting nothing succeeds",
        does="answers 200 to the deletion of what is not there (miniupnpd 2.3.1, measured)",
        options={"quirks": [Quirk.DELETE_MISSING_OK]},
    ),
    Profile(
        name="704 for nothing",
        does="uses the code of the IPv6 firewall for what is not there",
        rewrite=lambda _, body: body.replace("<errorCode>714<", "<errorCode>704<"),
    ),
    Profile(
        name="shows no table",
        does="does not know GetGenericPortMappingEntry",
        faults={GENERIC: 401},
    ),
    Profile(
        name="shows no single mapping",
        does="does not know GetSpecificPortMappingEntry",
        faults={SPECIFIC: 401},
    ),
    Profile(
        name="shows nothing",
        does="knows neither, so that nothing can be read back",
        faults={SPECIFIC: 401, GENERIC: 401},
        must=Outcome(
            **dict.fromkeys(("read", "anywhere", "listed", "closed"), "ActionUnsupported 401")
        ),
    ),
    _end("table ends with 402", "has 402 for the end of its table", {GENERIC: 402}),
    _end("table ends with 501", "has 501 for the end of its table", {GENERIC: 501}),
    _end("table ends with 714", "has 714 for the end of its table", {GENERIC: 714}),
    _end(
        "table ends with HTML",
        "has a web page for the end of its table",
        {},
        Reply.html_error(),
    ),
    Profile(
        name="long list",
        does="lists 150 mappings",
        options=IGD2,
        held=MANY,
        must=replace(MUST2, listed="152"),
    ),
    Profile(
        name="long list fails",
        does="fails to list more than a hundred mappings (noted in PortMapper)",
        options=IGD2 | {"quirks": [Quirk.LIST_LIMIT]},
        held=MANY,
        must=replace(MUST2, listed="152"),
    ),
    Profile(
        name="long list kills",
        does="dies of a list of more than 132 mappings (miniupnpd 2.3.1, measured)",
        options=IGD2 | {"quirks": [Quirk.LIST_KILLS]},
        held=MANY,
        must=replace(MUST2, listed="152"),
    ),
    Profile(
        name="list not permitted",
        does="wants a sign-in for GetListOfPortMappings",
        options=IGD2,
        held=MANY[:9],
        faults={"GetListOfPortMappings": 606},
        must=replace(MUST2, listed="11"),
    ),
    Profile(
        name="list broken",
        does="answers a list that is no XML",
        options=IGD2,
        held=MANY[:9],
        rewrite=rewritten("GetListOfPortMappings", "&lt;p:PortMappingList", "&lt;p:PortMappingLis"),
        must=replace(MUST2, listed="11"),
    ),
    Profile(
        name="no list",
        does="says IGD:2 and lacks what version 2 added",
        options=IGD2,
        faults={"GetListOfPortMappings": 401, "AddAnyPortMapping": 401},
        must=MUST2,
    ),
    Profile(
        name="any port, other name",
        does="answers AddAnyPortMapping with NewExternalPort (so miniupnpd 2.3.1 declares it)",
        options=IGD2,
        rewrite=lambda _, body: body.replace("NewReservedPort", "NewExternalPort"),
        must=MUST2,
    ),
    Profile(
        name="any port, not named",
        does="does not say which port it took",
        options=IGD2,
        rewrite=lambda _, body: body.replace("NewReservedPort", "NewSurprise"),
        must=MUST2,
    ),
    Profile(
        name="any port, 0",
        does="says that it took port 0",
        options=IGD2,
        rewrite=rewritten("AddAnyPortMapping", ">18125<", ">0<"),
        must=MUST2,
    ),
)
