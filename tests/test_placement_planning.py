"""Which slots a plan moves: balance, bytes, memory, and no to and fro."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import augury
from augury.placement import balance_of, choose_moves

pytest.importorskip("statsmodels")

SLOTS = 16_384
Floats = npt.NDArray[np.float64]


def even(nodes: int) -> npt.NDArray[np.int64]:
    """The owners of even slots."""
    owners: npt.NDArray[np.int64] = np.arange(SLOTS) * nodes // SLOTS
    return owners


def table(**values: float) -> Floats:
    """Values by slot, as in ``s7=1.0``; 0 elsewhere."""
    found = np.zeros(SLOTS)
    for slot, value in values.items():
        found[int(slot[1:])] = value
    return found


def test_the_fewest_bytes_are_moved() -> None:
    """Of two slots of one load, the small one; and both small ones before the large one."""
    loads = table(s1=4.0, s2=4.0, s3=4.0, s4=4.0, s9000=4.0, s9001=4.0)
    sizes = table(s1=9e8, s2=1e6, s3=9e8, s4=9e8, s9000=1e6, s9001=1e6)
    found = choose_moves(even(2), loads, sizes, [None, None])
    assert ((2, 1),) == found.moves
    assert (1_000_000, 1_000_000) == (found.bytes, found.fewest_bytes)
    assert (16 / 12, 1.0) == (found.before.imbalance, found.after.imbalance)


def test_nothing_moves_for_little() -> None:
    """Below the trigger; and with what remains of a plan's own imbalance."""
    loads = table(s1=56.0, s2=1.0, s9000=50.0)
    assert () == choose_moves(even(2), loads, loads, [None, None], trigger=1.1).moves
    assert () == choose_moves(even(2), loads * 0, loads, [None, None]).moves


def test_what_has_just_come_stays() -> None:
    """Another slot goes instead; if none may, none does."""
    loads = table(s1=4.0, s2=4.0, s3=4.0)
    free = np.ones(SLOTS, np.bool_)
    free[1] = False
    [(slot, node)] = choose_moves(even(2), loads, loads, [None, None], free=free).moves
    assert (True, 1) == (slot in (2, 3), node)
    free[:] = False
    found = choose_moves(even(2), loads, loads, [None, None], free=free)
    assert ((), "no slot of the nodes with too much load may move") == (found.moves, found.reason)


def test_memory_is_a_limit() -> None:
    """To the node that has room, though the other has less load; nothing where none has."""
    loads = table(s1=1, s2=1, s3=1, s4=1, s5=1, s6=1, s7=1, s8=1, s6000=2, s11000=1)
    sizes = np.where(loads > 0, 1_000.0, 0.0)
    found = choose_moves(even(3), loads, sizes, [None, 2_000.0, 999.0], target=1.1)
    assert [1, 1] == [node for _, node in found.moves]
    found = choose_moves(even(3), loads, sizes, [None, 999.0, 0.0])
    assert ((), 0) == (found.moves, found.bytes)
    assert "memory" in found.reason


def test_a_slot_that_is_more_than_a_node_stays_alone() -> None:
    """Its fellows leave it, and the reason says what helps."""
    loads = table(s1=90.0, s2=10.0, s3=10.0, s6000=5.0, s11000=5.0)
    found = choose_moves(even(3), loads, np.ones(SLOTS), [None] * 3)
    assert {2, 3} == {slot for slot, _ in found.moves}
    assert 90.0 == max(found.after.loads)
    assert "slot 1 alone has" in found.reason
    assert "hot keys" in found.reason


def test_many_nodes_are_planned_for() -> None:
    """All slots loaded: everyone is within the target but those with one slot too hot."""
    random = np.random.default_rng(1)
    loads = random.permutation(1 / np.arange(1, SLOTS + 1) ** 0.6)
    owners = even(40)
    found = choose_moves(owners, loads, random.lognormal(12, 1, SLOTS), [None] * 40, target=1.1)
    mean = found.before.mean
    heaviest = np.zeros(40)
    np.maximum.at(heaviest, owners, loads)
    assert found.before.imbalance > 1.3
    limits = np.maximum(1.1 * mean, heaviest)
    assert (np.array(found.after.loads) <= limits * (1 + 1e-6)).all()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(2, 6),
    st.dictionaries(
        st.integers(0, SLOTS - 1),
        st.tuples(st.floats(0, 1e6), st.floats(0, 1e9)),
        max_size=40,
    ),
    st.sampled_from([1.0, 1.05, 1.3]),
)
def test_a_plan_keeps_its_promises(
    nodes: int, slots: dict[int, tuple[float, float]], target: float
) -> None:
    """No worse than before, rooms kept, the balance as told, the same plan for the same input."""
    loads, sizes = np.zeros(SLOTS), np.zeros(SLOTS)
    for slot, (load, size) in slots.items():
        loads[slot], sizes[slot] = load, size
    owners, room = even(nodes), [None, *[5e8] * (nodes - 1)]
    found = choose_moves(owners, loads, sizes, room, target=target, trigger=1.4)
    assert found == choose_moves(owners, loads, sizes, room, target=target, trigger=1.4)
    after = owners.copy()
    for slot, node in found.moves:
        assert after[slot] != node
        after[slot] = node
    assert balance_of(after, loads, nodes) == found.after
    assert found.after.imbalance <= found.before.imbalance * (1 + 1e-9)
    for node in range(1, nodes):
        assert sum(sizes[slot] for slot, to in found.moves if to == node) <= 5e8 * (1 + 1e-6)
    assert found.fewest_bytes <= found.bytes + 1


def test_limits_that_cannot_be_are_refused() -> None:
    """A trigger below the target would move for ever."""
    with pytest.raises(augury.ConfigError, match="not below the target"):
        choose_moves(even(2), np.ones(SLOTS), np.ones(SLOTS), [None] * 2, target=1.2, trigger=1.1)
