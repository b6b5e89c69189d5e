"""What header fields say: lists, directives, dates, numbers, as RFC 9110 and 9111 define them.

Below everything else of the proxy. It knows values and no rule about what follows from them: a
malformed value is reported as such and never guessed at.
"""

import calendar
import re
from collections.abc import Iterable

__all__ = [
    "LONGEST",
    "Fields",
    "delta_seconds",
    "directives",
    "entity_tags",
    "first",
    "http_date",
    "joined",
    "members",
    "opaque",
]

#: Field lines in their order, names in lower case.
Fields = list[tuple[bytes, bytes]]
#: Seconds; what is larger means this (RFC 9111, 1.2.2).
LONGEST = 2**31
MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
#: The three forms of RFC 9110, 5.6.7, and nothing near them.
DATES = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"(?:mon|tue|wed|thu|fri|sat|sun), (?P<day>\d\d) (?P<month>[a-z]{{3}}) (?P<year>\d{{4}}) "
        rf"{CLOCK} GMT",
        rf"(?:mon|tues|wednes|thurs|fri|satur|sun)day, (?P<day>\d\d)-(?P<month>[a-z]{{3}})-"
        rf"(?P<year>\d\d) {CLOCK} GMT",
        rf"(?:mon|tue|wed|thu|fri|sat|sun) (?P<month>[a-z]{{3}}) (?P<day>[ \d]\d) {CLOCK} "
        rf"(?P<year>\d{{4}})",
    )
)
#: A member of a list: quoted strings, in which a comma is none, and anything else but commas.
MEMBER = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"|")+')
TAG = re.compile(r'\s*((?:W/)?"[^"]*")\s*(?:,|$)')
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def first(fields: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The value of the first line of this name."""
    for other, value in fields:
        if other == name:
            return value
    return None


def joined(fields: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """The values of all lines of this name as one list; None where there is no such line."""
    lines = [value for other, value in fields if other == name]
    return b", ".join(lines).decode("latin-1") if lines else None


def members(text: str) -> list[str]:
    """The members of a list, without those that are empty.

    >>> members('a, b="c, d", , e')
    ['a', 'b="c, d"', 'e']
    """
    stripped = (found.group().strip(" \t") for found in MEMBER.finditer(text))
    return [member for member in stripped if member]


def directives(text: str) -> dict[str, str | None]:
    """The directives of a Cache-Control, by name in lower case; of several alike the first.

    What is no directive, such as one with a space before the ``=``, is left out. A value keeps
    its faults: it is for :func:`delta_seconds` to say that it is no number.

    >>> directives('max-age="60", private="a, b", No-Cache, max-age=1, s-maxage =5')
    {'max-age': '60', 'private': 'a, b', 'no-cache': None}
    """
    found: dict[str, str | None] = {}
    for member in members(text):
        name, has_value, value = member.partition("=")
        if TOKEN.fullmatch(name):
            found.setdefault(name.lower(), unquoted(value) if has_value else None)
    return found


def unquoted(value: str) -> str:
    """A token as it is, a quoted string as what it says."""
    quoted = QUOTED.fullmatch(value)
    return re.sub(r"\\(.)", r"\1", quoted.group(1)) if quoted else value


def delta_seconds(value: str | None) -> int | None:
    """Whole seconds, at most :data:`LONGEST`; None for what is no such number.

    >>> [delta_seconds(text) for text in ("060", "99999999999", "-1", "1.5", " 1", "", None)]
    [60, 2147483648, None, None, None, None, None]
    """
    if value is None or not value.isascii() or not value.isdigit():
        return None
    return LONGEST if len(value) > 20 else min(int(value), LONGEST)


def http_date(text: str | None, now: float) -> int | None:
    """Seconds since 1970 of a date, or None for what is no HTTP-date.

    ``now`` says which century a year of two digits is in.

    >>> http_date("Sun, 06 Nov 1994 08:49:37 GMT", 0)
    784111777
    >>> http_date("Sunday, 06-Nov-94 08:49:37 GMT", 1e9), http_date("tomorrow", 0)
    (784111777, None)
    """
    if text is None:
        return None
    for number, form in enumerate(DATES):
        found = form.fullmatch(text)
        if found is None:
            continue
        month, year = MONTHS.get(found["month"].lower()), int(found["year"])
        if number == 1:
            this_year = 1970 + int(now // 31_556_952)
            year += this_year - this_year % 100
            year -= 100 if year > this_year + 50 else 0
        parts = (int(found["day"]), int(found["hour"]), int(found["minute"]), int(found["second"]))
        day, hour, minute, second = parts
        if month is None or year < 1 or hour > 23 or minute > 59 or second > 60:
            return None
        if not 1 <= day <= calendar.monthrange(year, month)[1]:
            return None
        return calendar.timegm((year, month, day, hour, minute, second, 0, 1, 0))
    return None


def entity_tags(text: str) -> list[str]:
    """The entity tags of an If-None-Match; ``["*"]`` for any.

    >>> entity_tags('"a", W/"b,c"'), entity_tags("*"), entity_tags("bare")
    (['"a"', 'W/"b,c"'], ['*'], ['bare'])
    """
    stripped = text.strip(" \t")
    if not stripped.endswith('"'):
        return [stripped]
    return TAG.findall(stripped)


def opaque(tag: str) -> str:
    """An entity tag without the mark of a weak one, as the weak comparison wants it."""
    return tag[2:] if tag.startswith("W/") else tag
