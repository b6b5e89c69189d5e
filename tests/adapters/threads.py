"""Several threads at once, for what has to be atomic."""

import threading
from collections.abc import Callable

__all__ = ["at_once"]


def at_once(what: Callable[[], object], threads: int = 4) -> list[object]:
    """What each thread got, all of them having begun together."""
    barrier, got = threading.Barrier(threads), list[object]()

    def run() -> None:
        barrier.wait()
        got.append(what())

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return got
