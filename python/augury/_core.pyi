"""Typed face of the extension; tests/test_stub.py holds it against the binary."""

from collections.abc import (
    Callable,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
)
from typing import Any, Self, TypeAlias, TypedDict, TypeVar, final

from typing_extensions import disjoint_base

__all__ = [
    "Artifact",
    "Cache",
    "DecayedFrequency",
    "Entries",
    "Entry",
    "Leased",
    "Memoized",
    "PageServer",
    "Permit",
    "Requests",
    "Sample",
    "Sequence",
    "Session",
    "Tag",
    "TextLines",
    "Ticker",
    "Trace",
    "TraceWriter",
    "WindowFrequency",
    "__version__",
    "convert",
    "feature_schema",
    "inspect",
    "largest_told",
    "merge_told",
    "policies",
    "prefetchers",
    "read_capacity",
    "read_told",
    "serve",
    "shown",
    "trace_name",
    "workloads",
]

__version__: str

class _Outcome(TypedDict):
    capacity_bytes: int
    requests: int
    misses: int
    requested_bytes: int
    missed_bytes: int
    seconds: float
    insertions: int
    rejections: int
    evictions: int
    expired: int
    resident: int
    memory_bytes: int
    windows: list[tuple[int, int, str | None]]
    prefetch: tuple[int, int] | None

class _Dataset(TypedDict):
    rows: bytes
    ticks: bytes
    waits: bytes
    observed: bytes
    requests: int
    capacity_bytes: int
    residence: float

class _Demands(TypedDict):
    keys: bytes
    sizes: bytes
    sessions: bytes
    namespaces: bytes
    requests: int

class _Foresights(TypedDict):
    demands: int
    issued: int
    in_time: int
    late: int
    failed: int
    dropped: int
    in_flight: int
    staged: int

class _Renewals(TypedDict):
    issued: int
    used: int
    failed: int

class _Lifetimes(TypedDict):
    stored: int
    compared: int
    changed: int
    unreadable: int
    seconds: float
    keys: int

class _CacheStats(TypedDict):
    hits: int
    misses: int
    insertions: int
    evictions: int
    rejections: int
    expired: int

class _History(TypedDict):
    age: int
    count: int
    heat: float
    reuse: int | None

class _Standing(TypedDict):
    history: _History
    size: int
    score: float
    density: float
    prediction: float | None
    compared: int
    below: int

class _Expert(TypedDict):
    name: str
    live: bool
    standing: float
    holds: bool | None

class _Decision(TypedDict):
    tick: int
    act: str
    history: _History
    size: int
    ruling: str
    score: float
    newcomer: float | None
    looks: int
    holders: list[str] | None

class _Explanation(TypedDict):
    now: int
    ruling: str
    standing: _Standing | None
    ghost: _History | None
    experts: list[_Expert]
    decisions: list[_Decision]
    recorded_since: int | None

class _Story(_Explanation):
    replayed: int
    capacity_bytes: int
    residents: int
    requests: int
    hits: int
    latest: list[tuple[int, bool]]
    resident: bool

class _Drift(TypedDict):
    labelled: int
    log_loss: float
    expected_log_loss: float
    calibration_error: float
    alarm: tuple[int, int, float, float] | None

@final
class Artifact:
    def __new__(cls, data: bytes, budget: int = 24_000) -> Artifact: ...
    @property
    def hash(self) -> str: ...
    @property
    def data(self) -> bytes: ...
    @property
    def manifest(self) -> str: ...
    @property
    def steps(self) -> tuple[int, int]: ...
    def predict(self, rows: bytes, serving: bool) -> bytes: ...

@final
class Sequence:
    def __new__(cls, data: bytes) -> Sequence: ...
    @staticmethod
    def is_one(data: bytes) -> bool: ...
    @property
    def hash(self) -> str: ...
    @property
    def manifest(self) -> str: ...
    @property
    def continuations(self) -> tuple[int, int]: ...

_T = TypeVar("_T")
_Extra: TypeAlias = tuple[int | None, int | None, int | None, float, list[_T]]

@disjoint_base
class Cache:
    def __new__(cls, *_arguments: object, **_options: object) -> Self: ...
    def begin(
        self,
        *,
        capacity: int,
        policy: str,
        sizeof: Callable[[Any, Any], int] | None,
        ttl: float | None,
        tti: float | None,
        jitter: float,
        timer: Callable[[], float] | None,
        listener: Callable[[Any, Any, str], object] | None,
        tags: MutableMapping[Any, Tag],
        journal: int,
        samples: int,
        curve: bool,
        seed: int,
    ) -> None: ...
    def get(self, key: Any, default: Any = None, *, session: Hashable = None) -> Any: ...
    def set(
        self,
        key: Any,
        value: Any,
        ttl: float | None = None,
        *,
        tti: float | None = None,
        tags: Iterable[Hashable] | None = None,
        force: bool = False,
        stale: float = 0.0,
        load_seconds: float = 0.0,
    ) -> bool: ...
    def add(self, key: Any, value: Any, ttl: float | None = None) -> bool: ...
    def delete(self, key: Any) -> bool: ...
    def take(self, key: Any, default: Any) -> Any: ...
    def peek(self, key: Any, default: Any = None) -> Any: ...
    def stored(self, key: Any, default: Any = None) -> Any: ...
    def pin(self, key: Any) -> bool: ...
    def unpin(self, key: Any) -> bool: ...
    def touch(self, key: Any, ttl: float | None = None) -> bool: ...
    def replace(self, key: Any, old: Any, new: Any) -> bool: ...
    def clear(self) -> None: ...
    def expire(self) -> int: ...
    def change_capacity(self, capacity: int) -> None: ...
    def entries(self) -> Entries: ...
    def __getitem__(self, key: Any, /) -> Any: ...
    def __setitem__(self, key: Any, value: Any, /) -> None: ...
    def __delitem__(self, key: Any, /) -> None: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __iter__(self) -> Iterator[Any]: ...
    @property
    def capacity(self) -> int: ...
    @property
    def used(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...
    @property
    def ttl(self) -> float | None: ...
    def counts(self) -> _CacheStats: ...
    def explanation(self, key: Any) -> _Explanation: ...
    def set_model(self, model: Artifact | None) -> None: ...
    def set_costs(self, relative: list[float]) -> None: ...
    def rows(self) -> _Dataset | None: ...
    def record_with(self, recorder: Callable[..., object]) -> None: ...
    def watch_with(self, watcher: Callable[[Any], object]) -> None: ...
    def watch(self, is_on: bool) -> None: ...
    def load_with(self, miss: Callable[..., Any], loads_items: bool, beta: float) -> None: ...
    def get_or_load(
        self,
        key: Any,
        loader: Callable[[Any], Any] | None = None,
        *,
        ttl: float | None = None,
        tags: Iterable[Hashable] | None = None,
        timeout: float | None = None,
        namespace: str | None = None,
        session: Hashable = None,
    ) -> Any: ...
    def ready(self, key: Any, default: Any, session: Hashable = None) -> Any: ...
    def past(self, key: Any) -> tuple[Entry, float] | None: ...
    def store(
        self,
        permit: Permit,
        key: Any,
        value: Any,
        ttl: float | None,
        tags: Iterable[Hashable] | None,
        stale: float,
        load_seconds: float,
        namespace: int,
    ) -> bool | None: ...
    def discard(self, permit: Permit, key: Any) -> None: ...
    def get_many(self, keys: Iterable[Any], *, session: Hashable = None) -> dict[Any, Any]: ...
    def known_many(self, keys: Iterable[Any], session: Hashable = None) -> dict[Any, Any]: ...
    def prefetch_with(self, go: Callable[[], object], budget: float) -> None: ...
    def launch(self, limit: int) -> list[Any]: ...
    def stage(
        self,
        permit: Permit,
        key: Any,
        value: Any,
        ttl: float | None,
        tags: Iterable[Hashable] | None,
        stale: float,
        load_seconds: float,
    ) -> None: ...
    def unfetched(self, key: Any, is_absent: bool) -> None: ...
    def recall(self, key: Any) -> None: ...
    def recall_all(self) -> None: ...
    def refresh_with(self, go: Callable[[], object], budget: float) -> None: ...
    def take_due(self, limit: int) -> list[Any]: ...
    def planned(self, key: Any, seconds: float | None) -> None: ...
    def unplanned(self, key: Any, has_begun: bool) -> None: ...
    def renewals(self) -> _Renewals | None: ...
    def predict_with(
        self,
        fingerprint: Callable[[Any], int | None],
        low: float,
        high: float,
        staleness: float,
    ) -> None: ...
    def lifetime_counts(self) -> _Lifetimes | None: ...
    def foresights(self) -> _Foresights | None: ...
    def set_many(
        self,
        entries: Mapping[Any, Any],
        ttl: float | None = None,
        *,
        tags: Iterable[Hashable] | None = None,
    ) -> list[Any]: ...
    def delete_many(self, keys: Iterable[Any]) -> int: ...
    def curve_points(self) -> list[tuple[int, float, float]] | None: ...
    def seconds(self) -> float: ...
    def size_with(self, decide: Callable[[], object], seconds: float) -> None: ...
    def note_leavers(self) -> None: ...
    def leavers(self) -> list[tuple[Any, _Explanation | None]]: ...
    def next_noted(self, count: int) -> tuple[list[tuple[Any, int, float | None]], bool]: ...
    def export(
        self,
    ) -> tuple[
        list[tuple[int, bytes | None]],
        list[tuple[Any, Any, int, bool, int | None, bytes | None, _Extra[Tag] | None]],
    ]: ...
    def restore_memory(self, memories: list[tuple[int, bytes | None]]) -> None: ...
    def learn_together(self, secret: bytes, most: int) -> None: ...
    def look_back(self) -> int: ...
    def tell(self) -> bytes: ...
    def hear(self, told: bytes) -> tuple[int, int]: ...
    def measure(self, key: Any, value: Any) -> int: ...
    def restore(
        self,
        key: Any,
        value: Any,
        size: int | None,
        is_pinned: bool,
        left: int | None,
        history: bytes | None,
        extra: _Extra[Any] | None,
    ) -> bool: ...

@final
class Tag:
    def __new__(cls) -> Self: ...
    def invalidate(self) -> None: ...

@final
class Entry:
    @property
    def value(self) -> Any: ...
    @property
    def load_seconds(self) -> float: ...
    @property
    def is_due(self) -> bool: ...
    def claim(self) -> bool: ...
    def release(self) -> None: ...

@disjoint_base
class Leased:
    def __new__(cls, *_arguments: object, **_options: object) -> Self: ...
    def lease(self, cache: Cache, ask: Callable[[Any, Any, Any, bool], Any]) -> None: ...
    @staticmethod
    def clock() -> float: ...
    def vouch(self, until: float) -> None: ...
    @property
    def is_vouched(self) -> bool: ...
    def get(self, key: Any, default: Any = None, *, session: Hashable = None) -> Any: ...
    def held(self, key: Any, default: Any, session: Hashable = None) -> Any: ...

@disjoint_base
class Memoized:
    def __new__(
        cls,
        cache: Cache,
        load: Callable[[Any, tuple[Any, ...], dict[str, Any] | None], Any],
        mark: object,
        is_typed: bool,
    ) -> Self: ...
    def __call__(self, *arguments: Any, **named: Any) -> Any: ...
    def cache_key(self, *arguments: Any, **named: Any) -> Any: ...
    def __get__(self, instance: Any, owner: Any = None, /) -> Any: ...

@final
class PageServer:
    def __new__(
        cls,
        host: str,
        port: int,
        password: str | None,
        see: Callable[[], str],
        glance: Callable[[], str],
    ) -> Self: ...
    @property
    def address(self) -> tuple[str, int]: ...
    def close(self) -> None: ...

@final
class Permit:
    def __new__(cls) -> Self: ...
    @property
    def is_revoked(self) -> bool: ...
    def revoke(self) -> None: ...

@final
class Entries:
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...

@final
class Ticker:
    def __new__(cls) -> Ticker: ...
    @property
    def requests(self) -> int: ...
    def cancel(self) -> None: ...

@final
class Trace:
    def __new__(
        cls,
        source: str,
        trace_format: str | None = None,
        columns: str | None = None,
        skip_bad: bool = False,
        in_memory: bool = True,
    ) -> Trace: ...
    @property
    def requests(self) -> int: ...
    @property
    def objects(self) -> int: ...
    @property
    def footprint(self) -> int: ...
    @property
    def seconds(self) -> int | None: ...
    @property
    def skipped(self) -> dict[str, int]: ...
    def resolve(self, asked: tuple[float | None, int | None]) -> int: ...
    def replay(
        self,
        policy: str,
        asked: tuple[float | None, int | None],
        seed: int,
        ticker: Ticker,
        model: Artifact | None = None,
        warmup: int = 0,
        until: int | None = None,
        prefetch: tuple[float, str | Sequence] | None = None,
    ) -> _Outcome: ...
    def dataset(
        self,
        asked: tuple[float | None, int | None],
        rows: int,
        until: int | None,
        seed: int,
        ticker: Ticker,
    ) -> _Dataset: ...
    def demands(
        self,
        asked: tuple[float | None, int | None],
        until: int | None,
        latest: int,
        seed: int,
        ticker: Ticker,
    ) -> _Demands: ...
    def explain(
        self,
        key: str,
        asked: tuple[float | None, int | None],
        at: int | None,
        seed: int,
        ticker: Ticker,
        model: Artifact | None = None,
        journal: int = 4096,
    ) -> _Story: ...
    def lru_curve(self, capacities: list[int], ticker: Ticker) -> list[tuple[int, float]]: ...
    def sample(self, ratio: float, ticker: Ticker) -> Sample: ...
    def freshness(
        self, contenders: list[tuple[str, float]], ticker: Ticker
    ) -> list[tuple[int, int, int, int]]: ...
    def write_oracle_general(self, path: str) -> None: ...

@final
class Sample:
    @property
    def ratio(self) -> float: ...
    @property
    def requests(self) -> int: ...
    def point(
        self, policy: str, capacity: int, seed: int, ticker: Ticker, lru: float | None = None
    ) -> tuple[float, float]: ...

@final
class Session:
    def __new__(
        cls,
        trace: Trace,
        asked: tuple[float | None, int | None],
        seed: int,
        rate: float,
        rows: int,
    ) -> Session: ...
    def advance(self, requests: int) -> int: ...
    def set_model(self, model: Artifact | None, renews: bool = False) -> None: ...
    def samples(self) -> _Dataset: ...
    @property
    def drift(self) -> _Drift | None: ...
    @property
    def counts(self) -> tuple[int, int]: ...
    @property
    def position(self) -> tuple[int, int]: ...
    @property
    def ruling(self) -> str | None: ...
    @property
    def memory_bytes(self) -> int: ...

@final
class Requests:
    def __new__(
        cls,
        source: str,
        trace_format: str | None = None,
        columns: str | None = None,
        skip_bad: bool = False,
    ) -> Requests: ...
    def next_chunk(self) -> list[tuple[int, int, int, str, int, int, int]]: ...
    @property
    def skipped(self) -> int: ...

@final
class TextLines:
    def __new__(cls, source: str) -> TextLines: ...
    def next_chunk(self) -> list[tuple[int, str | None, str | None]]: ...

@final
class TraceWriter:
    def __new__(cls, path: str, to: str) -> TraceWriter: ...
    def write(self, requests: list[tuple[int, bytes, int, str, int]]) -> None: ...
    def finish(self) -> int: ...
    def discard(self) -> None: ...

@final
class WindowFrequency:
    def __new__(
        cls, width: int, panes: int, sketch_width: int, heavy_hitters: int
    ) -> WindowFrequency: ...
    def record(self, key: str | bytes | int) -> None: ...
    def probability(self, key: str | bytes | int) -> float: ...
    def heavy_hitters(self) -> list[tuple[str | bytes | int, float]]: ...
    @property
    def requests(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...

@final
class DecayedFrequency:
    def __new__(
        cls, half_life: float, sketch_width: int, heavy_hitters: int
    ) -> DecayedFrequency: ...
    def record(self, key: str | bytes | int, time: float) -> None: ...
    def probability(self, key: str | bytes | int) -> float: ...
    def heavy_hitters(self) -> list[tuple[str | bytes | int, float]]: ...
    @property
    def requests(self) -> float: ...
    @property
    def memory_bytes(self) -> int: ...

def convert(
    source: str,
    trace_format: str | None,
    columns: str | None,
    skip_bad: bool,
    target: str,
    to: str,
) -> tuple[int, int]: ...
def feature_schema() -> tuple[int, list[tuple[str, str]]]: ...
def inspect(source: str, trace_format: str | None, columns: str | None, skip_bad: bool) -> str: ...
def largest_told() -> int: ...
def merge_told(told: list[bytes], most: int, token: int) -> tuple[bytes, int]: ...
def policies() -> tuple[str, ...]: ...
def prefetchers() -> tuple[str, ...]: ...
def read_capacity(text: str) -> tuple[float | None, int | None]: ...
def read_told(told: bytes) -> tuple[int, int, int, int]: ...
def serve(arguments: list[str]) -> int: ...
def shown(key: bytes) -> str: ...
def trace_name(source: str) -> str: ...
def workloads() -> list[tuple[str, str, list[tuple[str, float, str]]]]: ...
