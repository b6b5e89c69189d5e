"""The example `examples/web_shop`: the proxy in front of a shop on a real PostgreSQL."""

import re

import pytest
from examples.web_shop.__main__ import runs, show
from examples.web_shop.visitors import visits


def test_visits_are_the_same_for_a_seed() -> None:
    """What runs with and without the proxy is one traffic."""
    assert list(visits(50, 2, 0.1)) == list(visits(50, 2, 0.1))


def test_the_proxy_saves_queries_and_changes_no_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every answer through the proxy is the shop's own, after writes too."""
    alone, cached = runs(500, writes=0.04)
    assert alone.digest == cached.digest
    assert alone.answers == cached.answers
    assert (0, True) == (alone.hits, cached.hits > 0.3 * cached.answers)
    assert cached.queries < 0.6 * alone.queries
    show(alone, cached)
    printed = capsys.readouterr().out
    assert ["shop alone", "with augury"] == re.findall(r"^\w+ \w+", printed, re.MULTILINE)[:2]
    assert f"{1 - cached.queries / alone.queries:.0%} of the queries saved" in printed
