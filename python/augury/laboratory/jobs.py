"""Which thread runs what: a pool whose tasks beget tasks.

The engine releases the interpreter's lock while it decodes and replays, so threads suffice. The
task that was added last among the most urgent runs first: the cells of a decoded trace go before
the decoding of the next one, and no more traces than threads are in memory at once.
"""

import heapq
from collections.abc import Callable, Iterable
from threading import Condition, Thread

__all__ = ["Pool", "Task"]

#: Does its work and returns the tasks that follow from it.
Task = Callable[[], Iterable["Task"]]
REFRESH_SECONDS = 0.1


class Pool:
    """Runs tasks on threads until none is left or one fails."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._waiting = [(1, number, task) for number, task in enumerate(tasks)]
        self._added = len(self._waiting)
        self._running = 0
        self._failure: BaseException | None = None
        self._changed = Condition()

    def run(self, jobs: int, while_waiting: Callable[[], None]) -> None:
        """Run everything; ``while_waiting`` is called about ten times a second meanwhile.

        The first failure of a task stops the rest and is raised here, as is whatever
        ``while_waiting`` raises, and an interrupt.
        """
        for _ in range(jobs):
            # Daemons: after an interrupt the process may end before a replay has noticed.
            Thread(target=self._work, daemon=True).start()
        try:
            with self._changed:
                while not self._changed.wait_for(self._finished, REFRESH_SECONDS):
                    while_waiting()
        except BaseException as failure:
            self._stop(failure)
            raise
        if self._failure is not None:
            raise self._failure

    def _finished(self) -> bool:
        return self._failure is not None or not (self._waiting or self._running)

    def _stop(self, failure: BaseException) -> None:
        with self._changed:
            self._failure = self._failure or failure
            self._waiting.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        while (task := self._next()) is not None:
            try:
                following = list(task())
            except BaseException as failure:
                following = []
                self._stop(failure)
            self._done(following)
            # A task holds on to its trace; let go of it before waiting for the next.
            del task, following

    def _next(self) -> Task | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._finished())
            if not self._waiting or self._failure is not None:
                return None
            self._running += 1
            return heapq.heappop(self._waiting)[2]

    def _done(self, following: Iterable[Task]) -> None:
        with self._changed:
            self._running -= 1
            if self._failure is None:
                for task in following:
                    heapq.heappush(self._waiting, (0, self._added, task))
                    self._added += 1
            self._changed.notify_all()
