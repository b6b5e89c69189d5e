"""What PostgreSQL writes in front of a message, and the time in it."""

import re
from datetime import UTC, datetime, timedelta, timezone

from augury.errors import ConfigError

__all__ = ["STAMP", "TIME", "read_prefix", "seconds", "seconds_of"]

STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})? [A-Za-z0-9+:-]{1,10}"
TIME = re.compile(rf"(?P<stamp>{STAMP})|(?<!\d)(?P<epoch>\d{{9,11}}\.\d{{3}})(?!\d)")
ESCAPE = re.compile(r"%(-?\d+)?([A-Za-z%])")
NUMBERS = frozenset("plx")


def seconds(found: "re.Match[str]") -> float | None:
    """Seconds since 1970 of a time found in a prefix."""
    if found["epoch"] is not None:
        return float(found["epoch"])
    return seconds_of(found["stamp"] or "")


def seconds_of(text: str) -> float | None:
    """Seconds of ``2026-01-02 03:04:05.678 UTC``; None for what is none.

    Offsets as numbers are heeded. Other zones than UTC are taken for it: their names are ambiguous,
    and a trace goes by differences.

    >>> seconds_of("1970-01-01 01:00:00.5 +01"), seconds_of("1970-01-01 00:00:07 CET")
    (0.5, 7.0)
    >>> seconds_of("1970-13-01 00:00:07 UTC")
    """
    day, _, rest = text.partition(" ")
    clock, _, zone = rest.partition(" ")
    try:
        moment = datetime.fromisoformat(f"{day} {clock}")
        if found := re.fullmatch(r"([+-])(\d\d)(?::?(\d\d))?", zone):
            offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
            return moment.replace(
                tzinfo=timezone(-offset if found[1] == "-" else offset)
            ).timestamp()
        return moment.replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def read_prefix(text: str) -> "re.Pattern[str]":
    """A pattern for a ``log_line_prefix``, as ``%m [%p] %q%u@%d ``.

    Raises :class:`~augury.ConfigError` where it has no time.

    >>> read_prefix("%m [%p] %q%u@%d ").match("2026-01-02 03:04:05.678 UTC [9] a@shop ")["database"]
    'shop'
    """
    pieces, place, is_optional = [], 0, False
    for found in ESCAPE.finditer(text):
        pieces.append(re.escape(text[place : found.start()]))
        place = found.end()
        if found[2] == "q":
            pieces.append("(?:")
            is_optional = True
        else:
            pieces.append(pattern_of(found[2], text[place : place + 1]))
    pieces.append(re.escape(text[place:]) + (")?" if is_optional else ""))
    pattern = "".join(pieces)
    if "(?P<stamp>" not in pattern and "(?P<epoch>" not in pattern:
        raise ConfigError(
            f"line prefix {text!r} has no time: expected log_line_prefix of the server, with %m, "
            "%t or %n in it"
        )
    if pattern.count("(?P<stamp>") + pattern.count("(?P<epoch>") > 1 or pattern.count("(?P<d") > 1:
        raise ConfigError(f"line prefix {text!r} has a time or the database twice")
    for name in ("stamp", "epoch"):
        pattern += "" if f"(?P<{name}>" in pattern else f"(?P<{name}>(?!))?"
    return re.compile(pattern)


def pattern_of(letter: str, after: str) -> str:
    """The pattern of one escape in front of a character."""
    if letter == "%":
        return "%"
    if letter in "mt":
        return f" *(?P<stamp>{STAMP}) *"
    if letter == "n":
        return r" *(?P<epoch>\d{9,11}\.\d{3}) *"
    if letter == "s":
        return f" *{STAMP} *"
    if letter in NUMBERS:
        return r" *-?\d* *"
    # It goes on to the next character of the prefix, which it cannot hold.
    held = r"\S*" if after in ("", "%") else f"[^{re.escape(after)}]*"
    return f"(?P<database>{held})" if letter == "d" else held
