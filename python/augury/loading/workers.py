"""Threads for loads that nobody runs in the thread that asked: refreshes, and those with a timeout.

The pool is made when it is first needed. It is shut down with the cache, and by the interpreter
when it ends, which waits for the loads that run and for the few that are queued.
"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context

from augury.errors import LoadError
from augury.loading.load import Load

__all__ = ["REFRESHES", "Workers"]

#: Threads at most, and refreshes under way at most: so demand always finds a thread.
THREADS = 32
REFRESHES = 8


class Workers:
    """See the module's head."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._jobs = 0

    @property
    def has_room(self) -> bool:
        """Whether there are threads that no demand will want soon."""
        return self._jobs < THREADS // 2

    def submit(self, load: Load) -> None:
        """Run it in some thread, unless somebody else begins it before."""
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="augury-load")
            pool = self._pool
        with self._lock:
            self._jobs += 1
        try:
            job = pool.submit(copy_context().run, load.run_if_left)
            job.add_done_callback(lambda _: self._ended())
        except RuntimeError as error:
            # The cache is being closed, or the interpreter is.
            self._ended()
            if load.begin():
                load.fail(error, 0.0)
            return
        job.add_done_callback(lambda job: release(job, load))

    def _ended(self) -> None:
        with self._lock:
            self._jobs -= 1

    def close(self) -> None:
        """Let go of the threads. Loads that run go on, those that wait for a thread fail."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


def release(job: "Future[None]", load: Load) -> None:
    """A job that was cancelled leaves nobody waiting."""
    if job.cancelled() and load.begin():
        load.fail(LoadError(f"the cache was closed before {load} was loaded; ask again"), 0.0)
