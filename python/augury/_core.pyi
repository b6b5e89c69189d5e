"""Typed face of the extension; tests/test_stub.py holds it against the binary."""

from typing import Any, TypedDict, final

__version__: str

class Outcome(TypedDict):
    capacity_bytes: int
    requests: int
    misses: int
    requested_bytes: int
    missed_bytes: int
    seconds: float
    windows: list[tuple[int, int]]
    reigns: list[tuple[int, str]]

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
    ) -> Trace: ...
    @property
    def name(self) -> str: ...
    @property
    def requests(self) -> int: ...
    @property
    def requested_bytes(self) -> int: ...
    @property
    def objects(self) -> int: ...
    @property
    def footprint(self) -> int: ...
    @property
    def unit_sizes(self) -> bool: ...
    @property
    def skipped(self) -> int: ...
    @property
    def skipped_by_reason(self) -> dict[str, int]: ...
    def capacity_bytes(self, fraction: float | None, absolute: int | None) -> int: ...
    def replay(
        self,
        policy: str,
        fraction: float | None,
        absolute: int | None,
        seed: int,
        ticker: Ticker,
    ) -> Outcome: ...
    def write_oracle_general(self, path: str) -> None: ...

@final
class Requests:
    def __new__(
        cls,
        source: str,
        trace_format: str | None = None,
        columns: str | None = None,
        skip_bad: bool = False,
    ) -> Requests: ...
    def next_chunk(self) -> list[tuple[int, int, int, str, int]]: ...
    @property
    def skipped(self) -> int: ...

def convert(
    source: str,
    trace_format: str | None,
    columns: str | None,
    skip_bad: bool,
    target: str,
    to: str,
) -> tuple[int, int]: ...
def inspect(
    source: str, trace_format: str | None, columns: str | None, skip_bad: bool
) -> dict[str, Any]: ...
def policies() -> tuple[str, ...]: ...
def trace_name(source: str) -> str: ...
def workloads() -> list[tuple[str, str]]: ...
