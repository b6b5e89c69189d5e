"""`augury size`: what other capacities give, the smallest for a target, the cheapest."""

import csv
import io
import json
from pathlib import Path

import pytest

import augury
from augury import _core
from augury.errors import CapacityError, ConfigError
from augury.laboratory import size
from augury.laboratory.meter import Meter
from small_traces import Run

LOOP = "loop.oracleGeneral"
SKEWED = "skewed.oracleGeneral"
SIZED = "sized.oracleGeneral"


def test_points_are_those_of_replays(folder: Path) -> None:
    """Where nothing is sampled, policy, LRU and bound are what a replay tells."""
    found = size(folder / SKEWED, capacity=200, policy="s3fifo")
    replayed = augury.replay(
        folder / SKEWED, policies="s3fifo,lru,belady", capacity=[100, 200, 400, 800]
    )
    expected = [cell.object_miss_ratio for cell in replayed]
    told = [
        ratio for point in found.points for ratio in (
            point.object_miss_ratio, point.lru_object_miss_ratio, point.bound_object_miss_ratio
        )
    ]  # fmt: skip
    assert pytest.approx(expected, abs=1e-12) == told
    assert [(100, 0.0, 1.0), (200, 0.0, 1.0)] == [
        (point.capacity, point.standard_error, point.sampled) for point in found.points[:2]
    ]


def test_the_target_is_reached_and_no_rung_below_reaches_it(folder: Path) -> None:
    """The loop of 100 objects under LRU: nothing below 100 entries hits, and 100 are enough."""
    found = size(folder / LOOP, capacity=10, policy="lru", target_miss_ratio=0.5)
    assert found.target is not None
    assert found.target.point is not None
    assert (100, 1 / 40) == (found.target.point.capacity, found.target.point.object_miss_ratio)


def test_a_target_out_of_reach_is_said(folder: Path) -> None:
    """There is no capacity below the compulsory misses."""
    found = size(folder / LOOP, capacity=10, policy="lru", target_miss_ratio=0.01)
    assert found.target is not None
    assert (None, 1 / 40) == (found.target.point, found.target.least_object_miss_ratio)


def test_the_cheapest_follows_the_prices(folder: Path) -> None:
    """Free misses want the smallest cache tried, free room the largest."""
    chosen = []
    for gb, miss in ((1.0, 0.0), (0.0, 1.0)):
        found = size(
            folder / SIZED, capacity=8_000, policy="lru", price_per_gb_hour=gb,
            price_per_miss=miss, requests_per_second=10,
        )  # fmt: skip
        assert found.cheapest is not None
        assert found.cheapest.cost_per_hour == min(one.cost_per_hour or 0 for one in found.tried)
        chosen.append(found.cheapest.capacity)
    assert [1_000, 64_000] == chosen


def test_a_meter_samples_large_caches_and_knows_its_error() -> None:
    """Every sampled point is within 0.01 and within four standard errors of the replay."""
    trace = _core.Trace("synthetic:zipf-drift?n=1000000&objects=200000&seed=3")
    capacities = [trace.footprint * share // 100 for share in (4, 8, 16, 32)]
    ticker = _core.Ticker()
    meter = Meter(trace, ticker, seed=1, exact=False, capacities=capacities)
    exact = Meter(trace, ticker, seed=1, exact=True, capacities=capacities)
    off = []
    for policy in ("sieve", "s3fifo", "belady"):
        for capacity in capacities:
            told = meter.measure(policy, capacity)
            assert told.sampled < 1
            right = exact.measure(policy, capacity)
            assert (0.0, 1.0) == (right.standard_error, right.sampled)
            error = abs(told.object_miss_ratio - right.object_miss_ratio)
            assert error < 0.01
            off.append(error / told.standard_error)
    assert max(off) < 4


def test_the_command_prints_a_table_json_and_csv(augury: Run) -> None:
    """Three formats of one answer; nothing on standard error."""
    command = ["size", SKEWED, "-c", "100", "-p", "lru", "--target-hit-ratio", "0.5"]
    table = augury(*command)
    assert (0, "") == (table.returncode, table.stderr)
    assert "0.5x" in table.stdout
    assert "An object miss ratio of 0.5 takes" in table.stdout
    found = json.loads(augury(*command, "--format", "json").stdout)
    assert [0.5, 1.0, 2.0, 4.0] == [point["scale"] for point in found["points"]]
    assert (0.5, "lru", None) == (
        found["target"]["object_miss_ratio"], found["policy"], found["cheapest"],
    )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(augury(*command, "--format", "csv").stdout)))
    assert ["scale"] * 4 + ["target"] == [row["role"] for row in rows]
    assert str(found["target"]["point"]["capacity"]) == rows[-1]["capacity"]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--target-miss-ratio", "1.5"], "1.5"),
        (["--target-miss-ratio", "0.5", "--target-hit-ratio", "0.5"], "give one"),
        (["--price-per-miss", "1"], "per GB and hour"),
        (["--price-per-miss", "1", "--price-per-gb-hour", "1"], "--requests-per-second"),
        (
            ["--price-per-miss", "1", "--price-per-gb-hour", "1", "--requests-per-second", "5"],
            "--object-bytes",
        ),
        (["--policy", "lrru"], "did you mean 'lru'"),
        (["--policy", "peer:LRU"], "cannot be sized"),
        (["--capacity", "0"], "at least 1"),
    ],
)
def test_what_cannot_be_is_refused(augury: Run, options: list[str], word: str) -> None:
    """One line on standard error that says the way out, and exit code 2."""
    done = augury("size", LOOP, *options)
    assert (2, "") == (done.returncode, done.stdout)
    assert word in done.stderr
    assert 1 == done.stderr.count("\n")


def test_the_library_refuses_with_its_own_errors(folder: Path) -> None:
    """Errors of the package, which are also the nearest builtin."""
    with pytest.raises(ConfigError):
        size(folder / LOOP, target_miss_ratio=-1)
    with pytest.raises(CapacityError):
        size(folder / LOOP, capacity="0.1%")


def test_sampled_curves_are_near_the_replayed_ones() -> None:
    """The points are the same ones, and a note says that large ones are from samples."""
    trace = "synthetic:zipf-drift?n=600000&objects=100000&seed=2"
    curves = []
    for sampled in (False, True):
        found = augury.replay(
            trace, policies="sieve,lru", capacity="1%", curve=True, sampled=sampled
        )
        assert sampled == any("from samples" in note for note in found.notes)
        curves.append({curve.policy: curve.points for curve in found.curves})
    assert curves[0]["lru"] == curves[1]["lru"]
    for (at, exact), (same, told) in zip(curves[0]["sieve"], curves[1]["sieve"], strict=True):
        assert at == same
        assert abs(exact - told) < 0.01
    with pytest.raises(ConfigError):
        augury.replay(trace, sampled=True)
