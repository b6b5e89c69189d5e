"""Typed face of the extension; tests/test_stub.py holds it against the binary."""

from typing import TypedDict, final

__all__ = [
    "Artifact",
    "Cache",
    "DecayedFrequency",
    "Requests",
    "Session",
    "TextLines",
    "Ticker",
    "Trace",
    "TraceWriter",
    "WindowFrequency",
    "__version__",
    "convert",
    "feature_schema",
    "inspect",
    "policies",
    "prefetchers",
    "read_capacity",
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
    def manifest(self) -> str: ...
    @property
    def steps(self) -> tuple[int, int]: ...
    def predict(self, rows: bytes, serving: bool) -> bytes: ...

@final
class Cache:
    def __new__(cls, capacity: int, journal: int, samples: int, seed: int) -> Cache: ...
    def get(self, key: object, default: object) -> object: ...
    def set(self, key: object, value: object, size: int, ttl: float | None) -> bool: ...
    def delete(self, key: object) -> bool: ...
    def contains(self, key: object) -> bool: ...
    def clear(self) -> None: ...
    def count(self) -> int: ...
    @property
    def capacity(self) -> int: ...
    @property
    def used(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...
    def stats(self) -> _CacheStats: ...
    def explain(self, key: object) -> _Explanation: ...
    def set_model(self, model: Artifact | None) -> None: ...
    def sampled(self) -> _Dataset | None: ...

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
        prefetch: tuple[float, str] | None = None,
    ) -> _Outcome: ...
    def dataset(
        self,
        asked: tuple[float | None, int | None],
        rows: int,
        until: int | None,
        seed: int,
        ticker: Ticker,
    ) -> _Dataset: ...
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
    def freshness(
        self, contenders: list[tuple[str, float]], ticker: Ticker
    ) -> list[tuple[int, int, int, int]]: ...
    def write_oracle_general(self, path: str) -> None: ...

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
def policies() -> tuple[str, ...]: ...
def prefetchers() -> tuple[str, ...]: ...
def read_capacity(text: str) -> tuple[float | None, int | None]: ...
def trace_name(source: str) -> str: ...
def workloads() -> list[tuple[str, str, list[tuple[str, float, str]]]]: ...
