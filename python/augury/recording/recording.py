"""What came of a recording: counts, what was left out and why, and the words for people."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["LeftOutCount", "Recording"]


@dataclass(frozen=True, slots=True)
class LeftOutCount:
    """So many of one kind were left out."""

    reason: str
    count: int
    #: The first of them; for unknown commands the most frequent names.
    example: str | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """What was written, and what was not."""

    target: str
    requests: int
    #: Distinct keys; exact up to 65,536, else estimated with a standard error of 0.4%.
    objects: int
    objects_exact: bool
    #: First and last second, None where nothing was written.
    first_time: int | None
    last_time: int | None
    #: Requests whose size is the last one known of the key.
    sizes_remembered: int
    #: Requests whose size was never seen; it is written as 1.
    sizes_unknown: int
    #: Requests that showed a part of the object: the size is the largest part seen.
    sizes_partial: int
    left_out: tuple[LeftOutCount, ...]
    #: Why the recording ended: ``end of input``, ``duration``, ``requests``, ``interrupted``, or
    #: what the source said.
    ended: str
    #: Whether it ended as asked: not by a damaged file or a lost connection.
    complete: bool
    notes: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """The counts as plain dictionaries, lists and numbers."""
        return asdict(self)

    def summary(self) -> str:
        """The recording in words, a line per fact."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        about = "" if self.objects_exact else "about "
        span = ""
        if self.first_time is not None and self.last_time is not None:
            span = f", {self.last_time - self.first_time:,} s"
        yield (
            f"wrote {self.requests:,} requests to {about}{self.objects:,} objects{span} "
            f"to {self.target}"
        )
        yield f"ended: {self.ended}"
        if self.sizes_remembered:
            yield f"sizes: {self.sizes_remembered:,} requests have the last size known of the key"
        if self.sizes_partial:
            yield (
                f"sizes: {self.sizes_partial:,} requests show a part of an object; it counts as "
                "large as the largest part seen"
            )
        if self.sizes_unknown:
            yield f"sizes: {self.sizes_unknown:,} requests are written as size 1: none was seen"
        for one in self.left_out:
            example = f" ({one.example})" if one.example else ""
            yield f"left out: {one.count:,} {one.reason}{example}"
        for note in self.notes:
            yield f"note: {note}"
