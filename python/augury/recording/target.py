"""The trace file that a recording becomes.

CSV is written as requests come. oracleGeneral says of every request when the next one for the same
object follows, which is known at the end only: a CSV is written into a folder beside the target
and converted, which takes 8 bytes of memory per request and a map of the objects.
"""

import os
import tempfile
from pathlib import Path

from augury import _core, traces

__all__ = ["Target"]


class Target:
    """A trace being written; nothing stands under its name before :meth:`finish`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        to = traces.told_by(self.path)
        self.has_operations = to == "csv"
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._writer = _core.TraceWriter(self.path, to)
        self.is_open = True
        if not self.has_operations:
            # That the target can be written was worth knowing now.
            self._writer.discard()
            beside = Path(self.path).resolve().parent
            self._folder = tempfile.TemporaryDirectory(prefix=".augury-", dir=beside)
            self._writer = _core.TraceWriter(self._interim, "csv")

    @property
    def _interim(self) -> str:
        assert self._folder is not None
        return os.path.join(self._folder.name, "recording.csv.zst")

    def write(self, batch: list[tuple[int, bytes, int, str, int]]) -> None:
        """Write the next requests: time, key, size, operation, TTL."""
        self._writer.write(batch)

    def finish(self) -> None:
        """Complete the file and give it its name."""
        self.is_open = False
        try:
            self._writer.finish()
            if self._folder is not None:
                traces.convert(self._interim, self.path, to="oracleGeneral")
        finally:
            self.discard()

    def discard(self) -> None:
        """Leave nothing behind but what is finished."""
        self.is_open = False
        self._writer.discard()
        if self._folder is not None:
            self._folder.cleanup()
