"""What an origin says of caching its answer, and a client of its request: parsed once.

A valid CDN-Cache-Control takes the place of Cache-Control and Expires (RFC 9213). It knows
:mod:`augury.proxy.fields` and nothing of stored answers.
"""

from dataclasses import dataclass, field

import http_sf

from augury.proxy.fields import LONGEST, Fields, delta_seconds, directives, joined, members

__all__ = ["Control", "Wishes"]

#: Status codes whose answers may be kept on the strength of a guess (RFC 9110, 15.1).
HEURISTIC = frozenset({200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501})
#: Those whose rules of caching are known here, for `must-understand` (RFC 9111, 5.2.2.3).
UNDERSTOOD = HEURISTIC | {302, 303, 307, 400, 401, 403, 406, 409, 429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Control:
    """The directives of an answer. Seconds; None where a directive is missing."""

    no_store: bool = False
    no_cache: bool = False
    private: bool = False
    public: bool = False
    must_revalidate: bool = False
    must_understand: bool = False
    max_age: int | None = None
    s_maxage: int | None = None
    stale_while_revalidate: int = 0
    stale_if_error: int | None = None
    #: Fields that are not to be kept: those that `no-cache` and `private` name.
    unkept: frozenset[str] = field(default=frozenset())
    #: Whether CDN-Cache-Control said so.
    is_targeted: bool = False

    @classmethod
    def of(cls, fields: Fields) -> "Control":
        """Those of the targeted field, if it is sound and says something, else Cache-Control."""
        targeted = targeted_directives(joined(fields, b"cdn-cache-control"))
        if targeted is not None:
            return cls._of(targeted, is_targeted=True)
        text = joined(fields, b"cache-control")
        return cls() if text is None else cls._of(directives(text), is_targeted=False)

    @classmethod
    def _of(cls, found: dict[str, str | None], is_targeted: bool) -> "Control":
        names = [found[name] or "" for name in ("no-cache", "private") if name in found]
        return cls(
            no_store="no-store" in found,
            no_cache="no-cache" in found and not found["no-cache"],
            private="private" in found and not found["private"],
            public="public" in found,
            must_revalidate="must-revalidate" in found or "proxy-revalidate" in found,
            must_understand="must-understand" in found,
            max_age=seconds_of(found, "max-age"),
            s_maxage=seconds_of(found, "s-maxage"),
            stale_while_revalidate=seconds_of(found, "stale-while-revalidate") or 0,
            stale_if_error=seconds_of(found, "stale-if-error"),
            unkept=frozenset(name.lower() for text in names for name in members(text)),
            is_targeted=is_targeted,
        )

    @property
    def lifetime(self) -> int | None:
        """Seconds for which the directives let a shared cache serve the answer."""
        return self.max_age if self.s_maxage is None else self.s_maxage

    @property
    def forbids_stale(self) -> bool:
        """Whether it may never be served stale (RFC 9111, 4.2.4, 5.2.2.2, .8 and .10)."""
        return self.must_revalidate or self.no_cache or self.s_maxage is not None

    @property
    def is_for_all(self) -> bool:
        """Whether shared caches are addressed: the answer to one user may be given to another."""
        return self.public or self.s_maxage is not None or self.is_targeted


def seconds_of(found: dict[str, str | None], name: str) -> int | None:
    """Seconds of a directive; 0 where its value is no number, None where there is none."""
    return (delta_seconds(found[name]) or 0) if name in found else None


def targeted_directives(text: str | None) -> dict[str, str | None] | None:
    """Those of a CDN-Cache-Control; None where it is missing, empty or no structured field."""
    if text is None:
        return None
    try:
        parsed = http_sf.parse(text.encode("latin-1"), tltype="dictionary")
    except ValueError:
        return None
    found: dict[str, str | None] = {}
    for name, item in parsed.items() if isinstance(parsed, dict) else ():
        value = item[0] if isinstance(item, tuple) else item
        if value is True:
            found[name] = None
        elif isinstance(value, int) and not isinstance(value, bool):
            found[name] = str(value)
        elif name not in ("max-age", "s-maxage"):
            # A value of the wrong kind makes a directive void, but a prohibition stays one.
            found[name] = None
    return found or None


@dataclass(frozen=True, slots=True)
class Wishes:
    """The directives of a request (RFC 9111, 5.2.1)."""

    no_store: bool = False
    no_cache: bool = False
    only_if_cached: bool = False
    max_age: int | None = None
    min_fresh: int = 0
    #: `LONGEST` where any staleness is fine.
    max_stale: int = 0
    stale_if_error: int | None = None

    @classmethod
    def of(cls, cache_control: str | None, pragma: str | None) -> "Wishes":
        """Of the two fields; Pragma counts where there is no Cache-Control (RFC 9111, 5.4)."""
        if cache_control is None:
            return cls(no_cache="no-cache" in directives(pragma or ""))
        found = directives(cache_control)
        any_staleness = "max-stale" in found and found["max-stale"] is None
        return cls(
            no_store="no-store" in found,
            no_cache="no-cache" in found,
            only_if_cached="only-if-cached" in found,
            max_age=delta_seconds(found.get("max-age")),
            min_fresh=delta_seconds(found.get("min-fresh")) or 0,
            max_stale=LONGEST if any_staleness else delta_seconds(found.get("max-stale")) or 0,
            stale_if_error=delta_seconds(found.get("stale-if-error")),
        )
