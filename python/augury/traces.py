"""Traces: recorded traffic from files, made traffic from a seed.

A trace is named by a path, ``-`` (standard input) or ``synthetic:NAME``, wherever one is asked
for. Formats: oracleGeneral, twitter, CSV by column names, one key per line; each also compressed
by zstd or gzip. Objects are numbers here: integer keys as they are, other keys by their XXH64.

>>> import augury
>>> trace = augury.traces.synthetic("loop")
>>> first = next(iter(trace))
>>> first.op, first.size
('get', 1)
"""

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from augury import _core
from augury.errors import ConfigError
from augury.inspection import Inspection
from augury.reading import Reading

__all__ = [
    "Conversion",
    "Inspection",
    "Parameter",
    "Request",
    "Trace",
    "Workload",
    "convert",
    "inspect",
    "open",
    "synthetic",
    "workloads",
]

Source = str | os.PathLike[str]


class Request(NamedTuple):
    """One recorded request."""

    #: Seconds from the trace's own origin; the request's index where the trace has no times.
    time: int
    key: int
    #: Bytes; 1 where the trace has no sizes.
    size: int
    #: What it does, in memcached's words.
    op: str
    #: Seconds; 0 where there is none.
    ttl: int
    #: Number of the client or session; 0 where the trace names none.
    session: int = 0
    #: Number of the key's namespace (its text up to the first ``:`` or ``/``); 0 for none.
    namespace: int = 0


class Workload(NamedTuple):
    """A synthetic workload, to be used as ``synthetic:NAME``."""

    name: str
    description: str
    parameters: tuple["Parameter", ...]


class Parameter(NamedTuple):
    """What can be set of a workload, as in ``synthetic:NAME?parameter=value&...``."""

    name: str
    default: float
    meaning: str


class Conversion(NamedTuple):
    """What was written."""

    requests: int
    #: Malformed records left out.
    skipped: int


class Trace:
    """A trace to be iterated over, as often as wanted; each time it is read anew."""

    def __init__(self, source: Source, reading: Reading = Reading()) -> None:  # noqa: B008
        self.source = os.fspath(source)
        self._reading = reading
        self.name = _core.trace_name(self.source)

    def __iter__(self) -> Iterator[Request]:
        """The requests in order."""
        for chunk in self.chunks():
            yield from chunk

    def chunks(self) -> Iterator[list[Request]]:
        """The requests in order, some thousand at a time, in bounded memory."""
        stream = self._reading.stream(self.source)
        while chunk := stream.next_chunk():
            yield list(map(Request._make, chunk))

    def __fspath__(self) -> str:
        """What names the trace; lets a trace stand where a path is asked for."""
        return self.source

    def __repr__(self) -> str:
        """The trace by what names it."""
        return f"Trace({self.source!r})"


def open(  # noqa: A001
    source: Source,
    *,
    trace_format: str | None = None,
    columns: str | Mapping[str, str] | None = None,
    skip_bad: bool = False,
) -> Trace:
    """A trace from a file; options as for :func:`augury.replay`.

    A missing file raises :class:`~augury.TraceError` here, a malformed record when it is reached.
    """
    trace = Trace(source, Reading.of(trace_format, columns, skip_bad))
    if trace.source != "-":
        trace._reading.stream(trace.source)
    return trace


def synthetic(name: str, **parameters: object) -> Trace:
    """A synthetic workload; its parameters are listed by ``augury workloads``.

    >>> synthetic("loop", n=1000).source
    'synthetic:loop?n=1000'
    """
    given = "&".join(f"{key}={quote(str(value), safe='')}" for key, value in parameters.items())
    return open(f"synthetic:{name}" + (f"?{given}" if given else ""))


def workloads() -> tuple[Workload, ...]:
    """The synthetic workloads there are."""
    return tuple(
        Workload(name, description, tuple(map(Parameter._make, parameters)))
        for name, description, parameters in _core.workloads()
    )


def inspect(
    source: Source,
    *,
    trace_format: str | None = None,
    columns: str | Mapping[str, str] | None = None,
    skip_bad: bool = False,
) -> Inspection:
    """What a trace is like, and whether there is anything to learn in it.

    >>> inspect("synthetic:loop").requests > 0
    True
    """
    reading = Reading.of(trace_format, columns, skip_bad)
    return Inspection.of(json.loads(_core.inspect(*reading_of(source, reading))))


def convert(
    source: Source,
    target: Source,
    *,
    to: str | None = None,
    trace_format: str | None = None,
    columns: str | Mapping[str, str] | None = None,
    skip_bad: bool = False,
) -> Conversion:
    """Write a trace as another format.

    ``to`` is ``oracleGeneral`` or ``csv``, told by the target's endings if None; an ending in
    ``.zst`` or ``.gz`` compresses. oracleGeneral has no operations, TTLs,
    sessions and namespaces.
    """
    reading = Reading.of(trace_format, columns, skip_bad)
    path = os.fspath(target)
    return Conversion(*_core.convert(*reading_of(source, reading), path, to or told_by(path)))


def told_by(path: str) -> str:
    """The format that a file's endings name."""
    endings = [ending.lower() for ending in os.path.basename(path).split(".")[1:]]
    for written in ("oracleGeneral", "csv"):
        if written.lower() in endings:
            return written
    raise ConfigError(
        f"{path}: no ending says which format to write: use .oracleGeneral or .csv (and .zst or "
        ".gz to compress), or name the format"
    )


def reading_of(source: Source, reading: Reading) -> tuple[str, Any, Any, bool]:
    """The arguments with which the core reads a trace."""
    return os.fspath(source), reading.trace_format, reading.columns, reading.skip_bad
