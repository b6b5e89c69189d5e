"""How old an answer is and how long it is fresh (RFC 9111, 4.2).

Pure: times are arguments. It knows what fields and directives say and nothing of stored answers.
"""

from augury.proxy.control import HEURISTIC, Control
from augury.proxy.fields import Fields, delta_seconds, http_date, joined, members

__all__ = ["initial_age", "is_explicit", "lifetime"]

#: Share of the time since its last change for which an answer is taken to be fresh (4.2.2).
HEURISTIC_SHARE = 0.1


def is_explicit(control: Control, fields: Fields) -> bool:
    """Whether the origin has said how long the answer is fresh."""
    return control.lifetime is not None or (
        not control.is_targeted and joined(fields, b"expires") is not None
    )


def lifetime(
    control: Control, fields: Fields, status: int, date: float, longest_guess: float
) -> float:
    """Seconds for which the answer is fresh, counted from when the origin made it; 0 for none.

    Args:
        control: What its directives say.
        fields: Its fields.
        status: Its status.
        date: When it was made, in seconds since 1970.
        longest_guess: Seconds, where the origin says nothing and Last-Modified has to do.
    """
    said = control.lifetime
    if said is not None:
        return said
    expires = None if control.is_targeted else joined(fields, b"expires")
    if expires is not None:
        until = http_date(expires, date)
        return 0 if until is None else max(0, until - date)
    if status not in HEURISTIC and not control.public:
        return 0
    changed = http_date(joined(fields, b"last-modified"), date)
    if changed is None or changed >= date:
        return 0
    return min(longest_guess, (date - changed) * HEURISTIC_SHARE)


def initial_age(fields: Fields, date: float, asked: float, received: float) -> float:
    """Seconds that the answer was old when it came (RFC 9111, 4.2.3).

    Args:
        fields: Its fields.
        date: Its Date.
        asked: When it was asked for.
        received: When it came; all in seconds since 1970.

    >>> initial_age([(b"age", b"30")], 1000.0, 1000.0, 1002.5)
    32.5
    """
    # Of several values the first counts; one that is no number does not (RFC 9111, 5.1).
    stated = members(joined(fields, b"age") or "")
    age = delta_seconds(stated[0]) if stated else None
    apparent = max(0.0, received // 1 - date)
    return max(apparent, (age or 0) + max(0.0, received - asked))
