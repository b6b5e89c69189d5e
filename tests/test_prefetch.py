"""Prefetch through the package and the command."""

import csv
import io
import json

import pytest

import augury
from augury.cli.app import spelled_out
from small_traces import Run

LOOP = "synthetic:loop?n=60000&objects=2000"
COLUMNS = [
    "demand_misses",
    "prefetches_issued",
    "prefetches_used",
    "origin_requests",
    "prefetch_accuracy",
    "prefetch_coverage",
]


def test_prefetch_answers_a_loop_and_counts_what_it_cost() -> None:
    """Fewer demand misses, and every request to the origin is one of the two kinds."""
    [plain] = augury.replay(LOOP, policies="auto", capacity="5%")
    [ahead] = augury.replay(LOOP, policies="auto", capacity="5%", prefetch=True)
    assert ahead.misses < plain.misses / 2
    assert ahead.demand_misses == ahead.misses
    assert ahead.prefetches_issued is not None
    assert ahead.origin_requests == ahead.misses + ahead.prefetches_issued
    assert ahead.prefetch_accuracy is not None
    assert 0.9 < ahead.prefetch_accuracy <= 1
    assert ahead.prefetch_coverage is not None
    assert 0.5 < ahead.prefetch_coverage < 1
    assert ahead.origin_requests <= 1.1 * plain.misses


def test_without_prefetch_nothing_is_said_of_it() -> None:
    """The columns are those of the contract."""
    result = augury.replay(LOOP, policies="lru", capacity="5%")
    assert not set(COLUMNS) & set(result.to_dicts()[0])
    assert not set(COLUMNS) & set(result.to_columns())


@pytest.mark.parametrize("asked", [0.1, "0.1", "10%", True])
def test_a_budget_is_a_share_or_a_percentage(asked: float | str) -> None:
    """All ways to write the default come to the same."""
    default = augury.replay(LOOP, policies="lru", capacity="5%", prefetch=True)
    same = augury.replay(LOOP, policies="lru", capacity="5%", prefetch=asked)
    assert default[0].prefetches_issued == same[0].prefetches_issued


@pytest.mark.parametrize("asked", [-0.1, "x", "1100%", float("nan"), 11])
def test_what_is_no_budget_is_refused(asked: float | str) -> None:
    """The value, the limits and the way out."""
    with pytest.raises(augury.ConfigError, match=r"from 0 to 10 .* write 0\.1"):
        augury.replay(LOOP, prefetch=asked)


def test_an_unknown_prefetcher_is_named_and_one_without_prefetch_refused() -> None:
    """No option that does nothing."""
    with pytest.raises(augury.ConfigError, match=r"'mithrill'; did you mean 'mithril'"):
        augury.replay(LOOP, prefetch=True, prefetcher="mithrill")
    with pytest.raises(augury.ConfigError, match="turn it on"):
        augury.replay(LOOP, prefetcher="mithril")


def test_the_command_tells_what_was_fetched(augury: Run) -> None:
    """In JSON, CSV and the table; the budget may be left out."""
    line = ["replay", LOOP, "-p", "lru", "-c", "5%"]
    [cell] = json.loads(augury(*line, "--prefetch", "-f", "json").stdout)
    assert cell["origin_requests"] == cell["demand_misses"] + cell["prefetches_issued"]
    [row] = csv.DictReader(io.StringIO(augury(*line, "--prefetch=10%", "-f", "csv").stdout))
    assert [str(cell[name]) for name in COLUMNS] == [row[name] for name in COLUMNS]
    assert f"{cell['prefetches_issued']:,}" in augury(*line, "--prefetch=0.1").stdout
    assert "coverage" not in augury(*line).stdout


def test_only_a_bare_prefetch_before_the_dashes_is_spelled_out() -> None:
    """Given budgets stay, and what follows ``--`` is no option."""
    assert spelled_out(["--prefetch=0.2", "--", "--prefetch"]) == [
        "--prefetch=0.2", "--", "--prefetch",
    ]  # fmt: skip
