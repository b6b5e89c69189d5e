"""How measurements of the server are judged and shown."""

from typing import Any

import pytest
from benchmarks.serving import judging
from benchmarks.serving.equal_memory import Outcome, corrected
from benchmarks.serving.section import endurance_section, equal_memory_section


def cell(trace: str, **misses: int) -> dict[str, Any]:
    """A trace with a thousand requests of each server."""
    servers = {
        name: {"requests": 1_000, "misses": count, "resident": 10 << 20, "limit": 9 << 20}
        for name, count in misses.items()
    }
    return {"trace": trace, "fraction": 0.1, "replicas": 3, "footprint": 1, "servers": servers}


@pytest.mark.parametrize(("ours", "met"), [(299, True), (300, False), (301, False)])
def test_the_best_of_the_others_is_beaten_or_not(ours: int, met: bool) -> None:
    """As many misses as the best of them are not fewer."""
    part = {
        "cells": [cell("one", valkey=500, redis=300, augury=ours), cell("two", valkey=9, augury=1)]
    }
    [finding] = judging.judge_equal_memory(part)
    assert met is finding.met


def test_the_worst_load_is_told() -> None:
    """Of each command beside valkey's, of learning, threads and a watched server; by limits."""
    spent = {
        1: {"augury": 90, "augury lru": 90, "augury 2 threads": 96, "valkey": 100},
        16: {"augury": 60, "augury lru": 50, "augury 2 threads": 50, "valkey": 50},
    }
    costs = [
        {"command": "get", "pipeline": batch, "bytes": 64, "server": name, "nanoseconds": each,
         "milliseconds": 1, "per_second": 1e9 / each}
        for batch, servers in spent.items() for name, each in servers.items()
    ]  # fmt: skip
    part = {
        "costs": costs,
        "entries": [{"server": "augury", "entries": 10, "bytes": 72.0}],
        "watched": [
            {"server": "augury", "nanoseconds": 700, "beside": 1.0},
            {"server": "augury watched", "nanoseconds": 721, "beside": 1.03},
        ],
    }
    found = {finding.what: finding for finding in judging.judge_server(part)}
    get = found["server, CPU of GET beside valkey's"]
    assert ("1.20x", False) == (get.value, get.met)
    assert "GET, batches of 16, 64 bytes" == get.where
    assert found["server, p99.9 of GET beside valkey's"].met
    learning = found["server, CPU with learning beside none (lru)"]
    assert ("1.20x", False) == (learning.value, learning.met)
    threads = found["server, commands per second, one thread beside two"]
    assert ("1.07x", False) == (threads.value, threads.met)
    assert not found["server, CPU of GET while the page and metrics are watched"].met
    assert found["server, bytes per entry beyond key and value at 10"].met


def test_the_fewest_misses_are_bold() -> None:
    """And the memory of the others stands beside them."""
    text = equal_memory_section({"cells": [cell("one", valkey=500, augury=300)]})
    assert "one 10%, 3 times" in text
    assert "**0.3000**" in text
    assert "**0.5000**" not in text


def test_what_is_over_time_is_judged_and_shown() -> None:
    """Each against its limit."""
    part = {
        "churn": {"seconds": 5, "sets": 7, "largest": 90 << 20, "allowed": 91 << 20},
        "pause": {"keys": 10, "before": 0.001, "during": 0.011},
        "lag": {"keys": 10, "seconds": 1, "milliseconds": {"p50": 3.0, "p99": 100.0}},
    }
    assert [True, False, True] == [one.met for one in judging.judge_endurance(part)]
    assert "p99 100.0 ms" in endurance_section(part)


def test_a_limit_is_corrected_by_what_was_too_much() -> None:
    """And is never nothing."""
    found = Outcome(limit=50 << 20, resident=70 << 20, requests=1, misses=1, is_full=True)
    assert 40 << 20 == corrected(50 << 20, found, 60 << 20)
    assert 1 << 20 == corrected(5 << 20, found, 1 << 20)
