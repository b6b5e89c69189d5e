"""How to read a trace: the format, the columns and what to do with malformed records."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from augury import _core

__all__ = ["Reading", "fits_in_memory"]

#: A decoded request takes 48 bytes; a stored one at least 24 plain and about 5 compressed.
DECODED_PER_STORED = {True: 10, False: 2}
#: The share of the memory now free that all traces decoded at once may take.
SHARE_OF_MEMORY = 0.5
COMPRESSED = (".zst", ".zstd", ".gz", ".gzip")


@dataclass(frozen=True, slots=True)
class Reading:
    """Options of every function that reads a trace."""

    trace_format: str | None = None
    columns: str | None = None
    skip_bad: bool = False

    @classmethod
    def of(
        cls,
        trace_format: str | None = None,
        columns: str | Mapping[str, str] | None = None,
        skip_bad: bool = False,
    ) -> "Reading":
        """The options as callers give them.

        >>> Reading.of("csv", {"key": "object", "size": "3"}).columns
        'key=object,size=3'
        """
        if columns is not None and not isinstance(columns, str):
            columns = ",".join(f"{role}={column}" for role, column in columns.items())
        return cls(trace_format, columns, skip_bad)

    def measured(self, source: str, *, in_memory: bool) -> "_core.Trace":
        """A trace to be replayed: decoded, or measured by a first pass and read anew each time."""
        return _core.Trace(source, self.trace_format, self.columns, self.skip_bad, in_memory)

    def stream(self, source: str) -> "_core.Requests":
        """The trace's requests in chunks, in bounded memory."""
        return _core.Requests(source, self.trace_format, self.columns, self.skip_bad)


def fits_in_memory(source: str, at_once: int) -> bool:
    """Whether so many traces of this one's size can be decoded at once, by a cautious guess.

    What is no file of known size, such as standard input, is taken to fit.
    """
    try:
        stored = os.stat(source).st_size
    except OSError:
        return True
    compressed = source.lower().endswith(COMPRESSED)
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return stored * DECODED_PER_STORED[compressed] * at_once <= free * SHARE_OF_MEMORY
