"""Forecasts of load by slot, and placement of slots by them.

- Forecasts: theta, seasonal naive and naive on windows held out, three times each. Series are of
  the recorded traces that have times (keys to slots by CRC16, 96 windows, the last eight held out,
  a season only where two days are seen), and of 64 tenants over 14 days of hours, counted, so with
  noise, 12 hours held out. MASE is over the error of the seasonal naive forecast within the series
  (naive without a season); below 1 is better than that.
- Drift: the tenants' loads for 28 days on three nodes, a plan every day for the day to come: by
  the forecast, by the day before as it was, and even slots. Imbalance is the busiest node's load of
  a day over the mean; bytes are those of the slots moved, 1 MB each on average.
- Cluster: three processes of valkey-server, 64 tenants whose shares drift, 2,000 requests per
  second, 5% of them writes. Watched for three seasons of 16 windows with even slots, planned by
  bytes per slot, moved atomically under load, and measured for a season. Requests are those that
  the nodes have executed; failures are errors that reach the caller; wrong answers are not what was
  stored.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from examples.cluster.servers import cluster
from examples.cluster.workload import Workload, driving, fill, requests_by_node

from augury.placement import (
    History,
    Nodes,
    Store,
    apply_plan,
    balance_of,
    choose_moves,
    forecast,
    history_of,
    judge,
    make_plan,
    read_windows,
    watch,
)
from augury.placement.topology import SLOTS, slot_of
from benchmarks import results
from benchmarks.inputs import RECORD, Shared

TRACES = ("twitter_cluster52", "mooncake_conversation", "cloudphysics_io", "yoochoose_100k")
WINDOWS, HELD_OUT, ORIGINS = 96, 8, 3
NODES, TENANTS, DAY = 3, 64, 24
#: Of a drawn workload: what a tenant's load changes by from day to day, as a standard deviation.
DAILY = 0.08
SEASON, PER_SEASON, RATE = 8.0, 16, 2_000
TARGET, TRIGGER = 1.03, 1.1


def measure(quick: bool) -> None:
    """Measure everything and keep it."""
    content = {
        "forecasts": forecasts(quick),
        "drift": drift(8 if quick else 28),
        "cluster": on_a_cluster(3.0 if quick else SEASON),
    }
    results.write("placement", quick, content)


def forecasts(quick: bool) -> list[dict[str, Any]]:
    """The errors of all methods on every series."""
    origins = 1 if quick else ORIGINS
    names = TRACES[1:2] if quick else TRACES
    rows = []
    for name in names:
        history = of_trace(name)
        rows += judged(name, history, "requests", HELD_OUT, origins)
    rows += judged("tenants", of_tenants(14), "requests", 12, origins)
    return rows


def judged(
    name: str, history: History, load: str, horizon: int, origins: int
) -> list[dict[str, Any]]:
    """One row for each method."""
    found = judge(history, load, horizon=horizon, origins=origins)
    for one in found:
        print(f"placement: {name} {one.method}: MASE {one.mase:.3f}, sMAPE {one.smape:.3f}")
    return [{"series": name, "slots": len(history.slots), **one.to_dict()} for one in found]


def of_trace(name: str) -> History:
    """Requests by slot and window of a recorded trace."""
    with Shared.find().uncompressed(name) as path:
        records = np.fromfile(path, RECORD)
    ids, places = np.unique(records["id"], return_inverse=True)
    slots = np.array([slot_of(str(one).encode()) for one in ids.tolist()])[places]
    seconds = records["t"].astype(np.float64)
    span = seconds.max() - seconds.min() + 1
    windows = np.minimum((seconds - seconds.min()) * WINDOWS / span, WINDOWS - 1).astype(int)
    counts = np.zeros((WINDOWS, SLOTS), np.float32)
    np.add.at(counts, (windows, slots), 1)
    used = np.flatnonzero(counts.any(axis=0))
    return History(float(span / WINDOWS), 0.0, used, {"requests": counts[:, used]})


def of_tenants(days: int, seed: int = 1) -> History:
    """Requests by hour of tenants with days, whose loads grow and shrink from day to day."""
    random = np.random.default_rng(seed)
    workload = Workload.skewed(86_400.0)
    hours = np.arange(days * DAY)
    columns = []
    for tenant in workload.tenants:
        steps = np.cumsum(random.normal(0, DAILY / np.sqrt(DAY), len(hours)))
        mean = np.array([tenant.weight(hour / DAY) for hour in hours.tolist()]) * np.exp(steps)
        columns.append(random.poisson(5_000 * mean))
    slots = np.array([tenant.slot for tenant in workload.tenants])
    order = np.argsort(slots)
    counts = np.stack(columns, axis=1)[:, order].astype(np.float32)
    return History(3_600.0, 0.0, slots[order], {"requests": counts})


def drift(days: int) -> list[dict[str, Any]]:
    """Daily imbalance and bytes moved, by how slots are placed."""
    first = 7
    history = of_tenants(first + days)
    loads = history.of("requests")
    sizes = np.zeros(SLOTS)
    sizes[history.slots] = np.random.default_rng(2).exponential(1e6, len(history.slots))
    rows = []
    for way in ("even slots", "the day before", "forecast"):
        owners = np.arange(SLOTS) * NODES // SLOTS
        imbalances, moved = [], []
        for day in range(first, first + days):
            known = history.before(len(loads) - day * DAY)
            if way != "even slots":
                method = "theta" if way == "forecast" else "seasonal naive"
                told = forecast(known, "requests", horizon=DAY, method=method)
                expected = np.zeros(SLOTS)
                expected[told.slots] = told.loads.mean(axis=0)
                plan = choose_moves(
                    owners, expected, sizes, [None] * NODES, target=TARGET, trigger=TRIGGER
                )
                moved.append(plan.bytes)
                for slot, node in plan.moves:
                    owners[slot] = node
            actual = np.zeros(SLOTS)
            actual[history.slots] = loads[day * DAY : (day + 1) * DAY].mean(axis=0)
            imbalances.append(balance_of(owners, actual, NODES).imbalance)
        rows.append(
            {
                "way": way,
                "days": days,
                "mean": float(np.mean(imbalances)),
                "worst": float(np.max(imbalances)),
                "plans": sum(1 for octets in moved if octets),
                "bytes": int(sum(moved)),
            }
        )
        print(f"placement: {way}: {rows[-1]['mean']:.3f}, {rows[-1]['bytes']:,} bytes")
    return rows


def on_a_cluster(season: float) -> dict[str, Any]:
    """Even slots and a plan, under one workload."""
    workload = Workload.skewed(season, NODES, TENANTS)
    with (
        tempfile.TemporaryDirectory() as folder,
        cluster(NODES) as members,
        Nodes(members[0].url) as nodes,
    ):
        stored = fill(members, workload)
        with driving(members, workload, RATE) as driven:
            begun = requests_by_node(members)
            with Store(Path(folder)) as store:
                watch(nodes, store.append, every=season / PER_SEASON, windows=3 * PER_SEASON)
            even = apart(begun, requests_by_node(members))
            history = history_of(read_windows(Path(folder)))
            told = forecast(history, "bytes", horizon=PER_SEASON, season=PER_SEASON * history.every)
            plan = make_plan(nodes, history, told, target=TARGET, trigger=TRIGGER)
            came = apply_plan(nodes, plan)
            begun = requests_by_node(members)
            time.sleep(season)
            placed = apart(begun, requests_by_node(members))
    found = {
        "nodes": NODES,
        "tenants": TENANTS,
        "requests": driven.requests,
        "failures": len(driven.failures),
        "wrong_answers": driven.wrong,
        "even": even,
        "placed": placed,
        "even_imbalance": imbalance(even),
        "placed_imbalance": imbalance(placed),
        "expected_imbalance": plan.imbalance(plan.after),
        "stored_bytes": stored,
        "moved_slots": len(came.moved),
        "moved_bytes": came.bytes,
        "fewest_bytes": plan.fewest_bytes,
        "moving_seconds": round(came.seconds, 3),
    }
    print(
        f"placement: a cluster: {found['even_imbalance']:.3f} with even slots, "
        f"{found['placed_imbalance']:.3f} after {came.bytes:,} bytes; "
        f"{found['failures']} of {driven.requests:,} requests failed"
    )
    return found


def apart(before: list[int], after: list[int]) -> list[int]:
    """Requests of each node between two looks."""
    return [now - then for then, now in zip(before, after, strict=True)]


def imbalance(counts: list[int]) -> float:
    """The largest over the mean."""
    return max(counts) * len(counts) / max(sum(counts), 1)
