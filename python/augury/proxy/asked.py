"""What a client asks: its request, with the target in one form and what may be trusted of it.

It knows fields and targets and no cache.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from augury.proxy.control import Wishes
from augury.proxy.fields import Fields, joined, members
from augury.proxy.targets import Refused, name_of, normalised

__all__ = ["Asked", "varying"]

#: Of a reg-name, IPv4 or bracketed IPv6 address with a port: nothing that means anything elsewhere.
HOST = re.compile(rb"(?:[a-z0-9._~!$&'()*+,;=%-]+|\[[0-9a-f:.]+\])(?::\d{0,5})?")
METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}")
#: Fields whose order of members means nothing between equals.
WEIGHTED = frozenset({b"accept", b"accept-charset", b"accept-encoding", b"accept-language"})
WHITESPACE = re.compile(r"[ \t]*,[ \t]*")
#: What says something about how a request is to be treated; the last two are conditions on
#: something that only the origin knows (RFC 9111, 4.3.2).
TELLING = frozenset(
    {
        b"host", b"cache-control", b"pragma", b"if-none-match", b"if-modified-since", b"range",
        b"authorization", b"content-length", b"transfer-encoding", b"via", b"upgrade",
        b"if-match", b"if-unmodified-since",
    }
)  # fmt: skip


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
    #: What Via says of the proxies that it has come through.
    passed: bytes = b""
    #: Whether it would rather speak another protocol, which is not passed on.
    wants_upgrade: bool = False

    @classmethod
    def of(cls, scope: Any) -> "Asked":
        """That of an ASGI scope.

        Raises:
            Refused: It is malformed, or of a kind that is not passed on.
        """
        fields: Fields = scope["headers"]
        method: str = scope["method"]
        told = [line for line in fields if line[0] in TELLING]
        host: bytes | None
        if len(told) == 1 and told[0][0] == b"host":
            host, found = told[0][1].lower(), NOTHING_TOLD
        else:
            host, found = read(told)
        named = checked_host(host, scope["http_version"])
        if method in ("CONNECT", "TRACE") or not METHOD.fullmatch(method):
            raise Refused(501, f"the method {method[:32]} is not passed on")
        target = normalised(scope["raw_path"], scope["query_string"])
        has_body = found.is_chunked or bool(found.length)
        client = scope.get("client")
        return cls(
            method=method,
            host=named,
            target=target,
            name=name_of(target, named),
            fields=fields,
            scheme=scope["scheme"],
            client="" if client is None else client[0],
            has_body=has_body,
            length=None if found.is_chunked else found.length,
            wishes=wishes_of(fields) if found.has_wishes else None,
            is_lookup=method in ("GET", "HEAD") and not has_body and not found.is_for_origin,
            has_conditions=found.has_conditions,
            byte_range=found.byte_range,
            has_authorization=found.has_authorization,
            passed=found.passed,
            wants_upgrade=found.wants_upgrade,
        )


@dataclass(slots=True)
class Told:
    """What the fields of a request say that matters here."""

    length: int | None = None
    is_chunked: bool = False
    has_wishes: bool = False
    has_conditions: bool = False
    is_for_origin: bool = False
    byte_range: bytes | None = None
    has_authorization: bool = False
    passed: bytes = b""
    wants_upgrade: bool = False


NOTHING_TOLD = Told()


def read(lines: Fields) -> tuple[bytes | None, Told]:
    """The host and the rest.

    Raises:
        Refused: Lines contradict each other.
    """
    host, found = None, Told()
    for name, value in lines:
        if name == b"host":
            if host is not None:
                raise Refused(400, "more than one Host field")
            host = value.lower()
        elif name in (b"cache-control", b"pragma"):
            found.has_wishes = True
        elif name in (b"if-none-match", b"if-modified-since"):
            found.has_conditions = True
        elif name == b"range":
            found.byte_range = value
        elif name == b"authorization":
            found.has_authorization = True
        elif name == b"content-length":
            found.length = length_of(value, found.length)
        elif name == b"transfer-encoding":
            found.is_chunked = True
        elif name == b"via":
            found.passed += value + b","
        elif name == b"upgrade":
            if b"websocket" in value.lower():
                raise Refused(501, "WebSockets are not passed on; connect to the origin itself")
            found.wants_upgrade = True
        else:
            found.is_for_origin = True
    return host, found


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
