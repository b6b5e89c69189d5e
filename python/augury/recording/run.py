"""A recording from beginning to end: source, recorder, and what makes it stop."""

import os
import time
from collections.abc import Callable, Collection, Mapping

from augury.errors import ConfigError, TraceError
from augury.recording.access_log import AccessLog
from augury.recording.anonymiser import Anonymiser
from augury.recording.memcached import MemcachedWatch, is_memcached
from augury.recording.recorder import Recorder
from augury.recording.recording import Recording
from augury.recording.request import KeyedRequest, LeftOut
from augury.recording.server import RedisMonitor
from augury.recording.source import Source
from augury.recording.statement_log import StatementLog

__all__ = ["record", "record_from", "source_of"]

#: The format of PostgreSQL's logs.
STATEMENTS = "postgresql"
#: How many finds there are between two looks at the clock.
STRIDE = 512


def record(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    duration: float | None = None,
    requests: int | None = None,
    sample: float = 1.0,
    anonymise: bool = False,
    secret: bytes | None = None,
    namespaces: str = "keep",
    log_format: str | None = None,
    query: str | None = None,
    statuses: Collection[int] | str | None = None,
    columns: str | Mapping[str, str] | None = None,
    line_prefix: str | None = None,
    strict: bool = False,
    password: str | None = None,
    progress: Callable[[Recorder], None] | None = None,
) -> Recording:
    """Record history as a trace.

    Args:
        source: ``redis://host:port/db`` for MONITOR of a server (see
            :class:`~augury.recording.RedisMonitor`), ``memcached://host:port`` for its ``watch``
            (:class:`~augury.recording.MemcachedWatch`), else an access log
            (:class:`~augury.recording.AccessLog`) or one of statements
            (:class:`~augury.recording.StatementLog`).
        target: The trace; its endings say format (``.csv``, ``.oracleGeneral``) and compression
            (``.zst``, ``.gz``). CSV keeps operations, TTLs and keys as text.
        duration: Seconds after which to stop.
        requests: Requests after which to stop.
        sample: The share of the keys to keep, each with all of its requests or none.
        anonymise: Replace keys by keyed hashes (see :class:`~augury.recording.Anonymiser`).
        secret: The hash's key, at least 16 bytes; a random one if None.
        namespaces: ``keep`` or ``hash``, when keys are replaced.
        log_format: Of an access log: ``combined``, ``common``, ``json``, ``caddy``, or a format of
            one's own (``'$time_local $request_uri'``, ``'%t %U'``); ``postgresql`` for statements.
        query: Of an access log: whether to ``keep`` or ``drop`` the query in keys.
        statuses: Of an access log: the statuses that count, or ``"all"``.
        columns: Of an access log in JSON or a format of one's own: names of fields by role.
        line_prefix: Of a log of statements: the server's ``log_line_prefix``.
        strict: Stop at the first malformed line instead of counting them.
        password: Of the server, where the URL has none.
        progress: Called now and then with the recorder.

    An interrupt (``KeyboardInterrupt``) or a lost connection ends the recording and keeps what
    there is.

    Raises:
        ConfigError: An option that cannot be, or that is not about this source.
        TraceError: The source cannot be read, the target not written, or there was nothing.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> line = '127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a.png HTTP/1.0" 200 2326'
    >>> _ = (folder / "access.log").write_text(line)
    >>> record(folder / "access.log", folder / "log.csv").requests
    1
    >>> (folder / "log.csv").read_text().splitlines()[1]
    '971211336,a.png,2326,get,0,0,0'
    """
    if not anonymise and (secret is not None or namespaces != "keep"):
        raise ConfigError("a secret and a rule for namespaces are for anonymised keys: anonymise")
    anonymiser = Anonymiser(secret, namespaces) if anonymise else None
    opened = source_of(
        source,
        log_format=log_format,
        query=query,
        statuses=statuses,
        columns=columns,
        line_prefix=line_prefix,
        password=password,
    )
    if is_same_file(source, target):
        raise ConfigError(f"{os.fspath(target)} is the source: write to another file")
    with Recorder(target, sample=sample, anonymiser=anonymiser) as recorder:
        return record_from(
            opened,
            recorder,
            duration=duration,
            requests=requests,
            strict=strict,
            progress=progress,
        )


def is_same_file(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Whether both are one file that is there."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def source_of(
    source: str | os.PathLike[str],
    *,
    log_format: str | None = None,
    query: str | None = None,
    statuses: Collection[int] | str | None = None,
    columns: str | Mapping[str, str] | None = None,
    line_prefix: str | None = None,
    password: str | None = None,
) -> Source:
    """The source that is named: a server by its URL, else a log."""
    named = os.fspath(source)
    of_access_logs = {"query": query, "status": statuses, "columns": columns}
    if "://" in named:
        refuse(
            {"format": log_format, "line prefix": line_prefix, **of_access_logs},
            "logs, and the source a server",
        )
        return MemcachedWatch(named) if is_memcached(named) else RedisMonitor(named, password)
    if log_format == STATEMENTS:
        refuse(of_access_logs, "access logs, and the format one of statements")
        return StatementLog(named, line_prefix=line_prefix)
    refuse({"line prefix": line_prefix}, f"logs of statements: add --format {STATEMENTS}")
    return AccessLog(
        named, log_format=log_format, query=query or "keep", statuses=statuses, columns=columns
    )


def refuse(options: Mapping[str, object], about: str) -> None:
    """Refuse options that are about something else."""
    for option, value in options.items():
        if value is not None:
            raise ConfigError(f"{option} {value!r} is about {about}")


def record_from(
    source: Source,
    recorder: Recorder,
    *,
    duration: float | None = None,
    requests: int | None = None,
    strict: bool = False,
    progress: Callable[[Recorder], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Recording:
    """Record from any source until it ends or one of the limits is reached; see :func:`record`."""
    for name, limit in (("duration", duration), ("requests", requests)):
        if limit is not None and not limit > 0:
            raise ConfigError(f"{name} {limit!r}: expected more than 0")
    end = clock() + duration if duration is not None else float("inf")
    ended, complete = "", True
    finds = 0
    found: KeyedRequest | LeftOut | None
    stream = iter(source)
    try:
        for found in stream:
            if isinstance(found, KeyedRequest):
                recorder.add(found)
                if requests is not None and recorder.requests >= requests:
                    ended = "as many requests as asked for"
                    break
            elif found is not None:
                recorder.leave_out(found)
                if strict and found.malformed:
                    raise TraceError(
                        f"{source.name}: {found.example}: {found.reason}; without strict such "
                        "lines are counted and left out",
                        "malformed",
                    )
            finds += 1
            if found is None or finds % STRIDE == 0:
                if progress is not None:
                    progress(recorder)
                if clock() >= end:
                    ended = "after the time asked for"
                    break
    except KeyboardInterrupt:
        ended, complete = "interrupted", source.is_live
    finally:
        if hasattr(stream, "close"):
            stream.close()
    if not ended:
        ended, complete = source.ended, source.complete
    return recorder.finish(ended, complete, source.notes)
