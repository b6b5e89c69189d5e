"""How far off a mean over time may be: batch means.

What two policies miss differs from one stretch of a replay to the next, and neighbouring stretches
are alike. So neighbours are joined into a few long batches, whose means are nearly independent, and
Student's t tells how far the mean of as many batches may be off (Schmeiser, "Batch size effects in
the analysis of simulation output", Operations Research 30, 1982: 10 to 30 batches, more tell
little). Two numbers of batches are tried and the wider interval is told: where they disagree
neighbours are still alike.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from statistics import stdev
from typing import NamedTuple

__all__ = ["FEWEST_STRETCHES", "Interval", "of_sample", "over_time"]

#: Numbers of batches, and what Student's t leaves 2.5% beyond on each side of.
BATCHES = {16: 2.131, 8: 2.365, 4: 3.182}
FEWEST_STRETCHES = 8
#: The same of the normal distribution when six differences are looked at at once (Bonferroni).
SIX_AT_ONCE = 2.64

#: Requests of a stretch, and what happened in it.
Stretch = tuple[int, float]


class Interval(NamedTuple):
    """A mean, and between what it lies with a confidence of 95%."""

    mean: float
    low: float
    high: float

    @classmethod
    def around(cls, mean: float, reach: float) -> "Interval":
        """So far to both sides."""
        return cls(mean, mean - reach, mean + reach)

    def times(self, factor: float) -> "Interval":
        """The interval in another unit; the factor is at least 0."""
        return Interval(self.mean * factor, self.low * factor, self.high * factor)


def over_time(stretches: Sequence[Stretch]) -> Interval | None:
    """The mean per request over stretches of time; None where there are too few of them.

    >>> over_time([(100, 10.0)] * 16)
    Interval(mean=0.1, low=0.1, high=0.1)
    >>> over_time([(100, 10.0)] * 7)
    """
    if len(stretches) < FEWEST_STRETCHES:
        return None
    requests = sum(count for count, _ in stretches)
    mean = sum(value for _, value in stretches) / max(requests, 1)
    fitting = [batches for batches in BATCHES if 2 * batches <= len(stretches)][:2]
    reach = max(reach_of(stretches, batches) for batches in fitting)
    return Interval.around(mean, reach)


def reach_of(stretches: Sequence[Stretch], batches: int) -> float:
    """How far the mean may be off, from so many batches of neighbours."""
    ends = [len(stretches) * place // batches for place in range(batches + 1)]
    means = []
    for start, end in pairwise(ends):
        joined = stretches[start:end]
        means.append(sum(value for _, value in joined) / max(sum(count for count, _ in joined), 1))
    return BATCHES[batches] * stdev(means) / sqrt(batches)


def of_sample(mean: float, standard_error: float) -> Interval:
    """The interval of one of six differences that come from a sample of the objects."""
    return Interval.around(mean, SIX_AT_ONCE * standard_error)
