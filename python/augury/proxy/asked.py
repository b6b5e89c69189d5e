"""What a client asks: its request, with the target in one form and what may be trusted of it.

The target that names an answer is the one that the origin is asked for, so two ways to write it
cannot be told apart by one of them only. It knows fields and no cache.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from augury.proxy.control import Wishes
from augury.proxy.fields import Fields, joined, members

__all__ = ["Asked", "Refused", "name_of", "normalised", "varying"]

#: Of a reg-name, IPv4 or bracketed IPv6 address with a port: nothing that means anything elsewhere.
HOST = re.compile(rb"(?:[a-z0-9._~!$&'()*+,;=%-]+|\[[0-9a-f:.]+\])(?::\d{0,5})?")
ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})")
#: What may stand in a target as it is (RFC 3986, pchar and query).
STRANGE = re.compile(rb"[^A-Za-z0-9._~!$&'()*+,;=:@/%?-]")
LONE_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}")
#: Fields whose order of members means nothing between equals.
WEIGHTED = frozenset({b"accept", b"accept-charset", b"accept-encoding", b"accept-language"})
WHITESPACE = re.compile(r"[ \t]*,[ \t]*")
#: What makes a request conditional on something that only the origin knows (RFC 9111, 4.3.2).
FOR_THE_ORIGIN = (b"if-match", b"if-unmodified-since")


class Refused(Exception):  # noqa: N818
    """A request that is not passed on: the status and what to say."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(slots=True)
class Asked:
    """A request.

    ``name`` is what names the target's answers; ``fields`` are those of the client.
    """

    method: str
    host: bytes
    target: bytes
    name: str
    fields: Fields
    scheme: str
    client: str
    has_body: bool
    length: int | None
    wishes: Wishes | None
    #: Whether an answer that is stored may do.
    is_lookup: bool
    has_conditions: bool
    byte_range: bytes | None
    has_authorization: bool

    @classmethod
    def of(cls, scope: Any) -> "Asked":
        """That of an ASGI scope.

        Raises:
            Refused: It is malformed, or of a kind that is not passed on.
        """
        fields: Fields = scope["headers"]
        method: str = scope["method"]
        host = length = byte_range = None
        has_wishes = has_conditions = has_authorization = is_chunked = for_origin = False
        for name, value in fields:
            if name == b"host":
                if host is not None:
                    raise Refused(400, "more than one Host field")
                host = value.lower()
            elif name == b"cache-control" or name == b"pragma":
                has_wishes = True
            elif name == b"if-none-match" or name == b"if-modified-since":
                has_conditions = True
            elif name == b"range":
                byte_range = value
            elif name == b"authorization":
                has_authorization = True
            elif name == b"content-length":
                length = length_of(value, length)
            elif name == b"transfer-encoding":
                is_chunked = True
            elif name in FOR_THE_ORIGIN:
                for_origin = True
            elif name == b"upgrade" and b"websocket" in value.lower():
                raise Refused(501, "WebSockets are not passed on; connect to the origin itself")
        host = checked_host(host, scope["http_version"])
        if method in ("CONNECT", "TRACE") or not METHOD.fullmatch(method):
            raise Refused(501, f"the method {method[:32]} is not passed on")
        target = normalised(scope["raw_path"], scope["query_string"])
        has_body = is_chunked or bool(length)
        client = scope.get("client")
        return cls(
            method=method,
            host=host,
            target=target,
            name=name_of(target, host),
            fields=fields,
            scheme=scope["scheme"],
            client="" if client is None else client[0],
            has_body=has_body,
            length=None if is_chunked else length,
            wishes=wishes_of(fields) if has_wishes else None,
            is_lookup=method in ("GET", "HEAD") and not has_body and not for_origin,
            has_conditions=has_conditions,
            byte_range=byte_range,
            has_authorization=has_authorization,
        )


def name_of(target: bytes, host: bytes) -> str:
    """What names the answers of a target."""
    return f"{target[1:].decode('ascii')} {host.decode('ascii')}"


def wishes_of(fields: Fields) -> Wishes:
    """What the client says of caching."""
    return Wishes.of(joined(fields, b"cache-control"), joined(fields, b"pragma"))


def length_of(value: bytes, before: int | None) -> int:
    """A Content-Length, refused where it is no number or contradicts another."""
    if not value.isdigit() or len(value) > 18 or before not in (None, int(value)):
        raise Refused(400, "a Content-Length that is no length, or several that differ")
    return int(value)


def checked_host(host: bytes | None, version: str) -> bytes:
    """The host in lower case; empty for HTTP/1.0 without one."""
    if host is None and version == "1.0":
        return b""
    if not host or not HOST.fullmatch(host):
        raise Refused(400, "no Host field, or one that names no host")
    return host


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


def varying(fields: Iterable[tuple[bytes, bytes]], named: Iterable[bytes]) -> str:
    """The part of a name that says what an answer varies by, values in one form."""
    lines = list(fields)
    return "".join(f"\n{name.decode('latin-1')}{one_value(lines, name)}" for name in named)


def one_value(fields: Fields, name: bytes) -> str:
    """The value of a field, in a form that does not depend on how it was written.

    >>> one_value([(b"accept-language", b"en;q=0.5,  DE"), (b"accept-language", b"fr")],
    ...           b"accept-language")
    '=de,fr,en;q=0.5'
    >>> one_value([], b"accept")
    '-'
    """
    text = joined(fields, name)
    if text is None:
        return "-"
    if name not in WEIGHTED:
        return "=" + WHITESPACE.sub(",", text.strip(" \t"))
    parts = [re.sub(r"[ \t]*;[ \t]*", ";", member).lower() for member in members(text)]
    return "=" + ",".join(sorted(parts, key=lambda part: (-quality(part), part)))


def quality(part: str) -> float:
    """The weight of a member, 1 if it has none."""
    _, _, weight = part.partition(";q=")
    try:
        return float(weight.partition(";")[0]) if weight else 1.0
    except ValueError:
        return 0.0
