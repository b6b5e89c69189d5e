"""May a stored answer be served to this request, and how (RFC 9111, 4 and 5.2; RFC 5861).

Pure: the time is an argument. It knows what is stored and what is asked, and fetches nothing.
"""

from enum import Enum

from augury.proxy.answers import Kept
from augury.proxy.control import Wishes

__all__ = ["Reuse", "judged", "may_stand_in"]

NONE = Wishes()


class Reuse(Enum):
    """What to do with a stored answer."""

    #: Serve it.
    FRESH = "fresh"
    #: Serve it although it is stale, as the client asks for.
    STALE = "stale"
    #: Serve it, and have it validated behind the client's back.
    WHILE_REVALIDATING = "while revalidating"
    #: Ask the origin first: it is stale, the origin wants it, or the client does.
    VALIDATE = "validate"
    ASKED_TO = "request"

    @property
    def serves(self) -> bool:
        """Whether it is served without asking first."""
        return self in (Reuse.FRESH, Reuse.STALE, Reuse.WHILE_REVALIDATING)


def judged(kept: Kept, wishes: Wishes | None, now: float) -> Reuse:
    """What to do with it for a request with these directives, at this time of the steady clock."""
    control = kept.control
    staleness = kept.staleness(now)
    if wishes is None:
        if staleness < 0 and not control.no_cache:
            return Reuse.FRESH
        wishes = NONE
    if wishes.no_cache or wishes.no_store:
        return Reuse.ASKED_TO
    if control.no_cache:
        return Reuse.VALIDATE
    if wishes.max_age is not None and kept.age(now) > wishes.max_age:
        return Reuse.ASKED_TO
    if staleness + wishes.min_fresh < 0:
        return Reuse.FRESH
    if staleness < 0:
        return Reuse.ASKED_TO
    if control.forbids_stale:
        return Reuse.VALIDATE
    if staleness < wishes.max_stale:
        return Reuse.STALE
    if staleness < control.stale_while_revalidate and not wishes.min_fresh:
        return Reuse.WHILE_REVALIDATING
    return Reuse.VALIDATE


def may_stand_in(
    kept: Kept, wishes: Wishes | None, now: float, is_disconnected: bool, default: float
) -> bool:
    """Whether it may be served in place of an error of the origin.

    Where the origin cannot be reached that is allowed unless it is forbidden (4.2.4), within
    ``default`` seconds; where it answers with an error, only if somebody asks for it (RFC 5861).
    """
    if kept.control.forbids_stale:
        return False
    allowed: list[float] = [default] if is_disconnected else []
    if kept.control.stale_if_error is not None:
        allowed = [kept.control.stale_if_error]
    if wishes is not None and wishes.stale_if_error is not None:
        allowed.append(wishes.stale_if_error)
    return bool(allowed) and kept.staleness(now) < max(allowed)
