"""Explanations: from recorded state alone, and honest about what is no longer recorded."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import augury
from augury.cli.app import app

WEB = "synthetic:web?n=60000&objects=8000"


def keys_of(count: int) -> list[int]:
    """The keys asked for most."""
    asked: dict[int, int] = {}
    for request in augury.traces.open(WEB):
        asked[request.key] = asked.get(request.key, 0) + 1
    return sorted(asked, key=lambda key: -asked[key])[:count]


@pytest.fixture(scope="module")
def keys() -> list[int]:
    """Some that have a story."""
    return keys_of(400)


def test_every_eviction_in_the_journal_is_explained(keys: list[int]) -> None:
    """With a journal of everything, what left was decided on, and the state is of that moment."""
    found = 0
    for key in keys[::40]:
        story = augury.explain(WEB, key, capacity="0.5%", journal=1_000_000)
        explanation = story.explanation
        assert story.resident == (explanation.standing is not None)
        for decision in explanation.decisions:
            found += 1
            assert decision.act in ("evicted", "rejected")
            assert decision.ruling in {expert.name for expert in explanation.experts}
            assert 0 <= decision.history.age <= decision.tick
            assert decision.looks > 0
        misses = story.requests - story.hits
        assert len(explanation.decisions) <= misses
        assert len(explanation.decisions) >= misses - 1 - story.resident
    assert found > 20


def test_a_resident_is_ranked_among_others(keys: list[int]) -> None:
    """The most popular object stands high, at the end of the trace."""
    story = augury.explain(WEB, keys[0], capacity="2%")
    standing = story.explanation.standing
    assert standing is not None
    assert standing.below > standing.compared / 2
    assert standing.prediction is None


def test_a_short_journal_says_since_when_it_knows(keys: list[int]) -> None:
    """Older decisions are said to be no longer recorded."""
    story = augury.explain(WEB, keys[300], capacity="0.5%", journal=10)
    assert story.explanation.recorded_since is not None
    assert story.explanation.recorded_since > 50_000
    done = CliRunner().invoke(
        app, ["explain", WEB, "--key", str(keys[300]), "-c", "0.5%", "--journal", "10"]
    )
    assert 0 == done.exit_code, done.output
    assert "no longer recorded" in done.stdout


def test_the_answer_is_that_of_the_moment(keys: list[int]) -> None:
    """What comes after ``at`` plays no part."""
    early = augury.explain(WEB, keys[0], capacity="2%", at=1_000)
    late = augury.explain(WEB, keys[0], capacity="2%")
    assert 1_000 == early.replayed
    assert early.requests < late.requests
    assert all(number < 1_000 for number, _ in early.latest)


def test_what_was_never_asked_for_has_no_story() -> None:
    """And says so."""
    done = CliRunner().invoke(app, ["explain", WEB, "--key", "no-such-key"])
    assert 0 == done.exit_code, done.output
    assert "never asked for" in done.stdout


def test_json_holds_the_whole_story(keys: list[int]) -> None:
    """As the Python API has it."""
    command = ["explain", WEB, "--key", str(keys[5]), "-c", "2%", "--json"]
    done = CliRunner().invoke(app, command)
    assert 0 == done.exit_code, done.output
    told = json.loads(done.stdout)
    story = augury.explain(WEB, keys[5], capacity="2%")
    assert json.loads(json.dumps(story.to_dict())) == told


def test_options_out_of_range_are_refused(tmp_path: Path) -> None:
    """Each names the value and the limit."""
    with pytest.raises(augury.ConfigError, match="at -1"):
        augury.explain(WEB, 1, at=-1)
    with pytest.raises(augury.ConfigError, match="journal 0"):
        augury.explain(WEB, 1, journal=0)
    with pytest.raises(augury.ArtifactError, match=r"none\.augury"):
        augury.explain(WEB, 1, model=tmp_path / "none.augury")
