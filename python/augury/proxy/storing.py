"""May an answer be stored, and what of it (RFC 9111, 3).

The rules are hishel's: it is shown the answer with the directives that count here, as
:class:`~augury.proxy.control.Control` read them, and says whether a shared cache may store it.
Above it stand those that hishel has not, or that are stricter by choice: `must-understand`,
`Vary: *`, cookies, and that there must be some use in storing it.
"""

from dataclasses import dataclass, replace

import hishel

from augury.proxy.answers import Clock, Kept
from augury.proxy.asked import Asked, varying
from augury.proxy.control import UNDERSTOOD, Control
from augury.proxy.fields import Fields, first, http_date, joined, members
from augury.proxy.freshness import initial_age, is_explicit, lifetime
from augury.proxy.groups import groups_of
from augury.proxy.ranges import Span, span_of

__all__ = ["Rules", "matches", "refreshed", "united"]

#: Fields of a request by which an answer may vary at most.
MOST_SELECTING = 16
#: What hishel is shown of a request and of an answer, beside the directives.
SHOWN = frozenset({b"expires", b"last-modified", b"etag", b"date"})
#: Never taken from a 304: what the body that is stored is, or is framed by (RFC 9111, 3.2).
OF_THE_BODY = frozenset({b"content-encoding", b"content-length", b"content-range"})
OPTIONS: hishel.CacheOptions = {"shared": True, "supported_methods": ["GET"]}


@dataclass(frozen=True, slots=True)
class Rules:
    """What is not the RFC's to say.

    Args:
        clock: The time.
        longest_guess: Seconds for which an answer is fresh at most where the origin does not say.
        stores_cookies: Whether an answer that sets a cookie is stored like any other.
        stale_if_error: Seconds past its freshness in which an answer is of use to somebody.
    """

    clock: Clock
    longest_guess: float
    stores_cookies: bool
    stale_if_error: float

    def draft(
        self, asked: Asked, status: int, fields: Fields, began: float
    ) -> tuple[Kept | None, str]:
        """What to store of an answer but for its body; or None, and in a word why not.

        Args:
            asked: The request.
            status: The answer's status.
            fields: Its fields, without those of the connection.
            began: When it was asked for, on the steady clock.
        """
        control = Control.of(fields)
        kept = self._kept(asked, control, status, fields, began)
        reason = self._reason_against(asked, kept, status, fields)
        return (None, reason) if reason else (kept, "")

    def unstored(self, asked: Asked, status: int, fields: Fields, began: float) -> Kept:
        """The same for an answer that is served once and not stored."""
        return self._kept(asked, Control.of(fields), status, fields, began)

    def _kept(
        self, asked: Asked, control: Control, status: int, fields: Fields, began: float
    ) -> Kept:
        wall, now = self.clock.wall(), self.clock.steady()
        date = http_date(joined(fields, b"date"), wall)
        made = wall if date is None else float(date)
        age = initial_age(fields, made, wall - (now - began), wall)
        dropped = {name.encode("latin-1") for name in control.unkept} | {b"age", b"content-length"}
        vary = vary_of(fields)
        etag, modified = first(fields, b"etag"), first(fields, b"last-modified")
        return Kept(
            status=status,
            fields=[line for line in fields if line[0] not in dropped],
            body=b"",
            control=control,
            born=now - age,
            lifetime=lifetime(control, fields, status, made, self.longest_guess),
            date=made,
            etag=None if etag is None else etag.decode("latin-1"),
            modified=None if modified is None else modified.decode("latin-1"),
            vary=vary,
            selected=varying(asked.fields, vary),
            groups=groups_of(fields),
            span=span_of(fields) if status == 206 else None,
        )

    def _reason_against(self, asked: Asked, kept: Kept, status: int, fields: Fields) -> str:
        control = kept.control
        if asked.wishes is not None and asked.wishes.no_store:
            return "request-no-store"
        if control.must_understand and status not in UNDERSTOOD:
            return "not-understood"
        if b"*" in kept.vary or len(kept.vary) > MOST_SELECTING:
            return "vary"
        if not self.stores_cookies and not control.is_for_all:
            if joined(fields, b"set-cookie") is not None:
                return "set-cookie"
            if joined(asked.fields, b"cookie") is not None and not is_explicit(control, fields):
                return "cookie"
        if status == 206 and (kept.span is None or asked.byte_range is None):
            return "part"
        # To whom ranges are understood a part is as good as the whole (RFC 9111, 3.3).
        if not is_permitted(asked, control, 200 if status == 206 else status, fields):
            return "forbidden"
        is_stale = control.no_cache or kept.staleness(self.clock.steady()) >= 0
        if status == 206 and is_stale:
            return "stale"
        return "stale" if is_stale and not self._is_of_use(kept) else ""

    def _is_of_use(self, kept: Kept) -> bool:
        """Whether an answer that is stale already can serve anybody."""
        control = kept.control
        if kept.etag is not None or kept.modified is not None:
            return True
        if control.forbids_stale or control.lifetime is None:
            return False
        return bool(control.stale_while_revalidate or control.stale_if_error or self.stale_if_error)


def is_permitted(asked: Asked, control: Control, status: int, fields: Fields) -> bool:
    """Whether hishel lets a shared cache store it."""
    said: dict[str, str | list[str]] = {
        name.decode("latin-1"): value.decode("latin-1") for name, value in fields if name in SHOWN
    }
    if control.is_targeted:
        said.pop("expires", None)
    said["cache-control"] = in_words(control)
    sent = {"authorization": "hidden"} if asked.has_authorization else {}
    request = hishel.Request("GET", "http://origin/", headers=hishel.Headers(sent))
    response = hishel.Response(status, hishel.Headers(said))
    state = hishel.CacheMiss(OPTIONS, request).next(response)
    return isinstance(state, hishel.StoreAndUse)


def in_words(control: Control) -> str:
    """The directives as a Cache-Control that has one reading only."""
    words = [
        word
        for word, is_said in (
            ("no-store", control.no_store and not control.must_understand),
            ("private", control.private),
            ("public", control.public),
            ("must-revalidate", control.must_revalidate),
        )
        if is_said
    ]
    if control.max_age is not None:
        words.append(f"max-age={control.max_age}")
    if control.s_maxage is not None:
        words.append(f"s-maxage={control.s_maxage}")
    return ", ".join(words)


def vary_of(fields: Fields) -> tuple[bytes, ...]:
    """The fields of a request that the answer varies by, in lower case and in order."""
    named = {member.lower() for member in members(joined(fields, b"vary") or "")}
    return tuple(sorted(name.encode("latin-1") for name in named))


def matches(kept: Kept, asked: Asked) -> bool:
    """Whether a request selects this answer by what it varies by (RFC 9111, 4.1)."""
    return not kept.vary or varying(asked.fields, kept.vary) == kept.selected


def refreshed(kept: Kept, fields: Fields) -> Fields:
    """The stored fields with those of a 304, or of an answer to HEAD, in place of theirs (3.2)."""
    new = [line for line in fields if line[0] not in OF_THE_BODY]
    names = {name for name, _ in new}
    return [line for line in kept.fields if line[0] not in names] + new


def united(old: Kept | None, new: Kept, most: int) -> Kept:
    """Two parts as one, or as the whole, if they are surely of the same (RFC 9110, 15.3.7.3).

    Args:
        old: What is stored, if anything is.
        new: What has come now: its fields are those of both.
        most: Bytes of a body at most.
    """
    before, now = (None if old is None else old.span), new.span
    if old is None or before is None or now is None or not before.touches(now):
        return completed(new)
    is_strong = new.etag is not None and new.etag.startswith('"')
    span = Span(min(before.start, now.start), max(before.end, now.end), now.whole)
    if not is_strong or old.etag != new.etag or span.size > most:
        return completed(new)
    head = old.body[: max(0, now.start - before.start)]
    tail = old.body[now.end + 1 - before.start :] if before.end > now.end else b""
    return completed(replace(new, body=head + new.body + tail, span=span))


def completed(part: Kept) -> Kept:
    """A part that is the whole as the whole (RFC 9111, 3.4)."""
    span = part.span
    if span is None or span.size != span.whole:
        return part
    fields = [line for line in part.fields if line[0] != b"content-range"]
    return replace(part, status=200, fields=fields, span=None)
