"""Conditions and ranges of a request, judged against a stored answer (RFC 9110, 13 and 14).

Pure: it takes an answer and a request and says what part of the answer to send.
"""

from dataclasses import dataclass

from augury.proxy.answers import Kept
from augury.proxy.asked import Asked
from augury.proxy.fields import Fields, entity_tags, first, http_date, joined, opaque
from augury.proxy.ranges import wanted

__all__ = ["Part", "client_has", "has_range", "part_for", "whole"]

#: What a 304 leaves out: it says nothing about the body (RFC 9110, 15.4.5).
OF_THE_BODY = frozenset(
    {
        b"content-encoding", b"content-language", b"content-length", b"content-md5",
        b"content-range", b"content-type",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """What is sent of an answer."""

    status: int
    fields: Fields
    body: bytes


def part_for(kept: Kept, asked: Asked, now: float) -> Part:
    """The whole answer, a range of it, or that the client has it already.

    Args:
        kept: The answer.
        asked: The request.
        now: Seconds since 1970.
    """
    if asked.has_conditions and client_has(kept, asked, now):
        left = [line for line in kept.fields if line[0] not in OF_THE_BODY]
        return Part(304, left, b"")
    wants_range = asked.byte_range is not None and asked.method == "GET"
    if wants_range and kept.status in (200, 206) and is_range_wanted(kept, asked, now):
        return ranged(kept, asked.byte_range or b"")
    return Part(kept.status, whole(kept), kept.body)


def whole(kept: Kept) -> Fields:
    """The fields with the length of the body; what has none by its status gets none."""
    if kept.status == 204:
        return list(kept.fields)
    return [*kept.fields, (b"content-length", b"%d" % len(kept.body))]


def client_has(kept: Kept, asked: Asked, now: float) -> bool:
    """Whether the client has this answer: by If-None-Match, else by If-Modified-Since."""
    if not 200 <= kept.status < 300:
        return False
    tags = joined(asked.fields, b"if-none-match")
    if tags is not None:
        if tags == kept.etag:
            # Of what is no entity tag the same text is the same answer nevertheless.
            return True
        asked_for = entity_tags(tags)
        if asked_for == ["*"]:
            return True
        return kept.etag is not None and opaque(kept.etag) in map(opaque, asked_for)
    since = http_date(joined(asked.fields, b"if-modified-since"), now)
    if since is None:
        return False
    changed = kept.date if kept.modified is None else http_date(kept.modified, now)
    return changed is not None and changed <= since


def is_range_wanted(kept: Kept, asked: Asked, now: float) -> bool:
    """Whether If-Range, where there is one, holds: by a strong tag, or by the very same date."""
    condition = first(asked.fields, b"if-range")
    if condition is None:
        return True
    text = condition.decode("latin-1")
    if text.endswith('"'):
        return text == kept.etag and not text.startswith("W/")
    # A date is strong only if the answer was made a while after it (RFC 9110, 8.8.2.2).
    changed = http_date(kept.modified, now)
    return changed is not None and text == kept.modified and changed + 1 <= kept.date


def has_range(part: Kept, asked: Asked, now: float) -> bool:
    """Whether a stored part has all that is asked for (RFC 9111, 3.3)."""
    if part.span is None or asked.byte_range is None or asked.method != "GET":
        return False
    bounds = wanted(asked.byte_range, part.span.whole)
    return bounds is not None and part.span.contains(*bounds) and is_range_wanted(part, asked, now)


def ranged(kept: Kept, asked: bytes) -> Part:
    """One range of the body; all of it where there are several or what is asked makes no sense."""
    first_byte, length = (0, len(kept.body)) if kept.span is None else (
        kept.span.start, kept.span.whole
    )  # fmt: skip
    bounds = wanted(asked, length)
    if bounds is None:
        return Part(200, whole(kept), kept.body)
    start, end = bounds
    if start > end:
        said = [(b"content-range", b"bytes */%d" % length), (b"content-length", b"0")]
        dated = [line for line in kept.fields if line[0] in (b"date", b"via")]
        return Part(416, dated + said, b"")
    body = kept.body[start - first_byte : end + 1 - first_byte]
    named = (b"content-range", b"bytes %d-%d/%d" % (start, end, length))
    fields = [line for line in kept.fields if line[0] != b"content-range"]
    return Part(206, [*fields, named, (b"content-length", b"%d" % len(body))], body)
