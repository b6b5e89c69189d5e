"""How to read a trace: the format, the columns and what to do with malformed records."""

from collections.abc import Mapping
from dataclasses import dataclass

from augury import _core

__all__ = ["Reading"]


@dataclass(frozen=True, slots=True)
class Reading:
    """Options of every function that reads a trace."""

    trace_format: str | None = None
    columns: str | None = None
    skip_bad: bool = False

    @classmethod
    def of(
        cls, trace_format: str | None, columns: str | Mapping[str, str] | None, skip_bad: bool
    ) -> "Reading":
        """The options as callers give them.

        >>> Reading.of("csv", {"key": "object", "size": "3"}, False).columns
        'key=object,size=3'
        """
        if columns is not None and not isinstance(columns, str):
            columns = ",".join(f"{role}={column}" for role, column in columns.items())
        return cls(trace_format, columns, skip_bad)

    def decode(self, source: str) -> "_core.Trace":
        """The whole trace in memory."""
        return _core.Trace(source, self.trace_format, self.columns, self.skip_bad)

    def stream(self, source: str) -> "_core.Requests":
        """The trace's requests in chunks, in bounded memory."""
        return _core.Requests(source, self.trace_format, self.columns, self.skip_bad)
