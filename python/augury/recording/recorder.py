"""From a source's requests to a trace file: sample, order, size, hide, write.

Every key gets one 64-bit hash, from which sampling, the size table and the count of objects take
theirs. A key is in the sample or not, as a whole, so that its reuse times stay whole (spatial
sampling; Waldspurger and others, "Efficient MRC construction with SHARDS", FAST 2015). Memory is
bounded: the size table (500,000 keys, about 100 MB), the count of objects (about 10 MB), one batch.
"""

import os
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from types import TracebackType
from typing import Self

from augury.errors import ConfigError, TraceError
from augury.recording.anonymiser import Anonymiser
from augury.recording.left_out import LeftOutTable
from augury.recording.objects import DistinctCount
from augury.recording.order import TraceClock
from augury.recording.recording import Recording
from augury.recording.request import KeyedRequest, LeftOut
from augury.recording.sizes import SizeTable
from augury.recording.target import Target

__all__ = ["Recorder"]

#: Requests handed to the writer at once.
BATCH = 4096
#: Bytes.
LARGEST_SIZE = 2**32 - 1
LONGEST_KEY = 65_536
NAMESPACES_SHOWN = 8
READS = ("get", "gets", "incr", "decr")


class Recorder:
    """Writes requests to a trace; leave the ``with`` block by an error and nothing is left.

    Args:
        target: The file; its endings say format (``.csv``, ``.oracleGeneral``) and compression.
        sample: The share of the keys to keep, above 0 and at most 1.
        anonymiser: Hides keys; None leaves them as they are.
        size_limit: Keys whose last size is remembered.

    Raises:
        ConfigError: A share or a limit that cannot be, or a target whose format is not told.
        TraceError: The target cannot be written.
    """

    def __init__(
        self,
        target: str | os.PathLike[str],
        *,
        sample: float = 1.0,
        anonymiser: Anonymiser | None = None,
        size_limit: int = 500_000,
    ) -> None:
        if not 0 < sample <= 1:
            raise ConfigError(f"sample {sample!r}: expected a share above 0 and at most 1")
        if size_limit < 1:
            raise ConfigError(f"size_limit {size_limit!r}: expected at least 1 key")
        self.sample = sample
        self.left_out = LeftOutTable()
        self.requests = 0
        self._kept_below = round(sample * 2**64)
        self._anonymiser = anonymiser
        self._target = Target(target)
        self._reads_only = not self._target.has_operations
        self._objects = DistinctCount()
        self._sizes = SizeTable(size_limit)
        self._clock = TraceClock()
        self._batch: list[tuple[int, bytes, int, str, int]] = []
        self._remembered = self._unknown = self._partial = 0

    def add(self, request: KeyedRequest) -> None:
        """Record one request, or count it as left out."""
        key = request.key
        if len(key) > LONGEST_KEY:
            self.leave_out(LeftOut(f"keys longer than {LONGEST_KEY:,} bytes"))
            return
        key_hash = hash_of(key)
        if key_hash >= self._kept_below:
            return
        size = self._size(request, key_hash)
        if self._reads_only and request.op not in READS:
            self.leave_out(LeftOut("writes and deletes: oracleGeneral has no operations, CSV has"))
            return
        self._objects.add(key_hash)
        name = key if self._anonymiser is None else self._anonymiser(key)
        time = self._clock.advance(request.time)
        self._batch.append((time, name, size, request.op, min(request.ttl, LARGEST_SIZE)))
        self.requests += 1
        if len(self._batch) >= BATCH:
            self._flush()

    def leave_out(self, what: LeftOut) -> None:
        """Count what is no request."""
        self.left_out.add(what)

    def _size(self, request: KeyedRequest, key_hash: int) -> int:
        """The size to write: the one seen, the last one known, or 1."""
        known = self._sizes.of(key_hash)
        if request.op == "delete":
            self._sizes.forget(key_hash)
            return known or 1
        size = request.size
        if size is None and request.origin is not None:
            size = self._sizes.of(hash_of(request.origin))
        if size is None and request.part:
            size = request.part
            if known is not None:
                size = size + known if request.op == "append" else max(size, known)
            self._partial += 1
        if size is None:
            self._remembered += known is not None
            self._unknown += known is None
            return known or 1
        size = min(max(size, 1), LARGEST_SIZE)
        # An `add` to what is there stores nothing.
        if known is None or request.op != "add":
            self._sizes.learn(key_hash, size)
        return size

    def _flush(self) -> None:
        # Exchanged first: an interrupt in between must not write a batch twice.
        batch, self._batch = self._batch, []
        self._target.write(batch)

    def finish(
        self, ended: str = "end of input", complete: bool = True, notes: Iterable[str] = ()
    ) -> Recording:
        """Complete the file; what came of it.

        Raises :class:`~augury.TraceError` where there is nothing to write, or no room for it.
        """
        if not self.requests:
            self._target.discard()
            found = ", ".join(f"{one.count:,} {one.reason}" for one in self.left_out.counts())
            raise TraceError(
                f"{self._target.path}: no requests to record ({ended}); left out: "
                f"{found or 'nothing'}; nothing was written",
                "empty",
            )
        self._flush()
        self._target.finish()
        return Recording(
            target=self._target.path,
            requests=self.requests,
            objects=int(self._objects),
            objects_exact=self._objects.is_exact,
            first_time=self._clock.first,
            last_time=self._clock.latest,
            sizes_remembered=self._remembered,
            sizes_unknown=self._unknown,
            sizes_partial=self._partial,
            left_out=self.left_out.counts(),
            ended=ended,
            complete=complete,
            notes=(*self._notes(), *notes),
        )

    def _notes(self) -> Iterator[str]:
        if self._clock.raised:
            word = (
                f"{self._clock.raised:,} requests were stamped up to {self._clock.farthest_back:,} "
                "s before the one in front of them, and are written at its time"
            )
            yield word + (": sort the source by time" if self._clock.is_disordered else "")
        if self.sample < 1:
            yield (
                f"{self.sample:.4g} of the keys are kept: that share of a cache's capacity stands "
                "for the whole"
            )
        if self._anonymiser is not None and (kept := self._anonymiser.kept):
            shown = b", ".join(sorted(kept)[:NAMESPACES_SHOWN]).decode("utf-8", "backslashreplace")
            more = ", ..." if len(kept) > NAMESPACES_SHOWN else ""
            yield f"{len(kept):,} namespaces are written as they are: {shown}{more}"

    def discard(self) -> None:
        """Leave nothing behind."""
        self._target.discard()

    def __enter__(self) -> Self:
        """The recorder itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish what is not finished yet; after an error, leave nothing behind."""
        if error is not None:
            self._target.discard()
        elif self._target.is_open:
            self.finish()


def hash_of(key: bytes) -> int:
    """A well-mixed 64-bit hash, the same in every process."""
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "little")
