"""The cache for a program: `auto` over Python objects.

What is here is small: entries under keys, an account of them, and what learning needs of a cache at
work. The engine (`augury_core::cache`) does the rest; this module checks arguments, measures sizes
and records.
"""

import os
import sys
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from augury import _core
from augury.artifacts import read_artifact
from augury.capacity import Capacity
from augury.errors import CapacityError, ConfigError
from augury.explanation import JOURNAL, Explanation
from augury.recording.anonymiser import Anonymiser
from augury.recording.live import LiveRecording, Taker
from augury.recording.recording import Recording

if TYPE_CHECKING:
    from augury.learn import Artifact

__all__ = ["Cache", "CacheStats"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
D = TypeVar("D")

#: In the unit of the capacity.
LARGEST_SIZE = 2**32 - 1
#: Seconds.
LONGEST_TTL = 2**32 - 1
#: Decisions and rows that may be kept.
MOST_KEPT = 10_000_000
MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class CacheStats:
    """Counters since the cache was made."""

    #: Requests answered, and not.
    hits: int
    misses: int
    #: Entries added, and removed for room.
    insertions: int
    evictions: int
    #: Entries turned away: worth less than those that are there, or larger than the cache.
    rejections: int
    #: Entries removed because their TTL had passed.
    expired: int

    @property
    def hit_ratio(self) -> float:
        """Share of the requests answered; 0 where there was none."""
        requests = self.hits + self.misses
        return self.hits / requests if requests else 0.0


class Cache(Generic[K, V]):
    """A cache of bounded size that learns what to keep.

    Safe to use from many threads. Keys are compared as by a dictionary; ``__eq__``, ``__hash__``,
    ``sizeof`` and destructors may raise and may call the cache. ``None`` is a value.

    Args:
        capacity: Entries, as a number, or bytes, as text with a unit (``"64 MB"``). With a
            ``sizeof``, a number is in its unit.
        sizeof: Size of an entry, from key and value: a whole number from 1 to 4,294,967,295. By
            default, where the capacity is in bytes, what `sys.getsizeof` says of both, which does
            not count what they refer to. The cache's own memory is not part of the capacity.
        model: A saved model, as for :meth:`load_model`.
        journal: Decisions remembered for :meth:`explain`, at most 10,000,000.
        sample_rows: Feature rows kept for `augury.learn.dataset_of`, at most 10,000,000 and about
            120 bytes each: the latest, reaching over eight mean residences where that many suffice.
            None are kept by default.
        record: A trace to write every get, set and delete to, by its path (endings as for
            :func:`augury.record`), or a :class:`~augury.recording.Recorder`. :meth:`close`
            completes it.
        record_sample: Share of the keys that is recorded.
        record_anonymiser: Hides keys in the trace.
        seed: Of everything random.

    Raises:
        CapacityError: The capacity cannot be.
        ConfigError: Another argument cannot be.
        ArtifactError: The model cannot be used.
        TraceError: The trace cannot be written.

    >>> import augury
    >>> cache = augury.Cache(1000)
    >>> cache.set("user:42", {"name": "Ada"})
    True
    >>> cache.get("user:42")["name"], cache.get("user:7"), len(cache)
    ('Ada', None, 1)
    >>> cache.stats().hit_ratio
    0.5
    """

    def __init__(
        self,
        capacity: int | str | Capacity,
        *,
        sizeof: Callable[[K, V], int] | None = None,
        model: "str | os.PathLike[str] | Artifact | _core.Artifact | None" = None,
        journal: int = JOURNAL,
        sample_rows: int = 0,
        record: str | os.PathLike[str] | Taker | None = None,
        record_sample: float = 1.0,
        record_anonymiser: Anonymiser | None = None,
        seed: int = 1,
    ) -> None:
        asked = Capacity.parse(capacity)
        if asked.absolute is None:
            raise CapacityError(
                f"capacity {capacity!r} is a share of a trace's footprint; a cache takes entries, "
                'such as 1000, or bytes, such as "64 MB"'
            )
        if sizeof is not None and not callable(sizeof):
            raise ConfigError(f"sizeof {sizeof!r}: expected a function of key and value, or None")
        check_number("journal", journal, MOST_KEPT)
        check_number("sample_rows", sample_rows, MOST_KEPT)
        check_number("seed", seed, 2**64 - 1)
        if record is None and (record_sample != 1.0 or record_anonymiser is not None):
            raise ConfigError("record_sample and record_anonymiser are for record, which is None")
        has_unit = any(map(str.isalpha, asked.label))
        self._sizeof = default_size if sizeof is None and has_unit else sizeof
        self._core = _core.Cache(asked.absolute, journal, sample_rows, seed)
        self.load_model(model)
        self._recording = (
            None
            if record is None
            else LiveRecording(record, sample=record_sample, anonymiser=record_anonymiser)
        )

    def get(self, key: K, default: D | None = None) -> V | D | None:
        """The value under the key, or ``default``: a hit or a miss."""
        found = self._core.get(key, default)
        if self._recording is not None:
            self._recording.add(key, "get")
        return cast("V | D | None", found)

    def set(self, key: K, value: V, ttl: float | None = None) -> bool:
        """Store a value, in place of an earlier one; whether it is in the cache now.

        A cache that expects more of what it has turns a newcomer away, and one that is larger than
        the cache; the earlier value under the key is gone in any case.

        Args:
            key: The key.
            value: The value; ``None`` is one.
            ttl: Seconds after which it is no longer served, above 0; never if None.

        Raises:
            ConfigError: The TTL or the size cannot be.
        """
        if ttl is not None and not 0 < ttl <= LONGEST_TTL:
            raise ConfigError(
                f"ttl {ttl!r}: expected seconds above 0, at most {LONGEST_TTL:,}, or None for ever"
            )
        size: Any = 1 if self._sizeof is None else self._sizeof(key, value)
        if not isinstance(size, int) or not 1 <= size <= LARGEST_SIZE:
            raise ConfigError(
                f"an entry of size {size!r}: expected a whole number from 1 to {LARGEST_SIZE:,}; "
                "have sizeof count in a larger unit, and the capacity too"
            )
        stored = self._core.set(key, value, size, ttl)
        if self._recording is not None:
            self._recording.add(key, "set", size, ttl)
        return stored

    def delete(self, key: K) -> bool:
        """Remove the entry under the key; whether there was one."""
        was_there = self._core.delete(key)
        if self._recording is not None:
            self._recording.add(key, "delete")
        return was_there

    def clear(self) -> None:
        """Remove all entries. What has been learned, counted and recorded stays."""
        self._core.clear()

    def __getitem__(self, key: K) -> V:
        """The value under the key; a hit, or a miss and ``KeyError``."""
        found = self.get(key, MISSING)
        if found is MISSING:
            raise KeyError(key)
        return cast("V", found)

    def __setitem__(self, key: K, value: V) -> None:
        """As :meth:`set`, for ever."""
        self.set(key, value)

    def __delitem__(self, key: K) -> None:
        """As :meth:`delete`; ``KeyError`` where there was none."""
        if not self.delete(key):
            raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        """Whether there is a fresh entry under the key. Not a request."""
        return self._core.contains(key)

    def __len__(self) -> int:
        """Number of fresh entries."""
        return self._core.count()

    @property
    def capacity(self) -> int:
        """Entries, bytes, or what ``sizeof`` counts in."""
        return self._core.capacity

    @property
    def used(self) -> int:
        """Sum of the entries' sizes, in the same unit."""
        return self._core.used

    @property
    def memory_bytes(self) -> int:
        """Bytes that the cache itself takes, besides its keys and values."""
        return self._core.memory_bytes

    def stats(self) -> CacheStats:
        """The counters."""
        return CacheStats(**self._core.stats())

    def explain(self, key: K) -> Explanation:
        """Why the key is, or is not, in the cache: what is known of it and was decided about it.

        Not a request. Times are in requests for any key.

        >>> import augury
        >>> cache = augury.Cache(2)
        >>> for key in "abcd":
        ...     if cache.get(key) is None:
        ...         _ = cache.set(key, key.upper())
        >>> gone = next(key for key in "abcd" if key not in cache)
        >>> cache.explain(gone).standing is None, len(cache.explain(gone).decisions)
        (True, 1)
        """
        return Explanation.of(self._core.explain(key))

    def load_model(
        self, model: "str | os.PathLike[str] | Artifact | _core.Artifact | None"
    ) -> None:
        """Put a trained model among the experts, exchange it, or let go of it by None.

        Nothing is removed and nobody waits. Whether the model rules is up to the guard.

        Raises:
            ArtifactError: It cannot be read or used; the cache goes on as before.
            ConfigError: It is no model.
        """
        if isinstance(model, str | os.PathLike):
            loaded: Any = read_artifact(model)
        else:
            loaded = getattr(model, "native", model)
        if loaded is not None and not isinstance(loaded, _core.Artifact):
            raise ConfigError(f"model {model!r}: expected a path, an Artifact or None")
        self._core.set_model(loaded)

    def sampled(self) -> "_core._Dataset":
        """The feature rows that are kept, as columns of bytes.

        `augury.learn.dataset_of` makes a data set of them.

        Raises:
            ConfigError: None are kept.
        """
        found = self._core.sampled()
        if found is None:
            raise ConfigError(
                "this cache keeps no feature rows (sample_rows 0): make it with "
                "Cache(..., sample_rows=100_000)"
            )
        return found

    def close(self) -> Recording | None:
        """Complete the trace that is recorded, if one is; the cache can still be used.

        Returns what came of it, or None where nothing was recorded.

        Raises:
            TraceError: It could not be written.
        """
        return None if self._recording is None else self._recording.close()

    def __enter__(self) -> Self:
        """The cache itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Complete the trace, after an error too."""
        self.close()

    def __repr__(self) -> str:
        """Capacity and number of entries."""
        return f"<augury.Cache of {len(self):,} entries, capacity {self.capacity:,}>"


def check_number(name: str, number: object, most: int) -> None:
    """Refuse what is no whole number from 0 to ``most``."""
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= most:
        raise ConfigError(f"{name} {number!r}: expected a whole number from 0 to {most:,}")


def default_size(key: object, value: object) -> int:
    """Bytes of key and value as objects, without what they refer to."""
    return sys.getsizeof(key) + sys.getsizeof(value)
