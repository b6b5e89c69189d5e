"""A cache that retrains: drift is found after a change and not before, and nothing gets worse."""

import json
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest
from typer.testing import CliRunner

import augury
from augury.cli.app import app
from augury.learn import Adaptation, Artifact, Budget, adapt, adapter, describe, train
from small_traces import oracle_general

HALF = 100_000
EVERY = 20_000
ZIPF = f"synthetic:zipf?n={2 * HALF}&objects=5000&alpha=1.0"
#: How much worse than `auto` a cache that retrains may be.
HARM = 0.005


@pytest.fixture(scope="module")
def shifting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Independent requests of skewed popularity, then a loop of other objects."""
    parts = [
        augury.traces.synthetic("zipf", n=HALF, objects=5000, alpha=1.0),
        augury.traces.synthetic("loop", n=HALF, objects=1000),
    ]
    keys = [[request.key + place * 10**9 for request in part] for place, part in enumerate(parts)]
    path = tmp_path_factory.mktemp("adapt") / "shifting.oracleGeneral"
    path.write_bytes(oracle_general(list(chain.from_iterable(keys))))
    return path


def run(trace: str | Path, **options: object) -> Adaptation:
    """A small cache that waits for its trainings."""
    defaults: dict[str, object] = {
        "model": "logistic",
        "capacity": 300,
        "every": EVERY,
        "synchronous": True,
    }
    return adapt(trace, **(defaults | options))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def adapted(shifting: Path) -> Adaptation:
    """The traffic that changes its nature."""
    return run(shifting)


def test_drift_is_found_after_the_change_and_not_before(adapted: Adaptation) -> None:
    """Within some thousand rows, of which there is one in four requests."""
    first = adapted.of("drift")[0]
    assert HALF < first.tick <= HALF + 20_000
    assert HALF - 5_000 < (first.scores["since"] or 0) < first.tick


def test_a_model_that_drifts_is_let_go_of_and_a_new_one_comes_in(adapted: Adaptation) -> None:
    """Nothing is loaded between the two, and the new one was trained after the change."""
    ticks = {what: [event.tick for event in adapted.of(what)] for what in ("drift", "fell back")}
    assert ticks["drift"] == ticks["fell back"]
    first = ticks["drift"][0]
    later = [event.tick for event in adapted.of("swapped") if event.tick > first]
    assert later
    between = [stretch for stretch in adapted.stretches if first < stretch.end < later[0]]
    assert between
    assert not any(stretch.has_model for stretch in between)
    assert any(stretch.has_model for stretch in adapted.stretches if stretch.end > later[0])


def test_what_goes_in_is_better_on_later_rows(adapted: Adaptation) -> None:
    """Than what was in before, and than the base rate."""
    swaps = adapted.of("swapped")
    assert swaps
    for event in swaps:
        assert (event.scores["skill"] or 0) > max(event.scores["skill_before"] or 0, 0)


@pytest.mark.parametrize("kind", ["logistic", "frequency", "tree"])
def test_it_is_hardly_worse_than_without_models(shifting: Path, kind: str) -> None:
    """Over the whole trace, the change included."""
    assert run(shifting, model=kind).gain >= -HARM


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_traffic_that_does_not_change_raises_no_alarm(seed: int) -> None:
    """And the cache is as good as without models."""
    found = run(ZIPF, seed=seed)
    assert [] == found.of("drift")
    assert found.of("swapped")
    assert found.gain >= -HARM


def test_auto_beside_it_is_auto(adapted: Adaptation, shifting: Path) -> None:
    """Misses of the cache without a model are those of a replay; stretches cover all."""
    [cell] = augury.replay(shifting, policies="auto", capacity=300)
    assert cell.misses == sum(stretch.auto_misses for stretch in adapted.stretches)
    assert cell.requests == adapted.requests
    starts = [stretch.start for stretch in adapted.stretches[1:]]
    assert starts == [stretch.end for stretch in adapted.stretches[:-1]]


def test_the_same_seed_gives_the_same_result(adapted: Adaptation, shifting: Path) -> None:
    """Where the cache waits for trainings, all but the CPU time."""
    again = run(shifting)
    assert adapted.stretches == again.stretches
    assert [(event.tick, event.what) for event in adapted.events] == [
        (event.tick, event.what) for event in again.events
    ]


def ticking(seconds: float) -> Callable[[], float]:
    """A CPU clock on which every training takes so many seconds."""
    looks = iter(range(10**6))
    return lambda: next(looks) * seconds


def test_a_budget_that_is_used_up_is_said_and_kept(shifting: Path) -> None:
    """At 1,000 requests per second, a training of 5 s needs 50,000 requests to be paid."""
    found = run(shifting, pace=1_000.0, budget=0.1, cpu=ticking(5.0))
    assert found.of("skipped")
    begun = [event.tick for event in found.events if event.what in ("trained", "failed")]
    assert len(begun) >= 2
    for before, tick in enumerate(begun):
        assert 5.0 * before <= 0.1 * tick / 1_000
    assert 5.0 * len(begun) == found.training_seconds
    rich = run(shifting, pace=1_000.0, budget=1.0, cpu=ticking(5.0))
    assert [] == rich.of("skipped")
    assert rich.training_seconds > found.training_seconds


def test_a_small_budget_trains_on_fewer_rows() -> None:
    """By what rows have cost: as many as it affords, and what is overdrawn is owed."""
    budget = Budget(0.1)
    budget.spent(now=100.0, seconds=1.0, rows=10_000)
    assert 10_000 == budget.rows(now=110.0, wanted=50_000)
    assert 0 == budget.rows(now=100.0, wanted=50_000)
    budget.spent(now=110.0, seconds=3.0, rows=10_000)
    assert 0 == budget.rows(now=130.0, wanted=50_000)
    assert pytest.approx(1.0) == budget.allowed(now=140.0)
    assert pytest.approx(4.0) == budget.total


def test_a_training_that_fails_is_reported_and_the_cache_runs_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever it raises."""

    def broken(*_: object, **__: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(adapter, "retrain", broken)
    found = run(ZIPF)
    assert {"failed"} == {event.what for event in found.events}
    assert "MemoryError: no room" == found.events[0].detail
    assert 0.0 == found.gain
    assert 2 * HALF == found.requests


@pytest.mark.filterwarnings("ignore")
def test_trainings_run_beside_the_cache() -> None:
    """In a thread of their own; what comes too late for this replay is still reported."""
    found = run(ZIPF, synchronous=False)
    assert found.of("trained")
    assert found.gain >= -HARM


def test_a_model_that_is_given_is_loaded_watched_and_let_go_of(shifting: Path) -> None:
    """One that was trained on the first half meets the second."""
    trained = train(shifting, model="logistic", capacity=300, rows=20_000, until=0.5)
    found = run(shifting, artifact=trained.artifact)
    assert "loaded" == found.events[0].what
    assert any(HALF < event.tick <= HALF + 20_000 for event in found.of("drift"))
    assert found.gain >= -HARM


def test_options_that_cannot_be_are_refused(shifting: Path) -> None:
    """Each names the value and the limit."""
    wrong: list[tuple[dict[str, object], str]] = [
        ({"budget": 0.0}, "above 0 and at most 1"),
        ({"rows": 10}, "from 4,000"),
        ({"every": 10}, "every 1,000 at most"),
        ({"pace": 0.0}, "above 0"),
        ({"model": "oracle"}, "no model is called"),
    ]
    for options, word in wrong:
        with pytest.raises(augury.ConfigError, match=word):
            run(shifting, **options)
    logistic = describe(train(ZIPF, model="logistic", capacity=300, rows=4_000).estimator)
    waits = Artifact.of(logistic, meaning="log_wait")
    with pytest.raises(augury.ConfigError, match="probability within a horizon"):
        run(shifting, artifact=waits)
    distant = Artifact.of(logistic, meaning="probability", horizon=EVERY + 1)
    with pytest.raises(augury.ConfigError, match="train less often"):
        run(shifting, artifact=distant)


def test_the_command_prints_events_and_miss_ratios(shifting: Path) -> None:
    """For people, and as JSON with the same numbers."""
    line = ["adapt", str(shifting), "-m", "logistic", "-c", "300", "--wait", "--every", "20000"]
    shown = CliRunner().invoke(app, line)
    assert 0 == shown.exit_code, shown.output
    assert "fell back" in shown.stdout
    given = CliRunner().invoke(app, [*line, "--json"])
    found = json.loads(given.stdout)
    assert f"{found['object_miss_ratio']:.4f}" in shown.stdout
    assert found["events"][0]["what"] in shown.stdout
    assert sum(one["misses"] for one in found["stretches"]) == round(
        found["object_miss_ratio"] * found["requests"]
    )
    refused = CliRunner().invoke(app, [*line, "--budget", "200%"])
    assert 2 == refused.exit_code
