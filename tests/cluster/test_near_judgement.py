"""The judge of the checker finds what is stale, and what the cluster has lost."""

from typing import Any

from benchmarks.nearcache.judgement import Account, Drop, Judgement, Read, Write, judge


def judged(*, reads: Any = (), writes: Any = (), drops: Any = (), others: Any = ()) -> Judgement:
    """One client that reads, and another that writes."""
    mine = Account(list(reads), list(writes), list(drops))
    return judge([mine, Account(writes=list(others))], max_staleness=1.0)


def test_a_read_of_less_than_was_acknowledged_long_before_is_stale() -> None:
    """Rule (c), to the moment."""
    others = [Write(7, 1, 10.0, 0), Write(7, 2, 20.0, 1)]
    found = judged(reads=[Read(7, 1, 20.9), Read(7, 2, 21.5), Read(7, 1, 21.1)], others=others)
    assert {"a": 0, "b": 0, "c": 1} == found.stale


def test_a_client_reads_its_own_writes() -> None:
    """Rule (a): from the acknowledgement on."""
    writes = [Write(7, 1, 10.0, 0), Write(7, 2, 20.0, 1)]
    found = judged(reads=[Read(7, 1, 19.9), Read(7, 1, 20.1)], writes=writes)
    assert {"a": 1, "b": 0, "c": 0} == found.stale


def test_what_was_removed_is_not_read_again() -> None:
    """Rule (b): from the removal on."""
    others = [Write(7, 1, 10.0, 0), Write(7, 2, 20.0, 1)]
    reads = [Read(7, 1, 20.2), Read(7, 1, 20.4)]
    found = judged(reads=reads, drops=[Drop(7, 20.3)], others=others)
    assert {"a": 0, "b": 1, "c": 0} == found.stale


def test_lost_writes_are_counted_apart() -> None:
    """A later write that finds an older version shows which acknowledged ones are lost."""
    others = [Write(7, 1, 10.0, 0), Write(7, 2, 20.0, 1), Write(7, 3, 30.0, 1)]
    found = judged(reads=[Read(7, 1, 25.0), Read(7, 1, 31.1)], others=others)
    assert {"a": 0, "b": 0, "c": 1} == found.stale
    assert (1, 1) == (found.lost_writes, found.behind_lost)


def test_writes_that_may_not_have_been_done_bind_nobody() -> None:
    """Without an acknowledgement a version may be read or not."""
    others = [Write(7, 1, 10.0, 0), Write(7, 2, None, 0), Write(7, 3, 30.0, 2)]
    found = judged(reads=[Read(7, 1, 25.0), Read(7, 2, 25.0)], others=others)
    assert {"a": 0, "b": 0, "c": 0} == found.stale
    assert (0, 1) == (found.lost_writes, found.unanswered)
