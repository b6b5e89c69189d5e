"""From a file to a cache."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from augury import _core
from augury.errors import ArtifactError, ConfigError, PersistenceError
from augury.persistence.container import Source
from augury.persistence.entries import Head, read_head
from augury.persistence.header import LONGEST, Header
from augury.persistence.serializer import Serializer, decoded, name_of, resolve

__all__ = ["load"]

#: Bytes of a trained model, and of what a shard has learned, at most.
LARGEST_MODEL = 256 << 20
LARGEST_MEMORY = 1 << 20
#: Bytes of an entry in the file at least: three lengths and the shortest head.
SHORTEST_ENTRY = 17


C = TypeVar("C", bound=_core.Cache)


def load(
    make: Callable[..., C],
    unit_of: Callable[[C], str],
    path: str | os.PathLike[str],
    serializer: Serializer | None,
    elapsed: float | None,
    options: dict[str, Any],
) -> C:
    """Make a cache by these options, others as they were saved, and fill it from the file.

    See :meth:`augury.Cache.load`.
    """
    if elapsed is not None and not 0 <= elapsed < float("inf"):
        raise ConfigError(f"elapsed {elapsed!r}: expected seconds of at least 0, or None")
    chosen = resolve(serializer)
    with Source(path) as source:
        header = Header.of(source.block(LONGEST), source.name)
        check_serializer(source, header, chosen)
        check_sizes(source, header, options)
        read = [source.block(LARGEST_MEMORY) if has else None for has in header.learned]
        model = source.block(LARGEST_MODEL) if header.has_model else None
        capacity = f"{header.capacity} B" if header.unit == "bytes" else header.capacity
        merged = {"capacity": capacity} | header.options | options
        if model is not None and "model" not in options:
            merged["model"] = model_of(source, model)
        cache = make(**merged)
        try:
            cache.restore_memory(list(zip(header.ticks, read, strict=True)))
        except PersistenceError as error:
            raise PersistenceError(f"{source.name}: {error}") from None
        if header.tags * 4 + header.entries * SHORTEST_ENTRY > source.left:
            raise source.damaged(f"{header.entries:,} entries in {source.left:,} bytes")
        tags = [decoded(chosen, "tag", at, source.block()) for at in range(header.tags)]
        if elapsed is None:
            elapsed = max(0.0, time.time() - header.saved_at)
        is_measured = unit_of(cache) != header.unit
        Filling(source, header, chosen, tags, int(elapsed * 1e3), is_measured).fill(cache)
    return cache


def check_serializer(source: Source, header: Header, chosen: Serializer) -> None:
    """Refuse a serializer of another name than the file's."""
    if header.serializer != name_of(chosen):
        raise ConfigError(
            f"{source.name}: was saved with the serializer {header.serializer!r:.100}, not with "
            f"{name_of(chosen)!r}: pass that one as serializer="
        )


def check_sizes(source: Source, header: Header, options: dict[str, Any]) -> None:
    """Refuse to guess what sizes are counted in."""
    if header.unit == "own" and "sizeof" not in options and "capacity" not in options:
        raise ConfigError(
            f"{source.name}: its sizes were told by a function, and no function is ever saved: "
            "pass sizeof=, or a capacity= in entries or bytes"
        )


def model_of(source: Source, data: bytes) -> _core.Artifact:
    """The trained model that was loaded."""
    try:
        return _core.Artifact(data)
    except ArtifactError as error:
        raise PersistenceError(
            f"{source.name}: its trained model cannot be used: {error}; load without it by "
            "model=None"
        ) from error


class Filling:
    """The entries of a file on their way into a cache."""

    def __init__(
        self,
        source: Source,
        header: Header,
        serializer: Serializer,
        tags: list[Any],
        elapsed: int,
        is_measured: bool,
    ) -> None:
        self.source, self.header, self.serializer = source, header, serializer
        self.tags, self.elapsed, self.is_measured = tags, elapsed, is_measured

    def fill(self, cache: _core.Cache) -> None:
        """Add the entries for which there is room: the last in the file, who would stay longest."""
        first, sizes = 0, None
        if self.is_measured or cache.capacity < self.header.capacity:
            first, sizes = self.fitting(cache)
        for at, head in self.heads():
            if at < first or head is None:
                self.source.skip()
                self.source.skip()
                continue
            key, value = self.entry(at)
            extra = None
            if (more := head.more) is not None:
                names = [self.tags[place] for place in more.tags]
                extra = (more.fresh, more.served, more.idle, more.load_seconds, names)
            size = head.size if sizes is None else sizes[at]
            try:
                cache.restore(key, value, size, head.is_pinned, head.left, head.history, extra)
            except TypeError as error:
                raise self.source.damaged(f"entry {at:,} cannot be stored: {error}") from error

    def fitting(self, cache: _core.Cache) -> tuple[int, list[int]]:
        """The first entry from which on all fit, and all sizes; the source is where it was."""
        start = self.source.place()
        sizes = [self.size(cache, at, head) for at, head in self.heads()]
        self.source.back_to(start)
        room = cache.capacity
        for at in reversed(range(len(sizes))):
            room -= sizes[at]
            if room < 0:
                return at + 1, sizes
        return 0, sizes

    def heads(self) -> Iterator[tuple[int, Head | None]]:
        """Entry by entry what is told of it; None where it has expired.

        Whoever asks for the next has read key and value, or passed them by.
        """
        for at in range(self.header.entries):
            head = read_head(self.source, len(self.tags))
            if self.header.unit == "entries" and head.size != 1:
                raise self.source.damaged(f"entry {at:,} of size {head.size:,} among entries")
            yield at, head.after(self.elapsed)
        if self.source.left:
            raise self.source.damaged(f"{self.source.left:,} bytes after its end")

    def entry(self, at: int) -> tuple[Any, Any]:
        """Key and value."""
        key = decoded(self.serializer, "key", at, self.source.block())
        return key, decoded(self.serializer, "value", at, self.source.block())

    def size(self, cache: _core.Cache, at: int, head: Head | None) -> int:
        """The size of an entry, its key and value passed by or measured; 0 where it has expired."""
        if self.is_measured and head is not None:
            return cache.measure(*self.entry(at))
        self.source.skip()
        self.source.skip()
        return 0 if head is None else head.size
