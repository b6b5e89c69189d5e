"""The pool: everything runs once, cells before decodings, failures surface."""

import threading
from functools import partial

import pytest

from augury.laboratory.jobs import Pool, Task


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_every_task_and_what_follows_from_it_runs_once(jobs: int) -> None:
    """Tasks may beget tasks; none is lost and none runs twice."""
    ran: list[str] = []

    def task(name: str, children: int) -> list[Task]:
        ran.append(name)
        return [partial(task, f"{name}.{n}", children - 1) for n in range(children)]

    Pool([partial(task, str(n), 3) for n in range(4)]).run(jobs, lambda: None)
    assert len(ran) == len(set(ran)) == 4 * (1 + 3 + 6 + 6)


def test_what_follows_goes_before_what_waits() -> None:
    """On one thread the cells of a trace are done before the next is decoded."""
    ran: list[str] = []

    def decode(name: str) -> list[Task]:
        ran.append(f"decode {name}")
        return [partial(cell, f"{name}{n}") for n in range(2)]

    def cell(name: str) -> list[Task]:
        ran.append(name)
        return []

    Pool([partial(decode, "a"), partial(decode, "b")]).run(1, lambda: None)
    assert ["decode a", "a0", "a1", "decode b", "b0", "b1"] == ran


def test_the_first_failure_is_raised_and_stops_the_rest() -> None:
    """What waits is not begun after a failure."""
    ran = []

    def fail() -> list[Task]:
        raise RuntimeError("broken")

    def run() -> list[Task]:
        ran.append(1)
        return []

    with pytest.raises(RuntimeError, match="broken"):
        Pool([fail, *[run] * 100]).run(1, lambda: None)
    assert [] == ran


def test_an_interrupt_while_waiting_is_raised() -> None:
    """What the waiting thread raises stops the pool."""
    go_on = threading.Event()

    def wait() -> list[Task]:
        go_on.wait(30)
        return []

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Pool([wait]).run(1, interrupt)
    go_on.set()
