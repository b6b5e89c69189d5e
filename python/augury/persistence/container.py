"""The file of a saved cache: magic, version, SHA-256 over the rest, and blocks of bytes.

    8 bytes     magic
    4 bytes     version
    32 bytes    SHA-256 of all that follows
    blocks      4 bytes of length, and so many bytes

Numbers are little-endian. What the blocks mean is not known here. Nothing is believed: the hash is
checked before anything else is read, and no length is acted upon that the file has no room for, so
that a file with a fitting hash cannot ask for memory that it does not fill either.
"""

import os
import stat
import tempfile
from contextlib import suppress
from hashlib import sha256
from types import TracebackType
from typing import IO, Self

from augury.errors import PersistenceError

__all__ = ["Source", "Target"]

MAGIC = b"AUGURY\x00\x01"
#: Of the blocks and what is in them.
VERSION = 1
START = len(MAGIC) + 4 + 32
#: Bytes of a block at most.
LONGEST = 2**32 - 1
CHUNK = 1 << 20


class Target:
    """A file that is being written: under another name until it is complete.

    Leaving it with an error leaves no trace, and what stood under the name before.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name = os.fspath(path)
        if not self.name:
            raise PersistenceError("no file is named: give the path of the file to be written")
        self.size = START
        self._hash = sha256()

    def __enter__(self) -> Self:
        """Open the draft, beside the file itself so that it can take its name in one step."""
        folder, base = os.path.split(os.path.abspath(self.name))
        try:
            number, self._draft = tempfile.mkstemp(prefix=f"{base}.", suffix=".part", dir=folder)
        except OSError as error:
            raise PersistenceError(f"{self.name}: {error.strerror}") from error
        self._file: IO[bytes] = os.fdopen(number, "wb")
        self._file.write(bytes(START))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the draft its name, or remove it."""
        try:
            with self._file:
                if error is None:
                    self._file.seek(0)
                    head = MAGIC + VERSION.to_bytes(4, "little") + self._hash.digest()
                    self._file.write(head)
                    self._file.flush()
                    os.fsync(self._file.fileno())
            if error is None:
                os.replace(self._draft, self.name)
        except OSError as failure:
            self._discard()
            raise PersistenceError(f"{self.name}: {failure.strerror}") from failure
        if error is not None:
            self._discard()
            if isinstance(error, OSError):
                raise PersistenceError(f"{self.name}: {error.strerror}") from error

    def _discard(self) -> None:
        with suppress(OSError):
            os.unlink(self._draft)

    def block(self, data: bytes) -> None:
        """Write a block."""
        if len(data) > LONGEST:
            raise PersistenceError(
                f"{len(data):,} bytes in one piece, at most {LONGEST:,}: delete the entry first, "
                "or have its serializer make it smaller"
            )
        for part in (len(data).to_bytes(4, "little"), data):
            self._hash.update(part)
            self._file.write(part)
        self.size += 4 + len(data)


class Source:
    """A file that is being read, checked as a whole when it is opened."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name = os.fspath(path)

    def __enter__(self) -> Self:
        """Open and check it."""
        try:
            # A pipe or a device may never end.
            if not stat.S_ISREG(os.stat(self.name).st_mode):
                raise PersistenceError(f"{self.name}: is no regular file")
            self._file = open(self.name, "rb")
        except OSError as error:
            raise PersistenceError(f"{self.name}: {error.strerror}") from error
        try:
            self._check()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self._file.close()

    def _check(self) -> None:
        head = self._file.read(START)
        if not head.startswith(MAGIC) or len(head) < START:
            raise PersistenceError(f"{self.name}: is no saved cache, or only the beginning of one")
        version = int.from_bytes(head[len(MAGIC) : len(MAGIC) + 4], "little")
        if version != VERSION:
            raise PersistenceError(
                f"{self.name}: version {version}, where {VERSION} is expected: it was saved by "
                "another version of augury, so begin with an empty cache"
            )
        found, self._left = sha256(), 0
        while chunk := self._file.read(CHUNK):
            found.update(chunk)
            self._left += len(chunk)
        if found.digest() != head[len(MAGIC) + 4 :]:
            raise PersistenceError(
                f"{self.name}: is damaged (its SHA-256 does not fit): restore it from a copy, or "
                "begin with an empty cache"
            )
        self._file.seek(START)

    def place(self) -> tuple[int, int]:
        """Where the next block begins, for :meth:`back_to`."""
        return self._file.tell(), self._left

    def back_to(self, place: tuple[int, int]) -> None:
        """Read on from a place that was read before."""
        position, self._left = place
        self._file.seek(position)

    @property
    def left(self) -> int:
        """Bytes that are left."""
        return self._left

    def block(self, most: int = LONGEST) -> bytes:
        """Read the next block, of at most so many bytes."""
        length = self._length(most)
        data = self._file.read(length)
        if len(data) < length:
            raise self.damaged("it has become shorter while it was read")
        self._left -= length
        return data

    def skip(self) -> None:
        """Pass the next block by."""
        length = self._length(LONGEST)
        self._file.seek(length, os.SEEK_CUR)
        self._left -= length

    def _length(self, most: int) -> int:
        head = self._file.read(4) if self._left >= 4 else b""
        if len(head) < 4:
            raise self.damaged("it ends too early")
        self._left -= 4
        length = int.from_bytes(head, "little")
        if length > min(most, self._left):
            raise self.damaged(f"a part of {length:,} bytes, at most {min(most, self._left):,}")
        return length

    def damaged(self, why: str) -> PersistenceError:
        """The error for what does not fit together."""
        return PersistenceError(f"{self.name}: is no sound saved cache: {why}")
