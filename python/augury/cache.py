"""The cache for a program: a mapping of bounded size over Python objects.

What is asked for most (get, set, `in`) is the extension's own, without a step of Python in
between; this module checks the arguments of a new cache and adds what is asked for seldom.
"""

import os
from collections.abc import (
    Awaitable,
    Callable,
    Hashable,
    ItemsView,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
    ValuesView,
)
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, SupportsIndex, TypeVar, overload

from augury import _core
from augury.accounts import Accounts, CacheStats
from augury.artifacts import read_artifact
from augury.autosizing import Autosize, Sizer
from augury.capacity import Capacity
from augury.errors import ConfigError, PersistenceError
from augury.explanation import JOURNAL
from augury.lifetimes import PredictedTTL
from augury.loading import Reader, Settings
from augury.recording.anonymiser import Anonymiser
from augury.recording.live import LiveRecording, Taker
from augury.recording.recording import Recording
from augury.sizes import deep_size
from augury.tags import Tags
from augury.views import Items, Values

if TYPE_CHECKING:
    from augury.learn import Artifact
    from augury.page import CachePage
    from augury.persistence.serializer import Serializer

__all__ = ["Cache", "CacheStats"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
D = TypeVar("D")

#: Decisions and rows that may be kept.
MOST_KEPT = 10_000_000
#: Decisions that are remembered in the smallest of caches.
FEWEST_DECISIONS = 16
MISSING: Any = object()


class Cache(Accounts[K, V], MutableMapping[K, V]):
    """A mapping of bounded size that learns what to keep.

    Safe to use from many threads. Keys are compared as by a dictionary; ``__eq__``, ``__hash__``,
    ``sizeof``, listeners and destructors may raise and may call the cache. ``None`` is a value.
    Iteration is no request and is safe while the cache changes: an entry that stays is seen once.

    Args:
        capacity: Entries, as a number, or bytes, as text with a unit (``"64 MB"``). With a
            ``sizeof``, a number is in its unit.
        ttl: Seconds that an entry is served after it was stored, unless :meth:`set` says
            otherwise; for ever if None.
        tti: Seconds that it is served after its latest get, likewise.
        predicted_ttl: The shortest and the longest TTL, in seconds, in place of ``ttl``: each value
            gets one between them, by how often its like has changed. ``(low, high)``, or a
            :class:`~augury.PredictedTTL`, which says how; see :meth:`lifetimes`. A value that
            :meth:`touch` keeps has ``low`` from then on.
        jitter: Share by which TTLs are shortened at random, at most: what was stored together then
            does not expire together.
        policy: Who decides what stays: ``auto``, which learns, or a fixed one: ``lru fifo lfu
            sieve s3fifo wtinylfu gdsf hyperbolic survival``.
        sizeof: Size of an entry, from key and value: a whole number from 1 to 4,294,967,295. By
            default, where the capacity is in bytes, what both take with all they refer to, as
            :func:`augury.sizes.deep_size` estimates it. The cache's own memory is not part of the
            capacity.
        on_removal: Called with key, value and cause (``expired explicit replaced evicted``) after
            an entry has left. What it raises is reported as unraisable.
        timer: Seconds on a clock that never goes back, in place of the system's; for tests.
        model: A saved model, as for :meth:`load_model`.
        journal: Decisions remembered for :meth:`explain`, at most 10,000,000; by default an
            eighth of the capacity, from 16 up to 4,096.
        sample_rows: Feature rows kept for `augury.learn.dataset_of`, at most 10,000,000 and about
            120 bytes each: the latest, reaching over eight mean residences where that many suffice.
            None are kept by default.
        loader: What :meth:`get_or_load`, its twin and ``cache[key]`` load a missing key with:
            called with the key, returns the value or raises `NotFound`. ``get`` never loads.
        bulk_loader: What :meth:`get_or_load_many` and its twin load missing keys with: called with
            a list of keys, returns a mapping of those that exist.
        load_timeout: Seconds that callers wait for a load, unless they say otherwise; then
            `LoadError`, while the load goes on. With one, another thread than the caller's runs
            the loader; what a loader asks for itself is part of its own time.
        stale: Seconds after its TTL in which a loaded entry is still served to those who load,
            while one of them has it loaded anew in the background.
        stale_if_error: Seconds after its TTL in which it is served where loading fails.
        early_refresh: How eagerly entries are loaded anew before their TTL passes, at random and
            the earlier the longer a load takes (XFetch's beta); 1 is the paper's, 0 never.
        refresh_ahead: Loads that may be added to those on demand, as a share (0.1 for 10%), to load
            entries anew before they expire, where their keys are likely to be asked for again: by
            when they were asked for, learned key by key. Of entries that the cache's own loader
            has loaded, with the cache's own TTL. What is due is looked for by whoever asks the
            cache for something: without requests nothing is reloaded. See :meth:`refreshes`.
        prefetch: Loads that may be added to those on demand, as a share (0.1 for 10%), for keys
            that are likely to be asked for next, by what followed what and by runs of numbers.
            They are loaded in the background by the cache's own loader, the bulk loader if there
            is one, and take at most an eighth of the capacity. None, the default, fetches nothing
            ahead. Up to 65,536 keys are held to be fetched again. See :meth:`prefetches`.
        negative_ttl: Seconds for which it is remembered that a loader raised `NotFound`; not if
            None. Every write costs a call of Python then.
        negative_capacity: Bytes of memory for that.
        curve: Whether to measure what other capacities would give, for :meth:`miss_ratio_curve`:
            16 KiB (80 above 1,000 entries or bytes), and 11 to 100 ns a request, which is why it is
            not measured unless asked for.
        autosize: How to choose the capacity by itself; it is then not changed but by that. Measures
            the curve.
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
    >>> cache["user:42"] = {"name": "Ada"}
    >>> cache.get("user:42")["name"], cache.get("user:7"), len(cache)
    ('Ada', None, 1)
    >>> cache.stats().hit_ratio
    0.5
    """

    def __init__(
        self,
        capacity: int | str | Capacity = 100_000,
        *,
        ttl: float | None = None,
        tti: float | None = None,
        predicted_ttl: PredictedTTL | Sequence[float] | None = None,
        jitter: float = 0.0,
        policy: str = "auto",
        sizeof: Callable[[K, V], int] | None = None,
        on_removal: Callable[[K, V, str], object] | None = None,
        timer: Callable[[], float] | None = None,
        model: "str | os.PathLike[str] | Artifact | _core.Artifact | None" = None,
        journal: int | None = None,
        sample_rows: int = 0,
        loader: Callable[[K], V | Awaitable[V]] | None = None,
        bulk_loader: Callable[[list[K]], Mapping[K, V] | Awaitable[Mapping[K, V]]] | None = None,
        load_timeout: float | None = None,
        stale: float = 0.0,
        stale_if_error: float = 0.0,
        early_refresh: float = 0.0,
        refresh_ahead: float | None = None,
        prefetch: float | None = None,
        negative_ttl: float | None = None,
        negative_capacity: int | str | Capacity = "1 MB",
        curve: bool = False,
        autosize: Autosize | None = None,
        record: str | os.PathLike[str] | Taker | None = None,
        record_sample: float = 1.0,
        record_anonymiser: Anonymiser | None = None,
        seed: int = 1,
    ) -> None:
        asked = Capacity.parse(capacity)
        settings = Settings(
            loader=loader,
            bulk_loader=bulk_loader,
            stale=stale,
            stale_if_error=stale_if_error,
            load_timeout=load_timeout,
            negative_ttl=negative_ttl,
            negative_capacity=negative_capacity,
            early_refresh=early_refresh,
            refresh_ahead=refresh_ahead,
            prefetch=prefetch,
        )
        for name, function in (("sizeof", sizeof), ("on_removal", on_removal), ("timer", timer)):
            if function is not None and not callable(function):
                raise ConfigError(f"{name} {function!r}: expected a function, or None")
        room = asked.for_cache()
        asked_journal = journal
        if journal is None:
            journal = min(max(room // 8, FEWEST_DECISIONS), JOURNAL)
        check_number("journal", journal, MOST_KEPT)
        check_number("sample_rows", sample_rows, MOST_KEPT)
        check_number("seed", seed, 2**64 - 1)
        check_policy(policy)
        if autosize is not None and not isinstance(autosize, Autosize):
            raise ConfigError(f"autosize {autosize!r}: expected an augury.Autosize, or None")
        if record is None and (record_sample != 1.0 or record_anonymiser is not None):
            raise ConfigError("record_sample and record_anonymiser are for record, which is None")
        prediction = None if predicted_ttl is None else PredictedTTL.of(predicted_ttl)
        if prediction is not None and ttl is not None:
            raise ConfigError(
                f"predicted_ttl {predicted_ttl!r} and ttl {ttl!r}: expected one of them; the "
                "bounds of predicted_ttl may be equal"
            )
        if refresh_ahead is not None and ttl is None and prediction is None:
            raise ConfigError(
                f"refresh_ahead {refresh_ahead!r}: without a ttl nothing expires; make the cache "
                "with Cache(..., ttl=seconds), or without refresh_ahead"
            )
        has_unit = any(map(str.isalpha, asked.label))
        tags = Tags()
        self.begin(
            capacity=room,
            policy=policy,
            sizeof=deep_size if sizeof is None and has_unit else sizeof,
            ttl=ttl if prediction is None else prediction.low,
            tti=tti,
            jitter=jitter,
            timer=timer,
            listener=on_removal,
            tags=tags,
            journal=journal,
            samples=sample_rows,
            curve=curve or autosize is not None,
            seed=seed,
        )
        self._unit = "own" if sizeof is not None else "bytes" if has_unit else "entries"
        self._options: dict[str, Any] = {
            "policy": policy,
            "ttl": ttl,
            "tti": tti,
            "predicted_ttl": None if prediction is None else prediction.saved,
            "jitter": jitter,
            "journal": asked_journal,
            "sample_rows": sample_rows,
            "curve": curve,
            "seed": seed,
        }
        self._model: _core.Artifact | None = None
        self._draining: Iterator[tuple[Any, Any]] = iter(())
        self._tags = tags
        if prediction is not None:
            self.predict_with(
                prediction.fingerprint, prediction.low, prediction.high, prediction.staleness
            )
        self._read_by(Reader(settings, self._tags, timer))
        self._measures = curve or autosize is not None
        self._is_lru = policy == "lru"
        self._made = self.seconds()
        if model is not None:
            self.load_model(model)
        if autosize is not None:
            self._sizer = Sizer(self, autosize, self._bytes_per_unit(autosize.bytes_per_unit))
            self.size_with(self._sizer.look, autosize.seconds)
        self._recording: LiveRecording | None = None
        if record is not None:
            self._recording = LiveRecording(
                record, sample=record_sample, anonymiser=record_anonymiser
            )
            self.record_with(self._recording.add)

    if TYPE_CHECKING:
        # The extension's own, with the types of this cache.
        @overload  # type: ignore[override]
        def get(self, key: K, *, session: Hashable = None) -> V | None: ...
        @overload
        def get(self, key: K, default: V | D, *, session: Hashable = None) -> V | D: ...
        def get(self, key: K, default: object = None, *, session: Hashable = None) -> Any:
            """Look the key up: a hit or a miss. By session prefetching learns what follows what."""

        @overload  # type: ignore[override]
        def peek(self, key: K) -> V | None: ...
        @overload
        def peek(self, key: K, default: V | D) -> V | D: ...
        def peek(self, key: K, default: object = None) -> Any:
            """Look the key up; no request."""

        def __getitem__(self, key: K, /) -> V: ...
        def __setitem__(self, key: K, value: V, /) -> None: ...
        def __delitem__(self, key: K, /) -> None: ...
        def __iter__(self) -> Iterator[K]: ...

    @overload
    def pop(self, key: K, /) -> V: ...
    @overload
    def pop(self, key: K, /, default: V | D) -> V | D: ...
    def pop(self, key: K, /, default: Any = MISSING) -> Any:
        """Remove the entry and return its value, or ``default``; without one, ``KeyError``."""
        found = self.take(key, default)
        if found is MISSING:
            raise KeyError(key)
        return found

    def popitem(self) -> tuple[K, V]:
        """Remove and return some entry; ``KeyError`` where there is none."""
        # Where the one before has stopped: what has left need not be passed by again.
        for draining in (self._draining, iter(self.entries())):
            for key, _ in draining:
                value = self.take(key, MISSING)
                if value is not MISSING:
                    self._draining = draining
                    return key, value
        self._draining = iter(())
        raise KeyError("the cache is empty")

    def items(self) -> ItemsView[K, V]:
        """Keys and values, as they are when they are iterated over. No requests."""
        return Items(self)

    def values(self) -> ValuesView[V]:
        """Values, as they are when they are iterated over. No requests."""
        return Values(self)

    def resize(self, capacity: int | str | Capacity) -> None:
        """Change the capacity, evicting what no longer fits. What has been learned stays.

        Raises:
            CapacityError: The capacity cannot be.
        """
        self.change_capacity(Capacity.parse(capacity).for_cache())

    @property
    def maxsize(self) -> int:
        """The capacity, under the name that `cachetools` has for it."""
        return self.capacity

    @property
    def currsize(self) -> int:
        """The room that is used, under the name that `cachetools` has for it."""
        return self.used

    def serve_page(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        name: str = "augury cache",
        password: str | None = None,
    ) -> "CachePage":
        """Serve a web page on which the cache is watched, until it is closed.

        Hit ratio beside LRU's and what other capacities would give (with ``curve=True``), keys that
        are asked for most and that take most, what came of prefetching, and why the last evictions
        happened; as JSON at ``page.json``. A thread of the extension serves it, and asks the cache
        every two seconds. Keys are shown, by ``repr`` where they are no text: without a password
        the page is for this machine alone.

        Args:
            port: The port to listen on; 0 lets the system choose.
            host: An address of this machine.
            name: What the page calls the cache.
            password: What a visitor has to know, by any name (HTTP's Basic scheme, without TLS).

        Raises:
            ConfigError: An argument cannot be, or others could see the page without a password.
            OSError: The address cannot be listened on.

        >>> import augury, urllib.request
        >>> cache = augury.Cache(1000, curve=True)
        >>> with cache.serve_page() as page:
        ...     with urllib.request.urlopen(page.url) as answer:
        ...         answer.status
        200
        """
        from augury.page import CachePage, Facts

        unit = "units" if self._unit == "own" else self._unit
        facts = Facts(name, self._options["policy"], unit, self._measures)
        return CachePage(self, facts, host=host, port=port, password=password)

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
        self.set_model(loaded)
        self._model = loaded

    def save(self, path: str | os.PathLike[str], serializer: "Serializer | None" = None) -> int:
        """Write entries, histories and what was learned to a file, and return how many entries.

        The file holds data only: keys and values as the serializer makes bytes of them, with sizes,
        what is left of TTL and TTI, tags and pins; of each entry what the policy remembers; what it
        has learned of all of them, which expert rules, and the trained model that is loaded. It is
        written under another name and renamed, so a file of this name is whole. Other threads go
        on meanwhile: saved is what was there at one instant.

        Not kept are functions (``sizeof``, ``on_removal``, ``timer``), how it loads, counters,
        recordings, and what is remembered of objects that have left and of how values change: keys
        are known by hashes there, which Python salts anew in every process.

        Args:
            path: The file; what is there is replaced.
            serializer: An object with ``dumps(object) -> bytes`` and ``loads(bytes) -> object``. By
                default :class:`~augury.persistence.PlainData` (extra ``save``), which runs nothing
                it reads.

        Raises:
            PersistenceError: A key or value cannot be saved, or the file cannot be written; what
                was there before is there still.
            ConfigError: The serializer is none, or msgpack is not installed.

        >>> import augury, os, tempfile
        >>> cache = augury.Cache(1000, ttl=3600)
        >>> cache["user:42"] = {"name": "Ada", "roles": ("admin", "staff")}
        >>> path = os.path.join(tempfile.mkdtemp(), "users.cache")
        >>> cache.save(path)
        1
        >>> augury.Cache.load(path, capacity=500)["user:42"]
        {'name': 'Ada', 'roles': ('admin', 'staff')}
        """
        from augury.persistence.saving import save

        return save(
            self,
            path,
            serializer,
            unit=self._unit,
            options=self._options,
            model=None if self._model is None else self._model.data,
            tags=self._tags,
        )

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        serializer: "Serializer | None" = None,
        *,
        elapsed: float | None = None,
        **options: Any,
    ) -> Self:
        """Make a cache of a file that :meth:`save` has written.

        It goes on as the one that was saved would have: with its capacity and options, its entries
        and what it knew of them. Where there is less room, those stay that would have stayed
        longest; under another policy they come in the order in which they would have left, so that
        `lru` and its like begin with a sensible one. Nothing of it counts as a request, and
        ``on_removal`` is not told of what has expired meanwhile or has no room. A subclass is made
        by the same arguments.

        Args:
            path: The file. It is checked as a whole before anything of it is used.
            serializer: As for :meth:`save`. Load by `pickle` what you trust alone.
            elapsed: Seconds since it was saved, which TTLs and TTIs are shortened by; by default as
                the system's clock says.
            options: Arguments of the cache in place of the saved ones. Where the saved cache had a
                ``sizeof`` it has to be given again, or a ``capacity`` in entries or bytes, for
                which sizes are measured anew. ``autosize`` is not saved.

        Raises:
            PersistenceError: The file cannot be read, is damaged, or is none.
            ConfigError: An option cannot be, or the serializer is not the file's.
            CapacityError: The capacity cannot be.
        """
        from augury.persistence.loading import load

        return load(cls, lambda made: made._unit, path, serializer, elapsed, options)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse to be copied or pickled."""
        raise PersistenceError(
            "a cache can be neither copied nor pickled: cache.save(path) writes its entries and "
            "what it has learned, augury.Cache.load(path) makes another one of them"
        )

    def close(self) -> Recording | None:
        """Complete the trace that is recorded, if one is, and let go of the threads that load.

        The cache can still be used.

        Returns what came of it, or None where nothing was recorded.

        Raises:
            TraceError: It could not be written.
        """
        self._reader.workers.close()
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


def check_policy(policy: object) -> None:
    """Refuse what is no policy, or one that only a replay can have."""
    names = [name for name in _core.policies() if not name.startswith("belady")]
    if policy not in names:
        raise ConfigError(f"policy {policy!r}: expected one of {', '.join(names)}")


def check_number(name: str, number: object, most: int) -> None:
    """Refuse what is no whole number from 0 to ``most``."""
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= most:
        raise ConfigError(f"{name} {number!r}: expected a whole number from 0 to {most:,}")
