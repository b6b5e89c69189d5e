"""What an explanation says, in sentences."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from augury.explanation import Decision, Explanation, Known

__all__ = ["decisions", "known", "remembered", "standing"]

#: Decisions that are shown one by one.
SHOWN = 5


def known(history: "Known") -> str:
    """A history in words."""
    reuse = "never asked for twice" if history.reuse is None else f"reuse time {history.reuse:,}"
    return (
        f"{history.age:,} requests since the latest access, {reuse}, count {history.count:,}, "
        f"decayed count {history.heat:.2f}"
    )


def remembered(found: "Explanation", *, is_resident: bool) -> Iterator[str]:
    """What is left of an object that has left."""
    if found.ghost is not None:
        yield f"It has left, and is remembered: {known(found.ghost)}."
    elif not is_resident:
        yield "It has left, and nothing of it is remembered."


def standing(found: "Explanation") -> Iterator[str]:
    """A resident's place."""
    place = found.standing
    if place is None:
        return
    yield f"What is known of it: {known(place.history)}."
    if place.compared:
        yield (
            f"{found.ruling} ranks it above {place.below / place.compared:.0%} of the residents "
            f"({place.below:,} of {place.compared:,} compared)."
        )
    wait = "no reuse"
    if place.density:
        wait = f"one reuse in {max(1 / place.density, 1):,.0f} requests"
    yield f"The survival table expects {wait} of residence."
    if place.prediction is not None:
        yield f"The trained model answers {place.prediction:.4f}."


def decisions(found: "Explanation") -> Iterator[str]:
    """The latest decisions, and what is no longer recorded."""
    for made in found.decisions[:SHOWN]:
        yield f"request {made.tick:,}: {decision(made)}"
    if len(found.decisions) > SHOWN:
        yield f"and {len(found.decisions) - SHOWN:,} before."
    if found.recorded_since is None:
        yield "No decision is recorded."
    elif not found.decisions:
        yield f"None is recorded since request {found.recorded_since:,}."
    if found.recorded_since:
        yield f"What was decided before request {found.recorded_since:,} is no longer recorded."


def decision(made: "Decision") -> str:
    """Why it left, or did not come in."""
    if made.act == "evicted":
        why = f"evicted, the lowest of {made.looks:,} looked at by {made.ruling}"
    else:
        why = f"turned away, below the lowest of {made.looks:,} looked at by {made.ruling}"
    scores = f"score {made.score:.3g}"
    if made.act == "evicted" and made.newcomer is not None:
        scores += f", the newcomer {made.newcomer:.3g}"
    told = f"{why} ({scores}); {known(made.history)}"
    if made.holders is not None:
        told += f"; then held by the shadows of {', '.join(made.holders) or 'none'}"
    return told + "."
