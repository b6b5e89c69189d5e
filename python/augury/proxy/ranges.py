"""Ranges of bytes: what a request asks for, and what an answer is (RFC 9110, 14).

It knows fields and lengths and no stored answers.
"""

import re
from dataclasses import dataclass

from augury.proxy.fields import Fields

__all__ = ["Span", "span_of", "wanted"]

RANGE = re.compile(rb"bytes=[ \t]*(\d*)-(\d*)[ \t]*")
CONTENT_RANGE = re.compile(rb"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Span:
    """Which bytes of a whole: from the first to the last, of so many."""

    start: int
    end: int
    whole: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.end - self.start + 1

    def contains(self, start: int, end: int) -> bool:
        """Whether all of these bytes are among them."""
        return self.start <= start <= end <= self.end

    def touches(self, other: "Span") -> bool:
        """Whether both together have no gap, and are of wholes of the same length."""
        together = self.start <= other.end + 1 and other.start <= self.end + 1
        return together and self.whole == other.whole


def span_of(fields: Fields) -> Span | None:
    """What Content-Range says; None where it is missing, leaves something open or makes no sense.

    >>> span_of([(b"content-range", b"bytes 4-9/10")])
    Span(start=4, end=9, whole=10)
    >>> span_of([(b"content-range", b"bytes 4-9/*")]), span_of([])
    (None, None)
    """
    said = [value for name, value in fields if name == b"content-range"]
    found = CONTENT_RANGE.fullmatch(said[0]) if len(said) == 1 else None
    if found is None:
        return None
    start, end, whole = (int(number) for number in found.groups())
    return Span(start, end, whole) if start <= end < whole else None


def wanted(text: bytes, length: int) -> tuple[int, int] | None:
    """The first and last byte that a Range asks for, of so many; None where it has to be ignored.

    The first is behind the last where there are no such bytes.

    >>> [wanted(b"bytes=" + text, 10) for text in (b"2-4", b"8-", b"-3", b"8-99", b"10-")]
    [(2, 4), (8, 9), (7, 9), (8, 9), (10, 9)]
    >>> [wanted(text, 10) for text in (b"bytes=4-2", b"bytes=1-2,4-5", b"lines=1-2", b"bytes=-")]
    [None, None, None, None]
    """
    found = RANGE.fullmatch(text)
    if found is None or not (found[1] or found[2]) or len(text) > 64:
        return None
    if not found[1]:
        return max(0, length - int(found[2])), length - 1
    start, end = int(found[1]), int(found[2]) if found[2] else length - 1
    return None if found[2] and end < start else (start, min(end, length - 1))
