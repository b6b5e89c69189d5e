"""Loads of slots over time, on disk: what watching writes and forecasting reads.

A folder of segments, ``windows-NNNNNNNN.jsonl``; one line of JSON is one window of time. A segment
that is full is compressed, and the oldest go when the folder is larger than allowed, so it is
bounded. Slots without load are left out of a line. A line that is cut short by a kill is skipped.
It must not know clusters: a window may come from a replayed trace as well.
"""

import fcntl
import gzip
import json
import math
import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from augury.errors import ConfigError
from augury.placement.topology import SLOTS

__all__ = ["METRICS", "Store", "Window", "read_windows"]

#: What is known of a slot in a window. CPU time is in microseconds, bytes are those in and out;
#: requests are the node's, split by CPU time, since servers do not count them by slot.
METRICS = ("cpu", "bytes", "requests")
VERSION = 1
#: Windows in a segment.
SEGMENT = 64
NAME = re.compile(r"windows-(\d{8,})\.jsonl(\.gz)?")
#: A load of a window at most.
LARGEST = 1e18
#: Bytes of a line at most: all slots, with numbers of 20 digits.
LONGEST_LINE = 8 << 20


@dataclass(frozen=True, slots=True)
class Window:
    """What the slots did in one stretch of time."""

    #: Its end, in seconds since 1970, and its length in seconds.
    time: float
    seconds: float
    #: Stretches of slots by the id of their primary, at its end.
    owners: Mapping[str, Sequence[tuple[int, int]]]
    #: Loads by slot, in the order of METRICS; slots without any are absent.
    loads: Mapping[int, tuple[float, float, float]]

    def to_line(self) -> str:
        """As a line of a segment."""
        slots = sorted(self.loads)
        columns = {
            metric: [round(self.loads[slot][place]) for slot in slots]
            for place, metric in enumerate(METRICS)
        }
        whole = {
            "augury": VERSION,
            "time": round(self.time, 3),
            "seconds": round(self.seconds, 3),
            "owners": {node: list(map(list, ranges)) for node, ranges in self.owners.items()},
            "slots": slots,
            **columns,
        }
        return json.dumps(whole, separators=(",", ":"))

    @classmethod
    def from_line(cls, line: str) -> "Window | None":
        """Back from a line; None where it is none, whatever is wrong with it."""
        try:
            whole = json.loads(line)
            if whole["augury"] != VERSION:
                return None
            columns = [checked_column(whole[metric]) for metric in METRICS]
            slots = [checked_slot(slot) for slot in whole["slots"]]
            loads = dict(zip(slots, zip(*columns, strict=True), strict=True))
            owners = {
                str(node): [(checked_slot(first), checked_slot(last)) for first, last in ranges]
                for node, ranges in whole["owners"].items()
            }
            time, seconds = checked_column([whole["time"], whole["seconds"]])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            return None
        return cls(time, seconds, owners, loads) if seconds > 0 else None


def checked_slot(value: Any) -> int:
    """A slot's number."""
    if type(value) is not int or not 0 <= value < SLOTS:
        raise ValueError(f"{value!r} is no slot")
    return value


def checked_column(values: Any) -> list[float]:
    """Finite numbers of at least 0."""
    if type(values) is not list or not set(map(type, values)) <= {int, float}:
        raise ValueError("a column is no list of numbers")
    if values and not (
        all(map(math.isfinite, values)) and min(values) >= 0 and max(values) <= LARGEST
    ):
        raise ValueError(f"a load is not from 0 to {LARGEST}")
    return values


class Store:
    """A folder that windows are appended to, by one process at a time.

    Args:
        folder: Made where there is none.
        limit_bytes: What the folder may take; the oldest segments go first, the one that is
            written to never.

    Raises:
        ConfigError: another process writes there, or the limit cannot be.
        OSError: the folder cannot be written to.
    """

    def __init__(self, folder: Path, limit_bytes: int = 256 << 20) -> None:
        if limit_bytes < 1 << 16:
            raise ConfigError(f"a store of {limit_bytes} bytes cannot be: at least 65,536")
        self._folder = folder
        self._limit = limit_bytes
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise ConfigError(f"{folder} is written to by another process: name another") from None
        found = segments(folder)
        #: A new segment, for the last one may end in half a line.
        self._number = found[-1][0] + 1 if found else 1
        self._written = 0
        self._trim()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def append(self, window: Window) -> None:
        """Add a window; it is on disk when this returns, as far as the system has told it."""
        with self._segment().open("a", encoding="utf-8") as file:
            file.write(window.to_line() + "\n")
        self._written += 1
        if self._written >= SEGMENT:
            compress(self._segment())
            self._number += 1
            self._written = 0
        self._trim()

    def close(self) -> None:
        """Let others write."""
        self._lock.close()

    def _segment(self) -> Path:
        return self._folder / f"windows-{self._number:08}.jsonl"

    def _trim(self) -> None:
        found = [(number, path, path.stat().st_size) for number, path in segments(self._folder)]
        total = sum(size for _, _, size in found)
        for number, path, size in found:
            if total <= self._limit or number == self._number:
                return
            path.unlink(missing_ok=True)
            total -= size


def segments(folder: Path) -> list[tuple[int, Path]]:
    """The segments by number; of one that is there twice the compressed form, which is whole."""
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        if name := NAME.fullmatch(path.name):
            found[int(name[1])] = path
    return sorted(found.items())


def compress(path: Path) -> None:
    """Replace a segment by its compressed form; whenever it is killed, one of them is whole."""
    partial, whole = path.with_suffix(".partial"), path.with_suffix(".jsonl.gz")
    with path.open("rb") as plain, gzip.open(partial, "wb", compresslevel=6) as packed:
        while block := plain.read(1 << 20):
            packed.write(block)
    partial.replace(whole)
    path.unlink()


def read_windows(folder: Path, last: int | None = None) -> Iterator[Window]:
    """The windows of a store, oldest first.

    Args:
        folder: Of the store.
        last: Leave out older segments that are not needed to have so many lines.

    Raises:
        ConfigError: there is no store.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder: collect windows with augury cluster watch")
    found = segments(folder)
    if last is not None:
        lines, kept = 0, len(found)
        while kept and lines < last:
            kept -= 1
            lines += sum(1 for _ in lines_in(found[kept][1]))
        found = found[kept:]
    for _, path in found:
        for line in lines_in(path):
            window = Window.from_line(os.fsdecode(line))
            if window is not None:
                yield window


def lines_in(path: Path) -> Iterator[bytes]:
    """The lines of one segment; what is damaged ends it, and one that is gone has none."""
    # The process that writes may compress or remove one while this one reads.
    with (
        suppress(OSError, EOFError, zlib.error),
        gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file,
    ):
        while line := file.readline(LONGEST_LINE):
            yield line
