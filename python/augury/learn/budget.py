"""A budget of CPU time: what retraining may cost beside a cache at work."""

import math

from augury.errors import ConfigError

__all__ = ["Budget"]

#: Seconds per row of a kind that was not trained yet: a cautious guess, some times what boosting
#: takes.
FIRST_COST = 2e-4


class Budget:
    """A share of the time since the last training, in CPU seconds.

    What was not used is not saved up; what was overdrawn is owed. The time is the caller's: in a
    replay the time of the traffic, not that of the replay, which is much faster.

    >>> budget = Budget(0.1)
    >>> budget.rows(now=10.0, wanted=20_000)  # one second, at a first guess of 0.2 ms per row
    5000
    >>> budget.spent(now=10.0, seconds=2.0, rows=5_000)  # it took twice as long
    >>> budget.rows(now=20.0, wanted=20_000)
    0
    >>> budget.rows(now=30.0, wanted=20_000)
    2500
    """

    def __init__(self, share: float) -> None:
        """Begin at time 0.

        Raises:
            ConfigError: the share is not above 0 and at most 1.
        """
        if not 0 < share <= 1:
            raise ConfigError(
                f"a budget of {share} of the time cannot be: a share above 0 and at most 1, such "
                "as 0.1"
            )
        self.share = share
        #: CPU seconds of all trainings.
        self.total = 0.0
        self._cost = FIRST_COST
        self._since = 0.0
        self._owed = 0.0

    def allowed(self, now: float) -> float:
        """CPU seconds that may be spent now; negative where the last training is not paid off."""
        return self.share * max(now - self._since, 0.0) - self._owed

    def rows(self, now: float, wanted: int) -> int:
        """How many of the wanted rows can be trained on, by what rows have cost lately."""
        return min(wanted, max(math.floor(self.allowed(now) / self._cost + 1e-9), 0))

    def spent(self, now: float, seconds: float, rows: int) -> None:
        """A training that began at ``now`` took so many CPU seconds for so many rows."""
        self._owed = max(seconds - self.allowed(now), 0.0)
        self._since = now
        self._cost = max(seconds / max(rows, 1), 1e-9)
        self.total += seconds
