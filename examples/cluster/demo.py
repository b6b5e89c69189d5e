"""The demo, step by step; what each step found is in the report.

Near caches first: readers that hold hot values in their own processes take load from the cluster,
and what they leave is what slots are placed by. Then the cluster is watched with even slots, its
load is forecast, a plan is made and applied under load, and the balance is measured again.
"""

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

import augury
from augury.placement import (
    Accuracy,
    Nodes,
    Plan,
    Store,
    apply_plan,
    forecast,
    history_of,
    judge,
    make_plan,
    read_windows,
    watch,
)
from examples.cluster.servers import Member, cluster
from examples.cluster.workload import Driven, Workload, driving, fill, requests_by_node

__all__ = ["Report", "run"]

NODES = 3
#: Windows in a season, and seasons that are watched.
WINDOWS, WATCHED = 8, 3
#: Reads by way of a near cache.
READS = 2_000
TARGET, TRIGGER = 1.03, 1.1


@dataclass(frozen=True)
class Report:
    """What was found."""

    #: Of the reads through a near cache, those that the cluster did not see.
    near_hit_ratio: float
    even: list[int]
    placed: list[int]
    plan: Plan
    errors: list[Accuracy]
    #: Slots and bytes that were moved, and how long it took.
    moved: int
    bytes: int
    seconds: float
    driven: Driven

    @staticmethod
    def imbalance(counts: Sequence[int]) -> float:
        """The busiest node's requests over the mean."""
        return max(counts) * len(counts) / max(sum(counts), 1)


def run(
    season: float = 6.0,
    tenants: int = 32,
    rate: int = 1_000,
    say: Callable[[str], Any] = print,
) -> Report:
    """Everything, from starting a cluster to removing it.

    Args:
        season: Seconds of the tenants' day.
        tenants: How many.
        rate: Requests per second.
        say: Told what is done next.
    """
    workload = Workload.skewed(season, NODES, tenants)
    say(f"starting a cluster of {NODES} nodes")
    with cluster(NODES) as members, Nodes(members[0].url) as nodes:
        stored = fill(members, workload)
        say(f"{tenants} tenants, {stored:,} bytes, on " + ", ".join(one.url for one in members))
        near = read_near(members, workload)
        say(f"a near cache answers {near:.1%} of {READS:,} reads")
        with driving(members, workload, rate) as driven, tempfile.TemporaryDirectory() as folder:
            say(f"watching {WATCHED} seasons of {season:g} s with even slots")
            before = requests_by_node(members)
            with Store(Path(folder)) as store:
                watch(nodes, store.append, every=season / WINDOWS, windows=WATCHED * WINDOWS)
            even = since(before, members)
            history = history_of(read_windows(Path(folder)))
            given = {"horizon": WINDOWS, "season": WINDOWS * history.every}
            told = forecast(history, "bytes", **given)  # type: ignore[arg-type]
            errors = judge(history, "bytes", **given)  # type: ignore[arg-type]
            plan = make_plan(nodes, history, told, errors, target=TARGET, trigger=TRIGGER)
            say(f"moving {len(plan.moves)} slots under load")
            came = apply_plan(nodes, plan)
            say(f"measuring {season:g} s after the plan")
            before = requests_by_node(members)
            time.sleep(season)
            placed = since(before, members)
    say("the cluster is gone")
    return Report(
        near, even, placed, plan, errors, len(came.moved), came.bytes, came.seconds, driven
    )


def read_near(members: Sequence[Member], workload: Workload) -> float:
    """The share of reads that a near cache answers."""
    draw = random.Random(7)
    before = sum(requests_by_node(members))
    with (
        redis.RedisCluster(host="127.0.0.1", port=members[0].port) as client,
        augury.NearCache(client, "8 MB") as near,
    ):
        near.wait()
        for key, _ in workload.requests(draw, 0.0, READS):
            if near.get(key) != workload.value(key):
                raise RuntimeError(f"{key} is not what was stored")
    return 1 - (sum(requests_by_node(members)) - before) / READS


def since(before: Sequence[int], members: Sequence[Member]) -> list[int]:
    """Requests of each node since then."""
    return [now - then for then, now in zip(before, requests_by_node(members), strict=True)]
