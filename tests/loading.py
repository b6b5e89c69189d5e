"""What the tests of loading share: a clock, threads that meet, and loaders that wait."""

import threading
from collections.abc import Callable
from typing import Any

__all__ = ["STUCK", "Clock", "Gate", "Threads", "until"]

#: Seconds after which a thread counts as stuck.
STUCK = 60


class Clock:
    """A timer that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


class Gate:
    """A loader that says when it is called and answers when it may."""

    def __init__(self, answer: Callable[[Any], Any] = lambda key: f"value of {key}") -> None:
        self.answer = answer
        self.calls: list[Any] = []
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self, key: Any) -> Any:
        """Wait, then answer or raise."""
        self.calls.append(key)
        self.entered.set()
        assert self.opened.wait(STUCK)
        return self.answer(key)


class Threads:
    """Runs functions at once; their results, or what they raised, in order."""

    def __init__(self, *work: Callable[[], Any]) -> None:
        self.results: list[Any] = [None] * len(work)
        self.threads = [
            threading.Thread(target=self._run, args=(at, one), daemon=True)
            for at, one in enumerate(work)
        ]
        for thread in self.threads:
            thread.start()

    def _run(self, at: int, work: Callable[[], Any]) -> None:
        try:
            self.results[at] = work()
        except BaseException as error:
            self.results[at] = error

    def join(self) -> list[Any]:
        """Wait for all of them."""
        for thread in self.threads:
            thread.join(STUCK)
        assert not any(thread.is_alive() for thread in self.threads), "a thread is stuck"
        return self.results


def until(condition: Callable[[], bool]) -> None:
    """Let other threads run until it holds."""
    turn = threading.Event()
    for _ in range(STUCK * 1_000):
        if condition():
            return
        turn.wait(0.001)
    raise AssertionError("it never came to pass")
