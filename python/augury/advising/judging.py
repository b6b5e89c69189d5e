"""From what was measured to a verdict, a policy and what it saves.

`auto` is favoured by ``FAVOUR``: it goes on choosing while traffic changes, which a fixed policy
does not. No saving is promised whose interval holds 0, nor one below ``LEAST``, which nobody would
notice. docs/decisions/0031 has why.
"""

from dataclasses import dataclass

from augury.advising.advice import Foresight, Money, Saving, Standing, Verdict
from augury.advising.evidence import Ahead, Evidence, Measurement
from augury.advising.interval import Interval
from augury.inspection import Inspection
from augury.laboratory.prefetch import DEFAULT_BUDGET
from augury.laboratory.scores import FEW

__all__ = ["FEWEST_READS", "Rate", "beforehand", "foresight", "judge", "saving_of", "standings"]

#: Reads below which nothing is said.
FEWEST_READS = 10_000
#: A share of the reads that is worth the word, of misses and of hits.
LEAST = 0.002
#: How much more `auto` may miss and still be chosen.
FAVOUR = 0.005
#: Hits below which even a cache that knows the future is of no use.
FEWEST_HITS = 0.01
#: What fetching ahead has to spare, as a share of the reads, and how much of it has to be used.
WORTH = 0.005
ACCURATE = 0.5


@dataclass(frozen=True, slots=True)
class Rate:
    """How many requests there are per second, and what a miss costs where that is known."""

    requests_per_second: float
    per_miss: float | None


def beforehand(found: Inspection, capacity_objects: float) -> Verdict | None:
    """What can be said before any replay."""
    if found.reads < FEWEST_READS or found.predictability is None:
        return Verdict.TOO_SHORT
    return Verdict.TOO_SMALL if capacity_objects < FEW else None


def judge(evidence: Evidence) -> tuple[Verdict, Measurement]:
    """The verdict, and the policy to have."""
    present = evidence.present
    if any(other.second is None for other in evidence.others):
        return Verdict.TOO_SHORT, present
    if not evidence.evicts:
        return Verdict.FITS, present
    if 1 - evidence.bound_miss_ratio < FEWEST_HITS:
        return Verdict.NO_REUSE, present
    chosen = choice(evidence)
    fewer = chosen.second
    if fewer is None or fewer.mean < LEAST:
        return Verdict.NO_GAIN, present
    return (Verdict.GAIN if fewer.low > 0 else Verdict.UNCLEAR), chosen


def choice(evidence: Evidence) -> Measurement:
    """The best where it is chosen, `auto` where it is nearly that, the one in use where none is."""
    best = max(evidence.others, key=lambda other: other.first)
    auto = next((other for other in evidence.others if other.policy == "auto"), None)
    if auto is not None and auto.first >= max(best.first - FAVOUR, LEAST):
        return auto
    return best if best.first > 0 else evidence.present


def saving_of(chosen: Measurement, evidence: Evidence, rate: Rate | None) -> Saving | None:
    """What the policy chosen saves."""
    fewer = chosen.second
    if fewer is None:
        return None
    misses = max(evidence.judged_miss_ratio, 1e-9)
    return Saving(fewer, fewer.times(1 / misses), None if rate is None else money(fewer, rate))


def money(fewer: Interval, rate: Rate) -> Money:
    """What a saving is worth per hour."""
    hourly = fewer.times(rate.requests_per_second * 3600)
    worth = None if rate.per_miss is None else hourly.times(rate.per_miss)
    return Money(rate.requests_per_second, hourly, worth)


def standings(evidence: Evidence) -> tuple[Standing, ...]:
    """Every policy beside the one in use, the best first."""
    present = evidence.present
    found = [Standing(present.policy, present.object_miss_ratio, present.byte_miss_ratio,
                      Interval(0.0, 0.0, 0.0))]  # fmt: skip
    found += [
        Standing(other.policy, other.object_miss_ratio, other.byte_miss_ratio, other.second)
        for other in evidence.others
        if other.second is not None
    ]
    return tuple(sorted(found, key=lambda one: one.object_miss_ratio))


def foresight(ahead: Ahead | None) -> Foresight | None:
    """Whether fetching ahead is worth it."""
    if ahead is None or ahead.fewer is None:
        return None
    accuracy = ahead.used / ahead.issued if ahead.issued else None
    load = (ahead.misses + ahead.issued) / max(ahead.misses_without, 1) - 1
    is_accurate = accuracy is not None and accuracy >= ACCURATE
    return Foresight(
        worth_it=is_accurate and ahead.fewer.mean >= WORTH and ahead.fewer.low > 0,
        budget=DEFAULT_BUDGET,
        fewer=ahead.fewer,
        accuracy=accuracy,
        additional_load=load,
        requests=ahead.requests,
    )
