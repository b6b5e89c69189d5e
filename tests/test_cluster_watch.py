"""Watching a real cluster, and what the command prints of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.cluster.servers import Member, cluster, until

import augury
from augury.placement import Nodes, Window, watch
from augury.placement.topology import slot_of
from augury.placement.watching import look_at, window_between
from clusters import asking, needs_valkey
from small_traces import Run

pytestmark = needs_valkey
KEYS = ["{a}1", "{b}1", "{c}1"]
PLACES = [slot_of(key.encode()) for key in KEYS]


@pytest.fixture(scope="module")
def members() -> Iterator[list[Member]]:
    """Three nodes."""
    with cluster() as found:
        yield found


def test_what_was_asked_is_in_the_windows(members: list[Member]) -> None:
    """The slots of the keys and no other; of the requests all, and a few of others' commands."""
    with Nodes(members[0].url) as nodes:
        before = look_at(nodes)
        with asking(members, KEYS) as asked:
            until(lambda: asked[0] >= 1_000)
        after = look_at(nodes)
    window = window_between(before, after)
    assert set(PLACES) == set(window.loads)
    cpu, octets, requests = (sum(part) for part in zip(*window.loads.values(), strict=True))
    assert asked[0] <= requests <= asked[0] + 100
    assert cpu > 0
    # On the wire a GET of a key of four bytes is 23, and the word that there is nothing 3.
    assert octets == asked[0] * (23 + 3)
    assert 16_384 == sum(b - a + 1 for ranges in window.owners.values() for a, b in ranges)


def test_a_slot_that_moves_counts_from_its_arrival(members: list[Member]) -> None:
    """Nothing is lost or counted twice, and the window says who has it."""
    slot = PLACES[0]
    with Nodes(members[0].url) as nodes:
        before = look_at(nodes)
        owner = next(node for node in before.topology.nodes if slot in before.counters[node.id])
        other = next(node for node in before.topology.nodes if node is not owner)
        counters = {one: dict(table) for one, table in before.counters.items()}
        counters[other.id][slot] = (40, 400)
        del counters[owner.id][slot]
    moved = type(before)(
        before.time + 1,
        before.topology.moved([(slot, other.id)]),
        before.commands | {other.id: before.commands[other.id] + 10},
        counters,
    )
    window = window_between(before, moved)
    assert {slot: (40, 400, 10.0)} == window.loads
    assert any(first <= slot <= last for first, last in window.owners[other.id])


def test_counting_has_to_be_on(members: list[Member]) -> None:
    """Else the error says what to set; a watch that has begun goes on."""
    troubles: list[augury.ClusterError] = []
    kept: list[Window] = []

    def note(error: augury.ClusterError) -> None:
        troubles.append(error)
        members[1].ask("CONFIG", "SET", "cluster-slot-stats-enabled", "yes")

    with Nodes(members[0].url) as nodes:

        def keep(window: Window) -> None:
            kept.append(window)
            if len(kept) == 1:
                members[1].ask("CONFIG", "SET", "cluster-slot-stats-enabled", "no")

        assert 3 == watch(nodes, keep, every=0.1, windows=3, troubled=note)
        assert "cluster-slot-stats-enabled yes" in str(troubles[0])
        members[1].ask("CONFIG", "SET", "cluster-slot-stats-enabled", "no")
        with pytest.raises(augury.ClusterError, match="cluster-slot-stats-enabled yes"):
            look_at(nodes)
        members[1].ask("CONFIG", "SET", "cluster-slot-stats-enabled", "yes")


def test_nobody_there_is_an_error() -> None:
    """With the address; a URL that is none is asked for wrongly."""
    with Nodes("redis://127.0.0.1:1") as nodes, pytest.raises(augury.ClusterError, match=":1: "):
        nodes.topology()
    with pytest.raises(augury.ConfigError, match="is no URL"):
        Nodes("http://127.0.0.1:1")


def test_watch_and_forecast_print_what_they_found(
    members: list[Member], augury: Run, tmp_path: Path
) -> None:
    """As a newcomer runs them: a table, JSON, and the way out where there is too little."""
    folder = tmp_path / "load"
    with asking(members, KEYS):
        done = augury(
            "cluster", "watch", members[0].url, folder, "--every", "0.1s", "--windows", "12"
        )
    assert ("", 0) == (done.stdout, done.returncode)
    assert f"12 windows of 0.1s in {folder}" in done.stderr
    done = augury("cluster", "forecast", folder, "--load", "bytes", "--horizon", "3")
    assert 0 == done.returncode, done.stderr
    assert "bytes of 3 slots, 3 windows of 0." in done.stdout
    assert "seasonal naive" in done.stdout
    done = augury("cluster", "forecast", folder, "--json", "--horizon", "2")
    found = json.loads(done.stdout)
    assert [2] * 3 == [len(loads) for loads in found["slots"].values()]
    done = augury("cluster", "forecast", tmp_path / "none")
    assert 2 == done.returncode
    assert "augury cluster watch" in done.stderr
