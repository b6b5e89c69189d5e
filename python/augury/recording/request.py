"""What sources hand on: a request under its key, or a word about what they left out."""

from typing import NamedTuple

__all__ = ["KeyedRequest", "LeftOut"]


class KeyedRequest(NamedTuple):
    """One request as seen by a source, before sizes are filled in and keys are hidden."""

    #: Seconds, on the source's own clock.
    time: float
    key: bytes
    #: Bytes of the whole object; None where the source did not see it.
    size: int | None
    #: What it does, in memcached's words.
    op: str
    #: Seconds; 0 where there is none.
    ttl: int = 0
    #: Bytes that the request adds to an object, or a part of it that it shows: the object is at
    #: least that large. Heeded where ``size`` is None.
    part: int = 0
    #: Another key whose object this one takes over, with its size.
    origin: bytes | None = None


class LeftOut(NamedTuple):
    """Something that a source saw and that is no request, or none that counts."""

    #: What it is, the same words for all of its kind.
    reason: str
    #: Where, and what was found; the first of a kind is shown.
    example: str | None = None
    #: Whether the input is damaged: ``strict`` stops here.
    malformed: bool = False
