"""Advice in words. Each sentence stands on a number that was measured; none promises more."""

from collections.abc import Iterator

from augury.advising.advice import Advice, Foresight, Money, Saving, Verdict
from augury.advising.interval import Interval
from augury.advising.judging import FEWEST_READS
from augury.laboratory import SizePoint, Sizing
from augury.laboratory.scores import FEW

__all__ = ["sentences"]

#: A share of the bytes.
BYTES_WORTH_A_WORD = 0.005
#: A share of the reads that is not worth four times the room.
LITTLE = 0.01

Said = Iterator[tuple[str, str]]


def sentences(advice: Advice) -> Said:
    """Everything there is to say, the most important first."""
    yield "Saving", saving(advice)
    yield "Predictability", predictability(advice)
    if advice.standings:
        yield "Policy", policy(advice)
    if advice.bound_miss_ratio is not None and advice.verdict != Verdict.TOO_SHORT:
        yield "Room", room(advice)
    if advice.prefetch is not None:
        yield "Fetching ahead", prefetch(advice.prefetch)
    if advice.sizing is not None:
        yield "Capacity", capacity(advice.sizing)
        yield from wishes(advice.sizing)
    yield "How sure", sureness(advice)
    yield from steps(advice)


def saving(advice: Advice) -> str:
    """What is saved, or why nothing is promised."""
    against, reads = advice.against, advice.inspection.reads
    compulsory = advice.inspection.compulsory_miss_ratio
    if advice.saving is not None:
        return saved(advice.saving, advice.policy, against)
    return {
        Verdict.TOO_SHORT: f"Too short to say: {reads:,} reads, where {FEWEST_READS:,} are the "
        "least and a hundred thousand are better, spread over the time in which the traffic "
        "changes. No saving is promised.",
        Verdict.TOO_SMALL: f"Too small to say: a capacity of {advice.capacity_bytes:,} holds fewer "
        f"than {FEW} objects of this trace, so that what is measured there is chance. Try a larger "
        "one, such as --capacity 10%.",
        Verdict.FITS: f"None: everything that is asked for fits into {advice.capacity_bytes:,} "
        f"{unit(advice)}, nothing is ever put out, and every policy does the same.",
        Verdict.NO_REUSE: f"None: {compulsory:.1%} of the requests are for objects that were never "
        "asked for before, and even a cache that knows the future hits hardly ever. Do not cache "
        "this traffic by itself; fetching ahead is the only thing that could help.",
        Verdict.UNCLEAR: f"No promise: {advice.policy} seems to miss less than {against}, but by "
        "no more than chance explains. Record longer and ask again.",
        Verdict.NO_GAIN: f"None: no policy tried misses noticeably less than {against} here. "
        "Stay with what you have.",
        Verdict.GAIN: "",
    }[advice.verdict]


def saved(found: Saving, chosen: str, against: str) -> str:
    """The saving in numbers."""
    text = (
        f"With {chosen} in place of {against}, {per_thousand(found.fewer)} fewer of 1,000 reads "
        f"miss, which is {percent(found.of_misses)} of the misses."
    )
    return text if found.money is None else f"{text} {worth(found.money)}"


def worth(found: Money) -> str:
    """The saving in requests and money per hour."""
    hourly = found.misses_per_hour
    text = (
        f"At {found.requests_per_second:,.4g} requests per second that spares the origin "
        f"{hourly.mean:,.0f} requests per hour ({hourly.low:,.0f} to {hourly.high:,.0f})"
    )
    if found.per_hour is None:
        return f"{text}."
    money = found.per_hour
    return f"{text}, worth {money.mean:,.4g} ({money.low:,.4g} to {money.high:,.4g}) per hour."


def predictability(advice: Advice) -> str:
    """Whether there is anything to learn."""
    found = advice.inspection.predictability
    if advice.verdict == Verdict.NO_REUSE:
        return "Nothing returns, so there is nothing to foretell."
    if found is None:
        return "Too short to say."
    return f"{found.verdict.capitalize()}: {found.meaning}."


def policy(advice: Advice) -> str:
    """Which policy to have."""
    chosen, against = advice.policy, advice.against
    if advice.verdict in (Verdict.TOO_SHORT, Verdict.NO_REUSE, Verdict.FITS):
        return f"{against} will do; a cleverer policy has nothing to decide here."
    ratios = {one.policy: one.object_miss_ratio for one in advice.standings}
    best = min(ratios, key=lambda name: ratios[name])
    shown = {name: f"{ratio:.4f}" for name, ratio in ratios.items()}
    if chosen == against:
        least = shown[best] == shown[against]
        beside = "none misses less" if least else f"the best, {best}, {shown[best]}"
        return f"{against}: it misses {shown[against]} of the reads; {beside}."
    text = f"{chosen}: it misses {shown[chosen]} of the reads, {against} {shown[against]}"
    if shown[chosen] == shown[best]:
        text = f"{text}. None of the {len(ratios)} tried misses less."
    else:
        why = ", and goes on choosing while traffic changes" if chosen == "auto" else ""
        text = (
            f"{text}. {best} misses {shown[best]}; {chosen} was the best, or nearly, in the part "
            f"by which it was chosen{why}."
        )
    return f"{text}{of_bytes(advice)}"


def of_bytes(advice: Advice) -> str:
    """A word of warning where fewer misses are more bytes."""
    ratios = {one.policy: one.byte_miss_ratio for one in advice.standings}
    chosen, present = ratios[advice.policy], ratios[advice.against]
    if chosen is None or present is None or chosen - present < BYTES_WORTH_A_WORD:
        return ""
    return (
        f" Of the bytes it misses more ({chosen:.4f}, {advice.against} {present:.4f}): it keeps "
        "many small objects rather than few large ones."
    )


def room(advice: Advice) -> str:
    """How far the bound is away."""
    bound, present = advice.bound_miss_ratio or 0.0, advice.present_miss_ratio or 0.0
    text = (
        f"A cache that knows the future would miss {bound:.4f}, {advice.against} misses "
        f"{present:.4f}"
    )
    is_idle = advice.verdict in (Verdict.NO_GAIN, Verdict.UNCLEAR)
    if not is_idle or present - bound < LITTLE:
        first = advice.inspection.compulsory_miss_ratio
        return f"{text}. {first:.4f} are first requests, which only fetching ahead can spare."
    foretold = advice.inspection.predictability
    if foretold is None or foretold.verdict == "nothing to learn":
        return f"{text}: there is room, and nothing in this traffic foretells enough to use it."
    return f"{text}: there is room, but none of the policies tried can use it."


def prefetch(found: Foresight) -> str:
    """Whether fetching ahead is worth it."""
    if found.accuracy is None:
        return "Not worth it: nothing in the order of the requests says what comes next."
    numbers = (
        f"of 1,000 reads {per_thousand(found.fewer)} fewer wait for the origin; "
        f"{found.accuracy:.0%} of what was fetched ahead was asked for, and the origin is asked "
        f"{abs(found.additional_load):.1%} {'more' if found.additional_load >= 0 else 'less'} often"
    )
    return f"Worth it: {numbers}." if found.worth_it else f"Not worth it: {numbers}."


def capacity(found: Sizing) -> str:
    """What other capacities would give."""
    points = {point.scale: point for point in found.points}
    half, twice, fourfold = (beside(points[scale]) for scale in (0.5, 2.0, 4.0))
    text = (
        f"Under {found.policy}, half as much room would miss {half}, twice as much {twice}, four "
        f"times {fourfold}."
    )
    if points[1.0].object_miss_ratio - points[4.0].object_miss_ratio < LITTLE:
        return f"{text} More room brings next to nothing."
    return text


def beside(point: SizePoint) -> str:
    """A miss ratio, with its standard error where it is from a sample."""
    error = f" ±{point.standard_error:.4f}" if point.sampled < 1 else ""
    return f"{point.object_miss_ratio:.4f}{error}"


def wishes(found: Sizing) -> Said:
    """The capacity for the target, and the cheapest."""
    name = "entries" if found.unit_sizes else "bytes"
    if (target := found.target) is not None:
        asked = target.object_miss_ratio
        if target.point is None:
            yield (
                "Target",
                (
                    f"No capacity reaches a miss ratio of {asked:g}: with everything kept it is "
                    f"{target.least_object_miss_ratio:.4f}."
                ),
            )
        else:
            yield (
                "Target",
                (
                    f"A miss ratio of {asked:g} takes {target.point.capacity:,} {name} under "
                    f"{found.policy} ({target.point.scale:.3g} times the present capacity)."
                ),
            )
    if (best := found.cheapest) is not None:
        present = next(point for point in found.points if point.scale == 1)
        yield (
            "Cheapest",
            (
                f"{best.capacity:,} {name} ({best.scale:.3g} times the present capacity) at "
                f"{best.cost_per_hour:,.4g} per hour; the present one costs "
                f"{present.cost_per_hour:,.4g}."
            ),
        )


def sureness(advice: Advice) -> str:
    """How the numbers came about."""
    if not advice.standings:
        return "Nothing was replayed."
    if advice.sampled < 1:
        return (
            f"The trace is long, so {advice.sampled:.3g} of its objects were replayed in a cache "
            "of that share of the capacity. In brackets: 95% confidence, from groups of objects, "
            "for all policies at once. Fetching ahead was tried on the first "
            f"{advice.prefetch.requests if advice.prefetch else 0:,} requests."
        )
    return (
        "Everything was replayed; the policy was chosen by the second quarter of the trace, and "
        "what it saves is told of the second half. In brackets: 95% confidence, from batches of "
        "time, for traffic that goes on as it is in the trace."
    )


def steps(advice: Advice) -> Said:
    """What to do next."""
    ahead = advice.prefetch is not None and advice.prefetch.worth_it
    if advice.verdict == Verdict.TOO_SHORT:
        yield "Next", "Record more: augury record SOURCE out.csv.zst --duration 1h"
    elif advice.verdict == Verdict.GAIN or ahead:
        room = f"{advice.capacity_bytes:,}".replace(",", "_")
        sized = room if advice.inspection.unit_sizes else f'"{advice.capacity_bytes} B"'
        options = "" if advice.policy == "auto" else f', policy="{advice.policy}"'
        options += ", prefetch=0.1" if ahead else ""
        yield "Next", f"In a program: augury.Cache({sized}{options})"


def unit(advice: Advice) -> str:
    """What a capacity counts."""
    return "entries" if advice.inspection.unit_sizes else "bytes"


def per_thousand(found: Interval) -> str:
    """A share of the reads, of a thousand."""
    return f"{1000 * found.mean:.1f} ({1000 * found.low:.1f} to {1000 * found.high:.1f})"


def percent(found: Interval) -> str:
    """A share in percent."""
    return f"{found.mean:.1%} ({found.low:.1%} to {found.high:.1%})"
