"""What misses cost: seconds per load, by namespace, and what else there is to count.

The namespace of a key is its text up to the first ``:`` or ``/``. At most 1,024 are told apart;
those that come later share one. What their loads take, relative to the mean and in powers of two,
is what the cache's ranking multiplies an object's worth with.
"""

import math
import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["LoadStats", "Loads", "MissCost", "namespace_of"]

#: Namespaces that are told apart, and the name of the rest.
MOST = 1_024
OTHERS = "*"
#: Weight of the latest load in the mean.
WEIGHT = 1 / 8
#: Loads between two looks at the costs.
PERIOD = 32
#: Seconds of a load below which it does not matter what it costs: a lookup in memory, or nothing.
CHEAP = 100e-6
SEPARATOR = re.compile("[:/]")
SEPARATOR_BYTES = re.compile(b"[:/]")


@dataclass(frozen=True, slots=True)
class MissCost:
    """The loads of one namespace."""

    #: Keys loaded, and how many of those loads failed.
    loads: int = 0
    failures: int = 0
    #: Exponential mean of the seconds that a key takes; the latest counts for an eighth.
    mean_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LoadStats:
    """What loading has done since the cache was made."""

    #: Calls of loaders, how many of them raised (`NotFound` apart), and their seconds.
    loads: int = 0
    load_failures: int = 0
    load_seconds: float = 0.0
    #: Those of them that nobody waited for.
    refreshes: int = 0
    #: Those that fetched ahead: see `Cache.prefetches`.
    prefetches: int = 0
    #: Those that refreshed ahead: see `Cache.refreshes`.
    refreshes_ahead: int = 0
    #: Callers who waited for the load of another, and who waited too long.
    waits: int = 0
    timeouts: int = 0
    #: Answers by a value whose TTL had passed, and by an absence that was remembered.
    stale_served: int = 0
    absences_served: int = 0
    #: Loads whose key was written or invalidated meanwhile: not stored.
    superseded: int = 0
    #: By namespace.
    namespaces: Mapping[str, MissCost] = field(default_factory=dict)


class Account:
    """A miss cost that is being added to."""

    __slots__ = ("failures", "loads", "mean", "place")

    def __init__(self, place: int) -> None:
        #: Its number, by which entries remember it; 0 is nobody's.
        self.place = place
        self.loads = self.failures = 0
        self.mean = 0.0

    def add(self, seconds: float, is_failure: bool) -> None:
        """One more load."""
        self.mean += (seconds - self.mean) * (WEIGHT if self.loads else 1.0)
        self.loads += 1
        self.failures += is_failure


class Loads:
    """The counters, for many threads."""

    def __init__(self) -> None:
        self.begin()
        self._counts: Counter[str] = Counter()
        self._seconds = 0.0
        self._namespaces: dict[str, Account] = {}
        self._costs: list[float] = []

    def begin(self) -> None:
        """With nobody counting."""
        self._lock = threading.RLock()

    def count(self, name: str) -> None:
        """One more of what has this name in `LoadStats`."""
        with self._lock:
            self._counts[name] += 1

    def place(self, name: str) -> int:
        """The number of a namespace."""
        known = self._namespaces.get(name)
        if known is not None:
            return known.place
        with self._lock:
            return self._account(name).place

    def add(
        self, seconds: float, is_failure: bool, is_refresh: bool, names: list[str]
    ) -> list[float] | None:
        """A load has ended that was for keys of these namespaces.

        Returns the costs of misses by place, relative to their mean, where they have changed.
        """
        with self._lock:
            self._counts["loads"] += 1
            if is_failure:
                self._counts["load_failures"] += 1
            if is_refresh:
                self._counts["refreshes"] += 1
            self._seconds += seconds
            for name in names:
                self._account(name).add(seconds / len(names), is_failure)
            if self._counts["loads"] % PERIOD:
                return None
            costs = self._relative()
            if costs == self._costs:
                return None
            self._costs = costs
            return costs

    def _account(self, name: str) -> Account:
        known = self._namespaces.get(name)
        if known is None:
            name = name if len(self._namespaces) < MOST else OTHERS
            place = len(self._namespaces) + 1
            known = self._namespaces.setdefault(name, Account(place))
        return known

    def _relative(self) -> list[float]:
        """By place; none where all cost the same."""
        accounts = self._namespaces.values()
        loads = sum(account.loads for account in accounts)
        seconds = sum(account.loads * account.mean for account in accounts)
        mean = max(seconds / loads, CHEAP) if loads else CHEAP
        costs = [1.0] * (len(accounts) + 1)
        for account in accounts:
            if account.loads:
                costs[account.place] = 2.0 ** round(math.log2(max(account.mean, CHEAP) / mean))
        return costs if any(cost != 1.0 for cost in costs) else []

    def stats(self, superseded: int) -> LoadStats:
        """The counters as they are."""
        with self._lock:
            return LoadStats(
                **self._counts,
                load_seconds=self._seconds,
                superseded=superseded,
                namespaces={
                    name: MissCost(one.loads, one.failures, one.mean)
                    for name, one in self._namespaces.items()
                },
            )


def namespace_of(key: object) -> str:
    """The first part of a text key; of a tuple's first item; else empty.

    >>> namespace_of("user:42"), namespace_of(b"img/a.png"), namespace_of(("load", 7))
    ('user', 'img', 'load')
    >>> namespace_of(42)
    ''
    """
    if isinstance(key, tuple) and key:
        key = key[0]
    if isinstance(key, str):
        return SEPARATOR.split(key, maxsplit=1)[0][:64]
    if isinstance(key, bytes):
        return SEPARATOR_BYTES.split(key, maxsplit=1)[0][:64].decode("utf-8", "replace")
    return ""
