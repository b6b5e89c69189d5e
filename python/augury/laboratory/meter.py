"""Miss ratios of one trace under any policy at any capacity: by a replay, or from a sample.

A replay of the whole trace is exact. Where both the capacity and the trace are large, a share of
the objects in a cache of that share of the capacity tells nearly the same in that share of the
time, and how far off it may be. Samples are halves of each other, and each is made once.
"""

import math
from dataclasses import dataclass
from threading import Lock

from augury import _core
from augury.laboratory.policies import is_oracle

__all__ = ["Measured", "Meter", "ladder"]

#: What a sample has at least: objects in the cache, and requests.
FEWEST_OBJECTS = 2_000
FEWEST_REQUESTS = 250_000
#: Capacities between the smallest and the largest that can be asked about.
RUNGS = 1_024


@dataclass(frozen=True, slots=True)
class Measured:
    """An object miss ratio, and how it was found."""

    capacity: int
    object_miss_ratio: float
    #: Of sampling: 0 where the whole trace was replayed.
    standard_error: float
    #: The share of the objects that was replayed.
    sampled: float


class Meter:
    """Measures one trace. Whatever was measured once is remembered."""

    def __init__(
        self,
        trace: "_core.Trace",
        ticker: "_core.Ticker",
        *,
        seed: int,
        exact: bool,
        capacities: list[int],
    ) -> None:
        self._trace = trace
        self._ticker = ticker
        self._seed = seed
        self._exact = exact
        self._lock = Lock()
        self._samples: dict[float, _core.Sample] = {}
        self._known: dict[tuple[str, int], Measured] = {}
        self._lru = dict(trace.lru_curve(capacities, ticker))

    def measure(self, policy: str, capacity: int) -> Measured:
        """The miss ratio of a policy at a capacity in the trace's unit."""
        with self._lock:
            known = self._known.get((policy, capacity))
        if known is None:
            known = self._measure(policy, capacity)
            with self._lock:
                self._known[policy, capacity] = known
        return known

    def _measure(self, policy: str, capacity: int) -> Measured:
        lru = self._lru.get(capacity)
        if policy == "lru" and lru is not None:
            return Measured(capacity, lru, 0.0, 1.0)
        ratio = 1.0 if self._exact else self.ratio(capacity)
        # A streamed trace need not tell an oracle the future; a sample holds it.
        if ratio < 1.0 or is_oracle(policy):
            sample = self._sample(ratio)
            found, error = sample.point(policy, capacity, self._seed, self._ticker, lru)
            return Measured(capacity, found, error if ratio < 1.0 else 0.0, ratio)
        outcome = self._trace.replay(policy, (None, capacity), self._seed, self._ticker)
        requests = max(outcome["requests"], 1)
        return Measured(capacity, outcome["misses"] / requests, 0.0, 1.0)

    def ratio(self, capacity: int) -> float:
        """The share of the objects to replay: the smallest power of a half that leaves enough."""
        objects = capacity * self._trace.objects / max(self._trace.footprint, 1)
        most = min(objects / FEWEST_OBJECTS, self._trace.requests / FEWEST_REQUESTS)
        return 1.0 if most < 2 else 0.5 ** math.floor(math.log2(most))

    def _sample(self, ratio: float) -> "_core.Sample":
        with self._lock:
            if ratio not in self._samples:
                self._samples[ratio] = self._trace.sample(ratio, self._ticker)
            return self._samples[ratio]


def ladder(smallest: int, largest: int) -> list[int]:
    """Capacities at equal ratios, both ends included, about a thousand.

    >>> ladder(1, 4), len(ladder(1, 1_000_000_000)) > 700
    ([1, 2, 3, 4], True)
    """
    ratio = largest / smallest
    steps = RUNGS - 1
    return sorted({round(smallest * ratio ** (step / steps)) for step in range(RUNGS)})
