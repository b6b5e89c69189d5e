"""Plans for a real cluster, and their execution under load, whatever comes between."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean

import pytest
from examples.cluster.servers import Member, cluster, until
from examples.cluster.workload import Workload, driving, fill, requests_by_node

import augury
from augury.placement import (
    Move,
    Nodes,
    Plan,
    Store,
    apply_plan,
    forecast,
    history_of,
    make_plan,
    read_windows,
    remaining,
    sample_keys,
    watch,
)
from augury.placement.migrating import carry
from augury.placement.topology import slot_of
from clusters import needs_valkey
from small_traces import Run

pytestmark = needs_valkey
SEASON, WINDOWS = 4.0, 8
DRAWN = Workload.skewed(SEASON, tenants=24)
#: A season is short and a busy machine slow: growth per season would be the test's own doing.
WORKLOAD = replace(DRAWN, tenants=tuple(replace(one, growth=0.0) for one in DRAWN.tenants))


@pytest.fixture
def members() -> Iterator[list[Member]]:
    """Three nodes with the data of all tenants, fresh for every test."""
    with cluster() as found:
        fill(found, WORKLOAD)
        yield found


@pytest.fixture
def nodes(members: list[Member]) -> Iterator[Nodes]:
    """Connections to them."""
    with Nodes(members[0].url) as found:
        yield found


def imbalance(counts: list[int]) -> float:
    """The largest over the mean."""
    return max(counts) / mean(counts)


def asked(members: list[Member], seconds: float) -> list[int]:
    """Requests of each node in so many seconds."""
    before = requests_by_node(members)
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end)
    return [now - then for then, now in zip(before, requests_by_node(members), strict=True)]


def planned(nodes: Nodes, moves: list[tuple[int, str]]) -> Plan:
    """A plan of these moves, of slots to nodes, made now."""
    topology = nodes.topology()
    owners = topology.owners()
    loads = dict.fromkeys((node.id for node in topology.nodes), 1.0)
    listed = tuple(Move(slot, str(owners[slot]), target, 1.0, 100_000) for slot, target in moves)
    now = time.time()
    return Plan(now, now + 600, "cpu", topology, listed, (), loads, loads, 0, 0, "a test", {})


def everything_is_there(members: list[Member]) -> bool:
    """Every key at its node, once, with its value."""
    import redis

    with redis.RedisCluster(host="127.0.0.1", port=members[0].port) as client:
        keys = [key for tenant in WORKLOAD.tenants for key in WORKLOAD.keys(tenant)]
        right = all(client.get(key) == WORKLOAD.value(key) for key in keys)
    return right and len(keys) == sum(member.ask("DBSIZE") for member in members)


def test_a_plan_balances_what_even_slots_do_not(
    members: list[Member], nodes: Nodes, tmp_path: Path
) -> None:
    """Under load that swells and falls: at most half as uneven, and no request fails."""
    with driving(members, WORKLOAD, rate=1_000) as driven:
        before = requests_by_node(members)
        with Store(tmp_path) as store:
            watch(nodes, store.append, every=SEASON / WINDOWS, windows=3 * WINDOWS)
        even = [now - then for then, now in zip(before, requests_by_node(members), strict=True)]
        history = history_of(read_windows(tmp_path))
        told = forecast(history, "bytes", horizon=WINDOWS, season=WINDOWS * history.every)
        plan = make_plan(nodes, history, told, target=1.03, trigger=1.1)
        came = apply_plan(nodes, plan, rate=4 << 20)
        placed = asked(members, SEASON)
        again = make_plan(nodes, history, told, target=1.03, trigger=1.1)
    assert ([], 0) == (driven.failures, driven.wrong)
    assert imbalance(even) > 1.4
    # What quiet machines come to is measured by the part `placement` of the benchmarks.
    assert imbalance(placed) - 1 < (imbalance(even) - 1) / 2
    assert (plan.moves, 0) == (tuple(sorted(came.moved, key=lambda one: one.slot)), came.left)
    assert 0 < plan.bytes < sum(len(WORKLOAD.value(key)) + 100 for key in every_key()) / 2
    assert () == again.moves
    assert everything_is_there(members)


def every_key() -> list[str]:
    """Of all tenants."""
    return [key for tenant in WORKLOAD.tenants for key in WORKLOAD.keys(tenant)]


def test_an_apply_that_was_killed_goes_on(
    members: list[Member], nodes: Nodes, tmp_path: Path
) -> None:
    """By the command: killed after a few batches, run again, and all is where it is to be."""
    topology = nodes.topology()
    target = topology.nodes[0].id
    slots = [tenant.slot for tenant in WORKLOAD.tenants]
    owners = topology.owners()
    moves = [(slot, target) for slot in slots if owners[slot] != target]
    path = tmp_path / "plan.json"
    planned(nodes, moves).save(path)
    command = [sys.executable, "-m", "augury", "cluster", "apply", members[1].url, str(path)]
    with driving(members, WORKLOAD, rate=300) as driven:
        process = subprocess.Popen(
            [*command, "--execute", "--rate", "0.2"], stderr=subprocess.DEVNULL
        )
        until(lambda: len(remaining(Plan.load_from(path), nodes.told_by(nodes.seed))) < len(moves))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        left = len(remaining(Plan.load_from(path), nodes.told_by(nodes.seed)))
        done = subprocess.run(
            [*command, "--execute", "--json"], capture_output=True, text=True, check=True
        )
    assert 0 < left < len(moves)
    found = json.loads(done.stdout)
    assert len(moves) == found["done_before"] + len(found["moved"])
    assert found["done_before"] > 0
    assert ([], 0) == (driven.failures, driven.wrong)
    now = nodes.topology().owners()
    assert {target} == {now[slot] for slot, _ in moves}
    assert everything_is_there(members)


def test_slots_move_without_atomic_migration_too(members: list[Member], nodes: Nodes) -> None:
    """By SETSLOT and MIGRATE, under load; one that was cut off after the first steps is ended."""
    topology = nodes.topology()
    slot = WORKLOAD.tenants[0].slot
    source = topology.node(str(topology.owners()[slot]))
    target, other = (node for node in topology.nodes if node.id != source.id)
    with driving(members, WORKLOAD, rate=300) as driven:
        until(lambda: driven.requests > 100)
        nodes.ask(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        nodes.ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
        assert frozenset({slot}) == nodes.topology().open_slots
        with pytest.raises(augury.ClusterError, match="half moved by somebody else"):
            remaining(planned(nodes, []), nodes.topology())
        carry(nodes, source, target, slot, [other])
        so_far = driven.requests
        until(lambda: driven.requests > so_far + 300)
    assert target.id == nodes.topology().owners()[slot]
    assert frozenset() == nodes.topology().open_slots
    assert ([], 0) == (driven.failures, driven.wrong)
    assert everything_is_there(members)


def test_stale_plans_are_refused(members: list[Member], nodes: Nodes) -> None:
    """Time over, a slot elsewhere, other primaries: none is begun."""
    topology = nodes.topology()
    plan = planned(nodes, [(0, topology.nodes[1].id if topology.nodes[0].ranges[0][0] == 0
                            else topology.nodes[0].id)])  # fmt: skip
    plan = replace(plan, moves=tuple(one for one in plan.moves if one.source != one.target))
    with pytest.raises(augury.ClusterError, match="time ended"):
        remaining(plan, topology, plan.valid_until + 1)
    elsewhere = topology.moved([(9_000, other_than(topology.owners()[9_000], nodes))])
    with pytest.raises(augury.ClusterError, match="slot 9000 is at"):
        remaining(plan, elsewhere)
    fewer = replace(topology, nodes=topology.nodes[:2])
    with pytest.raises(augury.ClusterError, match="2 primaries"):
        remaining(plan, fewer)
    assert list(plan.moves) == remaining(plan, topology)
    move = plan.moves[0]
    assert [] == remaining(plan, topology.moved([(move.slot, move.target)]))


def test_a_failover_makes_a_plan_stale() -> None:
    """Another primary has the slots: a plan for the old one is not begun."""
    with (
        cluster(3, "--repl-diskless-sync-delay", "0", replicas=1) as members,
        Nodes(members[1].url) as nodes,
    ):
        plan = planned(nodes, [])
        assert [1, 0, 0] == sorted((node.replicas for node in plan.topology.nodes), reverse=True)
        replica = members[3]
        with replica.client() as client:
            until(lambda: client.info("replication")["master_link_status"] == "up")
        replica.ask("CLUSTER", "FAILOVER")
        before = plan.topology.fingerprint()
        until(lambda: nodes.told_by(nodes.seed).fingerprint() != before)
        with pytest.raises(augury.ClusterError, match="3 primaries, 1 of them not in the plan"):
            remaining(plan, nodes.told_by(nodes.seed))


def other_than(owner: str | None, nodes: Nodes) -> str:
    """Another primary."""
    return next(node.id for node in nodes.topology().nodes if node.id != owner)


def test_plans_are_checked_when_they_are_read(nodes: Nodes, tmp_path: Path) -> None:
    """They read back as they were; what was edited into nonsense is refused with the reason."""
    slot = WORKLOAD.tenants[0].slot
    plan = planned(nodes, [(slot, other_than(nodes.topology().owners()[slot], nodes))])
    path = tmp_path / "plan.json"
    plan.save(path)
    read = Plan.load_from(path)
    assert (plan.moves, plan.topology.fingerprint()) == (read.moves, read.topology.fingerprint())
    whole = plan.to_dict()
    moves = whole["moves"]
    for broken in (
        [], "text", {}, whole | {"augury_plan": 2}, whole | {"fingerprint": "0"},
        whole | {"moves": moves + moves}, whole | {"moves": [moves[0] | {"slot": 99_999}]},
        whole | {"moves": [moves[0] | {"target": "nobody"}]}, whole | {"topology": None},
        whole | {"moves": [moves[0] | {"bytes": -1}]}, whole | {"hot_keys": [{"key": 1}]},
    ):  # fmt: skip
        path.write_text(json.dumps(broken))
        with pytest.raises(augury.ConfigError, match="is no plan"):
            Plan.load_from(path)
    path.write_bytes(b"\xff{")
    with pytest.raises(augury.ConfigError, match="is no plan"):
        Plan.load_from(path)


def test_hot_keys_are_named(members: list[Member], nodes: Nodes) -> None:
    """A key that is read all the time, with its slot; not one that is written as often."""
    import threading

    import redis

    stop = threading.Event()

    def ask() -> None:
        with redis.RedisCluster(host="127.0.0.1", port=members[0].port) as client:
            while not stop.is_set():
                client.get("hot:1")
                client.get("hot:1")
                client.get("busy:2")
                client.set("busy:2", "x")

    worker = threading.Thread(target=ask)
    worker.start()
    try:
        sample = sample_keys(nodes, nodes.topology(), 0.5)
    finally:
        stop.set()
        worker.join()
    [found] = sample.hot_keys(3)
    assert ("hot:1", slot_of(b"hot:1")) == (found.key, found.slot)
    assert found.reads_per_second > 10
    assert found.share_of_slot > 0.9


def test_the_command_plans_and_applies(
    members: list[Member], nodes: Nodes, augury: Run, tmp_path: Path
) -> None:
    """As in the documentation: watch, plan, look, execute; without --execute nothing moves."""
    load, path = tmp_path / "load", tmp_path / "plan.json"
    url = members[0].url
    with driving(members, WORKLOAD, rate=500):
        done = augury("cluster", "watch", url, load, "--every", "0.3s", "--windows", "8")
        assert 0 == done.returncode, done.stderr
        done = augury(
            "cluster", "plan", url, load, "-o", path, "--load", "bytes", "--horizon", "2",
            "--hot-keys", "0.2s",
        )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    assert "bytes of the busiest node over the mean: " in done.stdout
    assert "bytes to move" in done.stdout
    moves = json.loads(path.read_text())["moves"]
    assert moves
    before = nodes.topology().fingerprint()
    done = augury("cluster", "apply", url, path)
    assert 0 == done.returncode
    assert f"{len(moves)} slots to move, 0 moved already; nothing was done" in done.stderr
    assert before == nodes.topology().fingerprint()
    done = augury("cluster", "apply", url, path, "--execute")
    assert 0 == done.returncode, done.stderr
    assert f"moved {len(moves)} slots" in done.stderr
    assert everything_is_there(members)


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server")
def test_a_server_without_counts_or_atomic_migration_says_so() -> None:
    """Debian's Redis: slots move all the same, by the classic way; loads cannot be watched."""
    with (
        cluster(2, program=shutil.which("redis-server")) as members,
        Nodes(members[0].url) as nodes,
    ):
        fill(members, WORKLOAD)
        with pytest.raises(augury.ClusterError, match="augury record"):
            watch(nodes, print, every=0.1, windows=1)
        owners = nodes.topology().owners()
        moves = [(one.slot, other_than(owners[one.slot], nodes)) for one in WORKLOAD.tenants[:3]]
        assert 3 == len(apply_plan(nodes, planned(nodes, moves)).moved)
        now = nodes.topology().owners()
        assert moves == [(slot, now[slot]) for slot, _ in moves]
        assert everything_is_there(members)
