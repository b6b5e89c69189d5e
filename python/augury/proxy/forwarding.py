"""Fields on their way: what goes on to the origin, and what comes back to the client.

Whatever describes one connection ends here (RFC 9110, 7.6.1), and so does what a client could use
to change an answer behind the cache's back: fields that name another host, scheme, path or method
than the request does, unless the proxy stands behind one that is trusted.
"""

from augury.proxy.asked import Asked
from augury.proxy.fields import Fields, members

__all__ = ["answer_fields", "is_looping", "request_fields"]

#: Of one connection, in requests and answers.
HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authentication-info",
        b"proxy-authorization", b"proxy-connection", b"te", b"trailer", b"transfer-encoding",
        b"upgrade",
    }
)  # fmt: skip
#: Made anew for the origin.
OURS = frozenset({b"host", b"content-length", b"expect", b"http2-settings", b"via"})
#: What origins take for the truth about the client. None of it names the answer in the cache.
CLAIMS = frozenset(
    {
        b"forwarded", b"front-end-https", b"x-forwarded", b"x-forwarded-by", b"x-forwarded-for",
        b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-prefix", b"x-forwarded-proto",
        b"x-forwarded-protocol", b"x-forwarded-scheme", b"x-forwarded-server", b"x-forwarded-ssl",
        b"x-host", b"x-http-host-override", b"x-http-method", b"x-http-method-override",
        b"x-method-override", b"x-original-host", b"x-original-url", b"x-real-ip",
        b"x-rewrite-url", b"x-url-scheme",
    }
)  # fmt: skip
#: Conditions that the cache makes itself when it validates.
CONDITIONS = frozenset({b"if-none-match", b"if-modified-since", b"if-range", b"range"})
#: Never nominated away by `Connection`: what the message is about.
KEPT = frozenset({b"host", b"content-length", b"cache-control", b"authorization", b"cookie"})
#: Passes through a proxy of this name after which a request is going round in circles.
MOST_PASSES = 8


def nominated(fields: Fields) -> set[bytes]:
    """The fields that Connection names, beside those of every connection."""
    named = {
        member.lower().encode("latin-1")
        for name, value in fields
        if name == b"connection"
        for member in members(value.decode("latin-1"))
    }
    return named - KEPT


def request_fields(
    asked: Asked,
    host: bytes,
    name: str,
    *,
    is_behind_proxy: bool,
    is_conditional: bool,
    added: Fields,
) -> Fields:
    """What the origin is sent.

    Args:
        asked: The request.
        host: What Host says.
        name: What Via calls this proxy.
        is_behind_proxy: Whether what the client claims of other proxies is believed.
        is_conditional: Whether the client's conditions and range go along.
        added: Fields of the cache's own.
    """
    dropped = HOP | OURS | nominated(asked.fields)
    if not is_behind_proxy:
        dropped |= CLAIMS
    if not is_conditional:
        dropped |= CONDITIONS
    sent: Fields = [(b"host", host)]
    sent += [line for line in asked.fields if line[0] not in dropped]
    before = [asked.passed.rstrip(b",")] if asked.passed else []
    sent.append((b"via", b", ".join([*before, b"1.1 " + name.encode("ascii")])))
    if not is_behind_proxy:
        sent += [
            (b"x-forwarded-for", asked.client.encode("ascii") or b"unknown"),
            (b"x-forwarded-proto", asked.scheme.encode("ascii")),
        ]
        if asked.host:
            sent.append((b"x-forwarded-host", asked.host))
    if asked.has_body:
        if asked.length is None:
            sent.append((b"transfer-encoding", b"chunked"))
        else:
            sent.append((b"content-length", b"%d" % asked.length))
    elif asked.length == 0 or asked.method in ("POST", "PUT", "PATCH"):
        sent.append((b"content-length", b"0"))
    return sent + added


def answer_fields(fields: Fields, date: bytes, via: bytes) -> Fields:
    """What the client is sent of the origin's fields, in lower case, with a Date (6.6.1)."""
    lines = [(name.lower(), value) for name, value in fields]
    dropped = HOP | nominated(lines)
    sent = [line for line in lines if line[0] not in dropped]
    if not any(name == b"date" for name, _ in sent):
        sent.append((b"date", date))
    sent.append((b"via", via))
    return sent


def is_looping(asked: Asked, name: str) -> bool:
    """Whether the request has come through a proxy of this name so often that it never ends."""
    return bool(asked.passed) and asked.passed.count(f" {name}".encode("ascii")) >= MOST_PASSES
