"""Requests of a running cache, on their way to a recorder.

The cache's callers put requests into a queue, which takes no lock; whoever finds a batch in it and
nobody at work writes the batch. So a destructor that calls the cache while a batch is written
waits for nobody, and memory is bounded: what comes faster than it is written is left out and
counted. This module must not know the cache.
"""

import math
import os
import threading
import time
import warnings
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from augury.errors import ConfigError, TraceError
from augury.recording.anonymiser import Anonymiser
from augury.recording.recorder import Recorder
from augury.recording.recording import Recording
from augury.recording.request import KeyedRequest

__all__ = ["LiveRecording", "Taker", "key_text"]

#: Requests that are written at once, and that wait at most.
BATCH = 256
LONGEST_QUEUE = 65_536


class Taker(Protocol):
    """What requests can be recorded with; :class:`~augury.recording.Recorder` is one."""

    requests: int

    def add(self, request: KeyedRequest) -> None:
        """Record one request."""

    def finish(self, ended: str, complete: bool, notes: Iterable[str]) -> Recording:
        """Complete the recording."""

    def discard(self) -> None:
        """Leave nothing behind."""


class LiveRecording:
    """Takes requests from any thread and writes them, until it is closed.

    Args:
        record: The trace, by its path, or a recorder.
        sample: The share of the keys to keep, where ``record`` is a path.
        anonymiser: Hides keys, where ``record`` is a path.

    Raises:
        ConfigError: A share that cannot be, or options that the recorder has already.
        TraceError: The path cannot be written.
    """

    def __init__(
        self,
        record: str | os.PathLike[str] | Taker,
        *,
        sample: float = 1.0,
        anonymiser: Anonymiser | None = None,
    ) -> None:
        if isinstance(record, str | os.PathLike):
            self._recorder: Taker = Recorder(record, sample=sample, anonymiser=anonymiser)
        elif not (hasattr(record, "add") and hasattr(record, "finish")):
            raise ConfigError(f"record {record!r}: expected a path or an augury.recording.Recorder")
        elif sample != 1.0 or anonymiser is not None:
            raise ConfigError(
                "a recorder has its own share of keys and anonymiser: give them there"
            )
        else:
            self._recorder = record
        self._start = time.monotonic()
        self._queue: deque[KeyedRequest] = deque()
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._is_open = True
        self._is_finished = False
        self._lost = 0
        self._failure: TraceError | None = None
        self._result: Recording | None = None

    def add(self, key: object, op: str, size: int | None = None, ttl: float | None = None) -> None:
        """Record one request; it never fails because a file cannot be written."""
        if not self._is_open or self._failure is not None:
            return
        if len(self._queue) >= LONGEST_QUEUE:
            # Not exact where threads do it at once; it is only told.
            self._lost += 1
            return
        seconds = 0 if ttl is None else math.ceil(ttl)
        now = time.monotonic() - self._start
        self._queue.append(KeyedRequest(now, key_text(key), size, op, seconds))
        if len(self._queue) >= BATCH and self._lock.acquire(blocking=False):
            try:
                self._write()
            finally:
                self._lock.release()

    def _write(self) -> None:
        """Write what waits, and finish where the recording was closed meanwhile. Locked."""
        self._owner = threading.get_ident()
        try:
            # Not until it is empty: others may fill it as fast.
            for _ in range(len(self._queue)):
                self._recorder.add(self._queue.popleft())
            if not self._is_open:
                self._finish()
        except TraceError as error:
            self._failure = error
            self._queue.clear()
            self._recorder.discard()
            warnings.warn(f"recording has stopped: {error}", RuntimeWarning, stacklevel=2)
        finally:
            self._owner = None

    def _finish(self) -> None:
        if self._is_finished or self._failure is not None:
            return
        self._is_finished = True
        while self._queue:
            self._recorder.add(self._queue.popleft())
        lost = f"about {self._lost:,} requests came faster than they were written"
        if self._recorder.requests:
            self._result = self._recorder.finish("closed", True, [lost] if self._lost else [])
        else:
            self._recorder.discard()

    def close(self) -> Recording | None:
        """Complete the file; what came of it, None where nothing was asked of the cache.

        Raises:
            TraceError: The file could not be written.
        """
        self._is_open = False
        if self._owner == threading.get_ident():
            # Called by a destructor within `_write`, which finishes in a moment.
            return None
        with self._lock:
            self._write()
        if self._failure is not None:
            raise self._failure
        return self._result


def key_text(key: object) -> bytes:
    """A key as a trace has it: text, bytes and numbers as they are, anything else by its hash.

    Runs no code of subclasses but ``__hash__`` of other types. Such a hash is the same for equal
    keys of one process; of text in it Python makes another one in the next.

    >>> key_text("user:42"), key_text(b"raw"), key_text(7)
    (b'user:42', b'raw', b'7')
    """
    if isinstance(key, str):
        return str.encode(key, "utf-8", "surrogateescape")
    if isinstance(key, bytes):
        return b"".join((key,))
    if isinstance(key, int):
        return int.__repr__(key).encode()
    return b"#%016x" % (hash(key) & 0xFFFF_FFFF_FFFF_FFFF)
