"""Times of a source as times of a trace: whole seconds that never decrease.

Servers stamp an access log when a request ends, or when it begins and write it when it ends;
clocks are set. A time before the one written last is written as that one, and counted.
"""

__all__ = ["TraceClock"]

#: Seconds back that are ordinary in a log; more is worth a word.
ORDINARY = 60


class TraceClock:
    """Hands on times that never decrease.

    >>> clock = TraceClock()
    >>> [clock.advance(time) for time in (10.9, 12.0, 11.5, 13.2)]
    [10, 12, 12, 13]
    >>> clock.raised, clock.farthest_back
    (1, 1)
    """

    def __init__(self) -> None:
        #: The first time, None before it.
        self.first: int | None = None
        self.latest = 0
        #: How many times were before the latest, and the farthest of them in seconds.
        self.raised = 0
        self.farthest_back = 0

    def advance(self, time: float) -> int:
        """The time to write."""
        whole = int(time)
        if self.first is None:
            self.first = self.latest = whole
        elif whole < self.latest:
            self.raised += 1
            self.farthest_back = max(self.farthest_back, self.latest - whole)
        self.latest = max(self.latest, whole)
        return self.latest

    @property
    def is_disordered(self) -> bool:
        """Whether the source does not seem to be in the order of time."""
        return self.farthest_back > ORDINARY
