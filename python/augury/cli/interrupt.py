"""Work that Ctrl-C can end, though the engine does not look up from a trace to hear it."""

from collections.abc import Callable
from threading import Thread
from typing import TypeVar

__all__ = ["interruptible"]

T = TypeVar("T")


def interruptible(work: Callable[[], T]) -> T:
    """What the work returns or raises; an interrupt is raised at once and the work left alone.

    >>> interruptible(lambda: 1 + 1)
    2
    """
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as raised:
            failure.append(raised)

    # A daemon: after an interrupt the process ends, whatever the work waits for.
    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]
