"""The lines of a log, read and decompressed ahead by a thread.

Whoever waits for lines can be interrupted and look at the clock meanwhile. It knows no format.
"""

import os
from collections.abc import Iterator
from queue import Empty, Queue
from threading import Event, Thread

from augury import _core
from augury.errors import TraceError

__all__ = ["FAULTS", "LogLines"]

#: Seconds between two looks at the clock where nothing comes in.
POLL = 0.25
#: Chunks of at most 1 MiB (or one line of that) read ahead.
AHEAD = 2
#: What a line has that is none, in words.
FAULTS = {"line_too_long": "longer than 1 MiB", "binary_data": "binary data"}

#: Its number, its text or None, and what is wrong with it or None.
Line = tuple[int, str | None, str | None]


class LogLines:
    """The lines of a file, plain or compressed by gzip or zstd, or of ``-``: standard input.

    Iterating yields lines, and None where it has been waiting for them.

    Raises:
        TraceError: When iterated over: no such file. What breaks off later ends the lines, and is
            told by ``ended``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name = os.fspath(path)
        self.ended = "end of input"
        self.complete = True

    def __iter__(self) -> Iterator[Line | None]:
        """Begin reading."""
        chunks: Queue[list[Line] | BaseException] = Queue(maxsize=AHEAD)
        stopped = Event()
        # A thread, so that whoever waits here can be interrupted; a daemon, since one that waits
        # for standard input cannot be.
        Thread(target=self._read_ahead, args=(chunks, stopped), daemon=True).start()
        try:
            read_any = False
            while True:
                try:
                    chunk = chunks.get(timeout=POLL)
                except Empty:
                    yield None
                    continue
                if isinstance(chunk, TraceError) and read_any:
                    # What came before the damage is worth keeping.
                    self.ended, self.complete = str(chunk), False
                    return
                if isinstance(chunk, BaseException):
                    raise chunk
                if not chunk:
                    return
                read_any = True
                yield from chunk
        finally:
            stopped.set()
            while not chunks.empty():
                chunks.get_nowait()

    def _read_ahead(self, chunks: "Queue[list[Line] | BaseException]", stopped: Event) -> None:
        try:
            lines = _core.TextLines(self.name)
            chunk: list[Line] | None = None
            while chunk != [] and not stopped.is_set():
                chunk = lines.next_chunk()
                chunks.put(chunk)
        except BaseException as error:
            chunks.put(error)
