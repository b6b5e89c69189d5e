"""Predicted TTLs: between which bounds, and by what a value is known to have changed.

The extension decides (`crates/augury-py/src/cache/lifetime.rs`, and `expiry` of the engine, which
has the method); it calls :meth:`PredictedTTL.fingerprint` with every value that it gives a TTL.
"""

import marshal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from augury.errors import ConfigError

__all__ = ["LifetimeStats", "PredictedTTL"]

#: Seconds.
LONGEST = 2**32 - 1


@dataclass(frozen=True, slots=True)
class PredictedTTL:
    """TTLs chosen by how often values change, for ``Cache(predicted_ttl=...)``.

    Each value that is stored with no TTL said, by a loader or by hand, is compared with the one
    that its key had before. From when it was the same and when another follows how often it
    changes (Cho, Garcia-Molina, "Estimating frequency of change", ACM TOIT 2003), leaning on its
    namespace while little is known of it; the TTL is the longest at which answers out of the cache
    are stale with no more than the chance allowed. Changes are taken to come at any time alike;
    where they come by a timetable, or values change back, the chance is another.

    A value that has never been seen before, in a namespace that has not either, gets ``low``.
    Compared are fingerprints, eight bytes each, of 65,536 keys at most: values that have expired
    are gone. What is plain data (numbers, text, bytes, lists, tuples, dictionaries, sets) or
    hashable by value has one; of anything else a ``version`` has to tell. What cannot be compared
    is counted and gets what its namespace suggests. Values stored by :meth:`~augury.Cache.set` and
    its like, rather than by a loader, have one namespace together.

    Args:
        low: Seconds of the shortest TTL.
        high: Seconds of the longest.
        staleness: Chance that an answer out of the cache is stale, in the mean over the TTL: above
            0 and below 1. At its very end it is about twice that.
        version: Called with a value, returns what is to be compared in its place, such as its
            revision or the time of its last change. What it raises is raised by who stores.

    Raises:
        ConfigError: An argument cannot be.

    >>> import augury
    >>> now = 0.0
    >>> cache = augury.Cache(100, predicted_ttl=(10, 3600), timer=lambda: now)
    >>> for _ in range(1000):
    ...     _ = cache.get_or_load("rates", lambda key: {"EUR": 1.1})
    ...     now += 60
    >>> cache.lifetimes().changed, cache.loads().loads
    (0, 37)
    """

    low: float
    high: float
    staleness: float = 0.05
    version: Callable[[Any], object] | None = None

    def __post_init__(self) -> None:
        """Check the arguments."""
        for name in ("low", "high", "staleness"):
            number = getattr(self, name)
            most = 1 if name == "staleness" else LONGEST
            is_number = isinstance(number, int | float) and not isinstance(number, bool)
            if not is_number or not 0 < number <= most or number == 1 == most:
                expected = "a chance above 0 and below 1" if most == 1 else "seconds above 0"
                raise ConfigError(f"predicted_ttl: {name} {number!r}: expected {expected}")
        if self.low > self.high:
            raise ConfigError(
                f"predicted_ttl: low {self.low!r} is above high {self.high!r}: exchange them"
            )
        if self.version is not None and not callable(self.version):
            raise ConfigError(f"predicted_ttl: version {self.version!r}: expected a function")

    @classmethod
    def of(cls, asked: "PredictedTTL | Sequence[float]") -> "PredictedTTL":
        """From ``(low, high)`` or ``(low, high, staleness)`` too."""
        if isinstance(asked, PredictedTTL):
            return asked
        if isinstance(asked, tuple | list) and len(asked) in (2, 3):
            return cls(*asked)
        raise ConfigError(
            f"predicted_ttl {asked!r}: expected (low, high) in seconds, or a PredictedTTL"
        )

    @property
    def saved(self) -> list[float]:
        """What a file keeps of it."""
        return [self.low, self.high, self.staleness]

    def fingerprint(self, value: Any) -> int | None:
        """A number that is equal for equal values, or None where that cannot be told."""
        if self.version is not None:
            value = self.version(value)
        try:
            # The first version of the format: later ones tell equal texts apart.
            return hash(marshal.dumps(value, 0))
        except Exception:
            pass
        try:
            return hash(frozen(value))
        except Exception:
            return None


@dataclass(frozen=True, slots=True)
class LifetimeStats:
    """What was seen of changes since the cache was made; all 0 where TTLs are not predicted."""

    #: Values stored with a predicted TTL.
    stored: int = 0
    #: Those compared with an earlier one of their key, and those that were another.
    compared: int = 0
    changed: int = 0
    #: Those that have no fingerprint.
    unreadable: int = 0
    #: Sum of the TTLs predicted.
    seconds: float = 0.0
    #: Keys that are remembered.
    keys: int = 0

    @property
    def mean_ttl(self) -> float:
        """Seconds; 0 where none was predicted."""
        return self.seconds / self.stored if self.stored else 0.0


def frozen(value: Any) -> Any:
    """Something hashable that is equal for equal values.

    Raises TypeError where equality is identity, which says nothing of a value loaded anew.
    """
    kind = type(value)
    if kind is dict:
        return kind, tuple((key, frozen(one)) for key, one in value.items())
    if kind in (list, tuple):
        return kind, tuple(map(frozen, value))
    if kind is set:
        return frozenset(value)
    by_identity: object = object.__hash__
    if kind.__hash__ is by_identity:
        raise TypeError(f"{kind.__name__} is compared by identity")
    return value
