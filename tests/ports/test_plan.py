"""What is done with a port: a table of what is wanted, remembered, and found on the gateway."""

from dataclasses import replace
from ipaddress import IPv4Address

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.homeport.gateway import Opening, PortMapping, Transport
from custom_components.homeport.ports import MappingState
from custom_components.homeport.ports.plan import LEASE, Plan, mapping_state, plan

A = Opening(Transport.TCP, 18123, IPv4Address("192.168.1.10"), 8123, "Homeport")
OTHER_PORT = replace(A, external_port=18124)
OTHER_TARGET = replace(A, internal_port=8124)
MOVED = replace(A, internal_client=IPv4Address("192.168.1.11"))
UDP = replace(A, protocol=Transport.UDP)


def found(opening: Opening, *, lease: int = LEASE, enabled: bool = True) -> PortMapping:
    return PortMapping(
        protocol=opening.protocol,
        external_port=opening.external_port,
        internal_client=str(opening.internal_client),
        internal_port=opening.internal_port,
        description=opening.description,
        enabled=enabled,
        lease=lease,
    )


FOREIGN = replace(found(A), internal_client="192.168.1.99", description="console")
RETARGETED = found(OTHER_TARGET)
UNTOLD = replace(found(A), description="")

# (wanted, remembered, mappings on the gateway, what to do)
PLANS: dict[str, tuple[Opening | None, Opening | None, list[PortMapping], Plan]] = {
    "nothing wanted, nothing there": (None, None, [], Plan()),
    "nothing wanted, a foreign one there": (None, None, [FOREIGN], Plan()),
    "wanted, nothing there": (A, None, [], Plan(open=A)),
    "wanted and there": (A, A, [found(A)], Plan()),
    "wanted, and gone from the gateway": (A, A, [], Plan(open=A)),
    "wanted and there, but not remembered": (A, None, [found(A)], Plan(open=A)),
    "just over half the lease left": (A, A, [found(A, lease=LEASE // 2 + 1)], Plan()),
    "half the lease left": (A, A, [found(A, lease=LEASE // 2)], Plan(open=A)),
    "a second left": (A, A, [found(A, lease=1)], Plan(open=A)),
    "a permanent lease": (A, A, [found(A, lease=0)], Plan()),
    "a longer lease than asked for": (A, A, [found(A, lease=604_800)], Plan()),
    "there, but disabled": (A, A, [found(A, enabled=False)], Plan(open=A)),
    "a foreign one has the port": (A, None, [FOREIGN], Plan(holder=FOREIGN)),
    "a foreign one took the port that was ours": (A, A, [FOREIGN], Plan(holder=FOREIGN)),
    "ours but for the internal port": (A, None, [RETARGETED], Plan(holder=RETARGETED)),
    "ours but for the description": (A, A, [UNTOLD], Plan(holder=UNTOLD)),
    "the same port, but UDP, is another": (A, None, [found(UDP)], Plan(open=A)),
    "no longer wanted": (None, A, [found(A)], Plan(close=A)),
    "no longer wanted, and gone": (None, A, [], Plan(forget=True)),
    "no longer wanted, and a foreign one in its place": (None, A, [FOREIGN], Plan(forget=True)),
    "no longer wanted, disabled": (None, A, [found(A, enabled=False)], Plan(close=A)),
    "another external port": (OTHER_PORT, A, [found(A)], Plan(close=A, open=OTHER_PORT)),
    "another external port, both there": (
        *(OTHER_PORT, A, [found(A), found(OTHER_PORT)], Plan(close=A, open=OTHER_PORT)),
    ),
    "another external port, which is taken": (
        OTHER_PORT,
        A,
        [found(A), replace(FOREIGN, external_port=18124)],
        Plan(close=A, holder=replace(FOREIGN, external_port=18124)),
    ),
    "another external port, the old one gone": (
        *(OTHER_PORT, A, [], Plan(forget=True, open=OTHER_PORT)),
    ),
    "another target": (OTHER_TARGET, A, [found(A)], Plan(close=A, open=OTHER_TARGET)),
    "this machine moved": (MOVED, A, [found(A)], Plan(close=A, open=MOVED)),
    "this machine moved, a foreign one has the port": (
        *(MOVED, A, [FOREIGN], Plan(forget=True, holder=FOREIGN)),
    ),
    "another protocol": (UDP, A, [found(A)], Plan(close=A, open=UDP)),
}


@pytest.mark.parametrize(
    ("lease", "renewed"), [(601, False), (600, True), (1, True), (0, True), (-1, False)]
)
def test_half_of_what_the_gateway_gave(lease: int, *, renewed: bool) -> None:
    steps = plan(A, A, table([found(A, lease=lease)], A), granted=1200)
    assert steps == Plan(open=A if renewed else None)


def test_one_for_ever_needs_no_renewal() -> None:
    assert plan(A, A, table([found(A, lease=0)], A)) == Plan()


def table(
    mappings: list[PortMapping], *openings: Opening | None
) -> dict[tuple[Transport, int], PortMapping | None]:
    there = {(mapping.protocol, mapping.external_port): mapping for mapping in mappings}
    return {opening.key: there.get(opening.key) for opening in openings if opening}


@pytest.mark.parametrize(
    ("wanted", "remembered", "mappings", "expected"),
    [pytest.param(*row, id=name) for name, row in PLANS.items()],
)
def test_what_is_done(
    wanted: Opening | None,
    remembered: Opening | None,
    mappings: list[PortMapping],
    expected: Plan,
) -> None:
    assert plan(wanted, remembered, table(mappings, wanted, remembered)) == expected


OPENINGS = st.none() | st.sampled_from([A, OTHER_PORT, OTHER_TARGET, MOVED, UDP])
MAPPINGS = st.lists(
    st.builds(
        found,
        st.sampled_from([A, OTHER_PORT, OTHER_TARGET, MOVED, UDP, replace(A, description="x")]),
        lease=st.sampled_from([0, 1, LEASE // 2, LEASE, 604_800]),
        enabled=st.booleans(),
    ),
    max_size=3,
)


@settings(max_examples=300, deadline=None)
@given(OPENINGS, OPENINGS, MAPPINGS)
def test_nothing_foreign_is_touched(
    wanted: Opening | None, remembered: Opening | None, mappings: list[PortMapping]
) -> None:
    there = table(mappings, wanted, remembered)
    steps = plan(wanted, remembered, there)
    if steps.close:
        mapping = there[steps.close.key]
        assert mapping is not None
        assert mapping.is_of(steps.close)
        assert steps.close == remembered != wanted
    if steps.open:
        mapping = there[steps.open.key]
        closed = steps.close is not None and steps.close.key == steps.open.key
        assert steps.open == wanted
        assert mapping is None or mapping.is_of(steps.open) or closed
    assert not (steps.open and steps.holder)
    assert not (steps.close and steps.forget)


@pytest.mark.parametrize(
    ("wanted", "mapping", "state"),
    [
        pytest.param(A, found(A), MappingState.OPEN, id="open"),
        pytest.param(A, found(A, lease=0), MappingState.OPEN, id="open for ever"),
        pytest.param(A, found(A, enabled=False), MappingState.MISSING, id="disabled"),
        pytest.param(A, None, MappingState.MISSING, id="missing"),
        pytest.param(A, FOREIGN, MappingState.FOREIGN, id="taken"),
        pytest.param(A, found(OTHER_TARGET), MappingState.FOREIGN, id="another target"),
        pytest.param(None, None, MappingState.CLOSED, id="closed"),
        pytest.param(None, FOREIGN, MappingState.CLOSED, id="closed, and taken by another"),
        pytest.param(None, found(A), MappingState.OPEN, id="not wanted, but open"),
    ],
)
def test_what_the_table_shows_of_a_port(
    wanted: Opening | None, mapping: PortMapping | None, state: MappingState
) -> None:
    assert mapping_state(wanted, A, mapping) is state
