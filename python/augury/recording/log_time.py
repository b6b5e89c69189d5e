"""Times of access logs as seconds since 1970."""

import math
from datetime import UTC, datetime, timedelta, timezone

__all__ = ["of_common_log", "of_field"]

MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
#: Above this, a number counts milliseconds: as seconds it would lie after the year 5000.
LARGEST_SECONDS = 1e11


def of_common_log(text: str) -> float:
    """Seconds of ``10/Oct/2000:13:55:36 -0700``; a ValueError for anything else.

    >>> of_common_log("10/Oct/2000:13:55:36 -0700")
    971211336.0
    """
    if len(text) != 26 or text[20] != " " or text[2] + text[6] + text[11] != "//:":
        raise ValueError(f"time {text[:40]!r} is not like 10/Oct/2000:13:55:36 -0700")
    month, between = divmod(MONTHS.find(text[3:6]), 3)
    if between:
        raise ValueError(f"month {text[3:6]!r} is none")
    offset = timedelta(hours=int(text[22:24]), minutes=int(text[24:26]))
    zone = timezone(-offset if text[21] == "-" else offset)
    hour, minute, second = int(text[12:14]), int(text[15:17]), int(text[18:20])
    # A leap second is the second before it.
    moment = datetime(
        int(text[7:11]), month + 1, int(text[:2]), hour, minute, min(second, 59), tzinfo=zone
    )
    return moment.timestamp()


def of_field(value: object) -> float:
    """Seconds of a number, or of text as a number, ISO 8601 or common log; else a ValueError.

    A time in ISO 8601 without a zone is taken as UTC.

    >>> of_field(1700000000123), of_field("1700000000.5"), of_field("2023-11-14T22:13:20+00:00")
    (1700000000.123, 1700000000.5, 1700000000.0)
    """
    if isinstance(value, str):
        number = of_text(value.strip())
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = of_number(value)
    else:
        raise ValueError("the time is neither text nor a number")
    if not math.isfinite(number):
        raise ValueError("the time is not finite")
    return number


def of_text(text: str) -> float:
    """Seconds of a time as text."""
    try:
        return of_number(float(text))
    except ValueError:
        pass
    if "/" in text:
        return of_common_log(text.strip("[]"))
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def of_number(number: float) -> float:
    """Seconds of a number of seconds or milliseconds."""
    return number / 1000 if number > LARGEST_SECONDS else float(number)
