"""The simulation of many near caches: its laws, on small traffic; and its page."""

import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.scale import chart, page
from benchmarks.scale.limits import shares
from benchmarks.scale.simulation import Setting, Traffic, World, simulate, traffic_of

SETTING = Setting(caches=20, nodes=5, rate=100, writes=0.0, capacity=10**6, simulated=2)


def traffic(requests: int = 4_000, objects: int = 50) -> Traffic:
    """Every object in turn."""
    keys = np.arange(requests, dtype=np.int64) % objects
    return traffic_of(keys, np.full(requests, 100), of=1)


def test_without_writes_nothing_is_fetched_twice() -> None:
    """A cache that holds everything, once it is warm; nobody is told of anything."""
    found = simulate(traffic(), SETTING)
    assert (1.0, 0.0, 0.0, 0.0) == (
        found.hit_ratio, found.fetches, found.invalidations, found.stale
    )  # fmt: skip
    # Each of 20 caches has read 50 objects.
    assert 1_000 == found.tracked


def test_a_cache_that_holds_nothing_fetches_everything() -> None:
    """So many fetches as there are requests; they are remembered all the same."""
    found = simulate(traffic(), replace(SETTING, capacity=100))
    assert found.hit_ratio < 0.05
    assert pytest.approx(20 * 100, rel=0.1) == found.fetches


def test_writes_are_told_to_those_who_have_read() -> None:
    """At most all caches for each; and each is fetched again, so fetches are as many."""
    found = simulate(traffic(20_000), replace(SETTING, writes=0.01))
    assert 20 * 100 * 0.01 == found.writes
    assert 0.3 * found.broadcast < found.invalidations <= found.broadcast
    assert pytest.approx(found.invalidations, rel=0.15) == found.fetches
    assert found.stale < 0.01
    assert asdict(found) == asdict(simulate(traffic(20_000), replace(SETTING, writes=0.01)))


def test_a_value_overtaken_on_its_way_is_not_kept() -> None:
    """Fetched, overwritten, invalidated, and only then there."""
    world = World(SETTING, 10_000)
    assert world.read(0, 7, 100)
    assert not world.read(0, 7, 100)
    assert {0} == world.write(7)
    world.invalidate(0, 7)
    world.arrive(0, 7, 100, 0)
    assert None is world.near[0].get(7)
    assert 1 == world.counts["crossed"]
    assert world.read(0, 7, 100)
    world.arrive(0, 7, 100, 1)
    assert (1, 100) == world.near[0].get(7)
    assert set() == world.write(8)


def test_the_page_names_what_breaks_first(tmp_path: Path) -> None:
    """The limit that is used most; the tables have a line for each case; the picture is drawn."""
    found = simulate(traffic(), replace(SETTING, writes=0.01))
    rows = [
        {"capacity": capacity << 20, "write_share": writes, **asdict(found)}
        for capacity in (1, 4)
        for writes in (0.001, 0.01)
    ]
    rows[-1]["tracked"] = 5 * 2**30 / 10 * 2
    part = {
        "setting": {"caches": 20, "nodes": 5, "rate": 100, "trace": "t"},
        "costs": {"read": 1_000.0, "invalidation": 500.0, "pair_bytes": 10.0},
        "cells": rows,
    }
    assert 2.0 == shares(rows[-1], part["costs"], part["setting"], "invalidations")[
        "node memory for readers"
    ]  # fmt: skip
    text = page.page_of(part)
    assert "**node memory for readers** is the first to break, at 200% with 1.00% writes" in text
    assert "| 4 MiB, 1.00% |" in text
    assert "| 0.10% writes, everybody is told |" in text
    assert "Not measured." in page.scale_section(None)
    chart.draw(rows, tmp_path / "scale.svg")
    assert "millions per second" in (tmp_path / "scale.svg").read_text()
