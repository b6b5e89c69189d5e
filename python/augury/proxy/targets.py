"""Targets in one form, and what names the answers of a target.

The target that names an answer is the one that the origin is asked for, so two ways to write it
cannot be told apart by one of them only (RFC 3986, 6.2.2). It knows bytes and nothing else.
"""

import re

__all__ = ["Refused", "name_of", "normalised"]

ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})")
#: What may stand in a target as it is (RFC 3986, pchar and query).
STRANGE = re.compile(rb"[^A-Za-z0-9._~!$&'()*+,;=:@/%?-]")
LONE_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Refused(Exception):  # noqa: N818
    """A request that is not passed on: the status and what to say."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def name_of(target: bytes, host: bytes) -> str:
    """What names the answers of a target."""
    return f"{target[1:].decode('ascii')} {host.decode('ascii')}"


def normalised(path: bytes, query: bytes) -> bytes:
    """A target in one form (RFC 3986, 6.2.2): what is equivalent becomes equal.

    Octets that need no encoding are decoded, those that do are encoded, dot segments resolved.

    >>> normalised(b"/a/./b/../%7ec/%2f", b"x=%61"), normalised(b"/%2e%2e/%2E%2E/x", b"")
    (b'/a/~c/%2F?x=a', b'/x')
    """
    if not path.startswith(b"/"):
        # The asterisk of OPTIONS, and the authority of CONNECT, name no resource of the origin.
        raise Refused(400, "a target that is no path")
    if b"%" in path or STRANGE.search(path):
        path = recoded(path)
    if b"/." in path:
        path = without_dots(path)
    if not query:
        return path
    if b"%" in query or STRANGE.search(query):
        query = recoded(query)
    return path + b"?" + query


def recoded(text: bytes) -> bytes:
    """Percent-encoding where it is needed and nowhere else, in capitals."""
    text = LONE_PERCENT.sub(b"%25", text)
    text = STRANGE.sub(lambda found: b"%%%02X" % found.group()[0], text)
    return ENCODED.sub(one_form, text)


def one_form(found: "re.Match[bytes]") -> bytes:
    """An encoded octet in the form that all know it by."""
    octet = int(found[1], 16)
    return bytes((octet,)) if octet in UNRESERVED else found.group().upper()


def without_dots(path: bytes) -> bytes:
    """The path without ``.`` and ``..`` as segments, none of which leads above the root."""
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for number, segment in enumerate(segments):
        is_last = number == len(segments) - 1
        if segment == b"..":
            if kept:
                kept.pop()
        elif segment != b".":
            kept.append(segment)
            continue
        if is_last:
            kept.append(b"")
    return b"/" + b"/".join(kept)
