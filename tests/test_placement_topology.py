"""Who has which slots, from what nodes say, whatever they say."""

import io
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import augury
from augury.placement import Node, Plan, Topology
from augury.placement.topology import ranges_of, read_nodes, slot_of

NODES = """\
a1 10.0.0.1:7000@17000,one.example myself,master - 0 0 1 connected 0-5460 [77->-b2] [88-<-b2]
b2 10.0.0.2:7000@17000 master - 0 0 2 connected 5461-10922 16383
c3 [::1]:7000@17000 slave a1 0 0 1 connected
d4 :0@0 master,noaddr - 0 0 4 disconnected
e5 :7003@17003 master - 0 0 3 connected 10923-16382
"""


def test_primaries_and_their_slots_are_read() -> None:
    """Replicas are counted, half-moved slots noted, one without an address is the one asked."""
    found = read_nodes(NODES, "asked")
    assert ["a1", "b2", "e5"] == [node.id for node in found.nodes]
    assert ["10.0.0.1:7000", "10.0.0.2:7000", "asked:7003"] == [
        node.address for node in found.nodes
    ]
    assert [1, 0, 0] == [node.replicas for node in found.nodes]
    assert ((5461, 10922), (16383, 16383)) == found.nodes[1].ranges
    assert frozenset({77, 88}) == found.open_slots
    assert 0 == found.owners().count(None)


def test_a_failed_primary_with_slots_is_an_error() -> None:
    """Its slots are nobody's until its replica takes over."""
    with pytest.raises(augury.ClusterError, match="does not answer its fellows"):
        read_nodes(NODES.replace("master - 0 0 2", "master,fail - 0 0 2"), "asked")


@given(st.text(max_size=200) | st.sampled_from(NODES.splitlines()).flatmap(
    lambda line: st.lists(st.sampled_from([*line.split(), "", "0-99999", "9-1", "[1->-x]", "-"]),
                          max_size=12).map(" ".join)))  # fmt: skip
def test_no_answer_does_harm(text: str) -> None:
    """It is a topology with sound slots, or an error of ours."""
    try:
        found = read_nodes(text, "asked")
    except augury.ClusterError:
        return
    assert 16_384 == len(found.owners())


@given(st.sets(st.integers(0, 16_383), max_size=50))
def test_ranges_hold_their_slots(slots: set[int]) -> None:
    """All of them, no other, and in as few stretches as can be."""
    ranges = ranges_of(slots)
    assert sorted(slots) == [slot for a, b in ranges for slot in range(a, b + 1)]
    assert all(b + 1 < c for (_, b), (c, _) in itertools.pairwise(ranges))
    topology = Topology((Node("a", "h", 1, ranges), Node("b", "h", 2)))
    assert topology == Topology.from_dict(json.loads(json.dumps(topology.to_dict())))


@pytest.mark.parametrize(
    ("key", "slot"),
    [(b"123456789", 12739), (b"{}a", 10875), (b"a{b}c", 3300), (b"{a", 10276), (b"", 0)],
)
def test_slots_are_those_of_the_specification(key: bytes, slot: int) -> None:
    """The check value of CRC16 (0x31C3), and hash tags; an empty tag is none."""
    redis = pytest.importorskip("redis.crc")
    assert slot == slot_of(key) == redis.key_slot(key)
    assert 0x31C3 == slot_of(b"123456789")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    ),
    st.sampled_from(
        ["augury_plan", "made", "valid_until", "topology", "moves", "hot_keys", "nodes_before",
         "bytes", "basis", "fingerprint"]
    ),
)  # fmt: skip
def test_no_plan_does_harm(value: object, field: str) -> None:
    """Whatever is edited into one field: a plan that says the same of its moves, or an error."""
    topology = Topology((Node("a", "h", 1, ((0, 16_383),)), Node("b", "h", 2)))
    sound = Plan(1.0, 2.0, "cpu", topology, (), (), {"a": 1.0}, {"a": 1.0}, 0, 0, "", {})
    path = Path("plan.json")
    with pytest.MonkeyPatch.context() as patch:
        text = json.dumps(sound.to_dict() | {field: value}).encode()
        patch.setattr(Path, "open", lambda *_: io.BytesIO(text))
        try:
            found = Plan.load_from(path)
        except augury.ConfigError:
            return
    assert () == found.moves
    assert found.made <= found.valid_until
