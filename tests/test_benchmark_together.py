"""The part ``together``: when a gain is reached, and what the section and the picture say."""

from pathlib import Path
from typing import Any

import pytest
from benchmarks import findings
from benchmarks.together import chart, section
from benchmarks.together.measuring import Fleet, reached

WAYS = ("together", "alone", "given", "given the tables", "bound")


@pytest.fixture
def part() -> dict[str, Any]:
    """One workload, in which sharing is half as good as it should be."""
    row = {
        "workload": "w", "requests": 1_000, "objects": 100, "capacity": 10,
        "gains": {way: [0.0, 0.01, 0.02] for way in WAYS},
        "final": {"lru": 0.5, **dict.fromkeys(WAYS, 0.6), "together": 0.59},
        "all": dict.fromkeys(WAYS, 0.5),
        "reached": {**dict.fromkeys(WAYS, 0.4), "together": 0.1},
        "reached_alone": {**dict.fromkeys(WAYS, 0.4), "given": None},
        "late": {"together": 0.5, "alone": 0.4},
        "told_bytes": 2e3, "agreed_bytes": 3e3, "agreed_objects": 100.0, "trainer_ms": 3.0,
        "member_ms": 1.0,
    }  # fmt: skip
    return {"quick": False, "caches": 8, "rows": [row]}


def test_a_gain_is_reached_where_three_windows_have_it() -> None:
    """On average, for the first time; or never."""
    gains = [0.0, 0.3, 0.0, 0.3, 0.3, 0.3, 0.0, 0.0]
    assert 6 / 8 == reached(gains, 0.25)
    assert reached(gains, 0.4) is None


def test_both_targets_are_judged(part: dict[str, Any]) -> None:
    """Below by 0.01 is missed; a quarter of the requests is met."""
    found = list(findings.judge_together(part))
    assert [("0.0100", False), ("0.25", True)] == [(one.value, one.met) for one in found]


def test_the_section_has_the_curves_and_the_numbers(part: dict[str, Any], tmp_path: Path) -> None:
    """And says so where nothing was measured."""
    text = section.together_section(part)
    assert f"(results/{chart.NAME})" in text
    assert "-0.0100" in text
    assert "0.25" in text
    assert "Not measured." in section.together_section(None)
    chart.draw(part["rows"], tmp_path / "a.svg")
    chart.draw(part["rows"], tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_every_request_goes_to_one_cache() -> None:
    """And the same ones whatever the way: a window's ratio is of all eight."""
    fleet = Fleet(None, [number % 50 for number in range(4_000)], 100, 1, "w")
    caches = fleet.made("auto")
    curve = fleet.run(caches)
    assert 40 == len(curve)
    assert 4_000 == sum(cache.stats().hits + cache.stats().misses for cache in caches)
    assert curve[-1] == 1.0
