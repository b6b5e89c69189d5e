"""What cells say beside each other: the mean over seeds, the bound, the gap closed.

The bound of a trace at a capacity is the lowest miss ratio among the policies that know the
future and libCacheSim's policies, of those that ran. The gap closed by a policy is
(LRU - policy) / (LRU - bound): 0 is LRU, 1 is the bound, below 0 is worse than LRU. Where LRU is
within ``ROOM`` of the bound there is nothing to close, and no gap is given. Where sizes differ the
bound is an estimate; a policy below it closes more than 1, and the sentences say so. A capacity
with room
for fewer than ``FEW`` objects of the trace's mean size is shown, but counts in no summary: what is
measured there is chance.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from augury.laboratory.cell import Cell
from augury.laboratory.policies import ORACLES, is_oracle, is_peer

__all__ = ["FEW", "ROOM", "Comparison", "Summary", "compare", "sentence", "summarize"]

ROOM = 0.005
FEW = 50
#: Two miss ratios this close are the same.
SAME = 1e-9
#: The least difference that is shown as a number.
LEAST = 0.0001


@dataclass(frozen=True, slots=True)
class Comparison:
    """The object miss ratios at one capacity of one trace, by policy: means over the seeds."""

    trace: str
    capacity: str
    capacity_bytes: int
    requests: int
    miss_ratios: Mapping[str, float] = field(repr=False)
    #: Objects of mean size that the capacity holds.
    capacity_objects: float | None = None

    @property
    def is_small(self) -> bool:
        """Whether so few objects fit that the cell counts in no summary."""
        return self.capacity_objects is not None and self.capacity_objects < FEW

    @property
    def runnable(self) -> dict[str, float]:
        """The policies that a cache can run, that is all but those that know the future."""
        return {name: ratio for name, ratio in self.miss_ratios.items() if not is_oracle(name)}

    @property
    def best(self) -> tuple[str, ...]:
        """The runnable policies with the lowest miss ratio; none where nothing was read."""
        runnable = self.runnable if self.requests else {}
        lowest = min(runnable.values(), default=0.0)
        return tuple(name for name, ratio in runnable.items() if ratio <= lowest + SAME)

    @property
    def bound(self) -> float | None:
        """The lowest miss ratio of the oracles and peers that ran; None without an oracle."""
        oracles = [self.miss_ratios[name] for name in ORACLES if name in self.miss_ratios]
        peers = [ratio for name, ratio in self.miss_ratios.items() if is_peer(name)]
        return min(oracles + peers) if oracles else None

    @property
    def room(self) -> float | None:
        """What LRU loses to the bound; None where one of them did not run."""
        bound, lru = self.bound, self.miss_ratios.get("lru")
        return None if bound is None or lru is None else lru - bound

    def gap_closed(self, policy: str) -> float | None:
        """The share of the way from LRU to the bound; None where there is no room or no way."""
        if not self.room or self.room < ROOM or policy not in self.miss_ratios:
            return None
        return (self.miss_ratios["lru"] - self.miss_ratios[policy]) / self.room

    def is_below_bound(self, policy: str) -> bool:
        """Whether the policy, which a cache can run, misses less than what should be the bound."""
        bound = self.bound
        return (
            bound is not None
            and not is_oracle(policy)
            and not is_peer(policy)
            and self.miss_ratios.get(policy, bound) < bound - SAME
        )

    def fewer_misses(self, policy: str) -> float | None:
        """The share of LRU's misses that the policy does not have."""
        lru = self.miss_ratios.get("lru")
        return 1 - self.miss_ratios[policy] / lru if lru and policy in self.miss_ratios else None

    def behind(self, policy: str) -> float | None:
        """How far the policy is above the best other runnable one; negative where it leads.

        None where it ran alone and where nothing was read.
        """
        others = [ratio for name, ratio in self.runnable.items() if name != policy]
        if policy not in self.miss_ratios or not others or not self.requests:
            return None
        return self.miss_ratios[policy] - min(others)


@dataclass(frozen=True, slots=True)
class Summary:
    """Where a policy stands over all comparisons in which it ran beside another."""

    policy: str
    ahead: tuple[Comparison, ...]
    level: tuple[Comparison, ...]
    behind: tuple[Comparison, ...]
    gap_closed: float | None
    sentences: tuple[str, ...]

    def __str__(self) -> str:
        """The summary in plain words."""
        return " ".join(self.sentences)


def compare(cells: Iterable[Cell]) -> tuple[Comparison, ...]:
    """The cells as comparisons, in the order of their first cell."""
    rows: dict[tuple[str, str], dict[str, list[Cell]]] = {}
    for cell in cells:
        row = rows.setdefault((cell.trace, cell.capacity), {})
        row.setdefault(cell.policy, []).append(cell)
    found = []
    for (trace, capacity), by_policy in rows.items():
        first = next(iter(by_policy.values()))[0]
        means = {
            policy: fmean(cell.object_miss_ratio for cell in seeds)
            for policy, seeds in by_policy.items()
        }
        found.append(
            Comparison(
                trace, capacity, first.capacity_bytes, first.requests, means,
                first.capacity_objects,
            )
        )  # fmt: skip
    return tuple(found)


def summarize(comparisons: Iterable[Comparison], policy: str = "auto") -> Summary | None:
    """Where ``policy`` leads and where it does not; None if it never ran beside another."""
    found = [(row, gap) for row in comparisons if (gap := row.behind(policy)) is not None]
    rows = [(row, gap) for row, gap in found if not row.is_small]
    if not rows:
        return None
    ahead = tuple(row for row, gap in rows if gap < -SAME)
    level = tuple(row for row, gap in rows if abs(gap) <= SAME)
    behind = tuple(row for row, gap in rows if gap > SAME)
    gaps = [gap for row, _ in rows if (gap := row.gap_closed(policy)) is not None]
    mean = fmean(gaps) if gaps else None
    sentences = tuple(in_words(policy, ahead, level, behind, mean, len(gaps)))
    if below := sum(row.is_below_bound(policy) for row, _ in rows):
        sentences += (f"In {below} of them it is below the bound, which is an estimate there.",)
    if left_out := len(found) - len(rows):
        has, does = ("cell has", "does") if left_out == 1 else ("cells have", "do")
        sentences += (f"{left_out} {has} room for fewer than {FEW} objects and {does} not count.",)
    return Summary(policy, ahead, level, behind, mean, sentences)


def in_words(
    policy: str,
    ahead: tuple[Comparison, ...],
    level: tuple[Comparison, ...],
    behind: tuple[Comparison, ...],
    mean_gap: float | None,
    gaps: int,
) -> Iterable[str]:
    """The sentences of a summary."""
    total = len(ahead) + len(level) + len(behind)
    cells = "cell" if total == 1 else "cells"
    ties = f" and shares that place in {len(level)}" if level else ""
    yield f"{policy} has the lowest miss ratio in {len(ahead)} of {total} {cells}{ties}."
    if mean_gap is not None:
        over = f", mean of {gaps} cells" if gaps > 1 else ""
        yield f"It closes {mean_gap:.2f} of the gap from lru to the bound{over}."
    worst = sorted(behind, key=lambda row: -(row.behind(policy) or 0.0))
    if worst:
        shown = "; ".join(deficit(row, policy) for row in worst[:3])
        more = f"; and in {len(worst) - 3} more" if len(worst) > 3 else ""
        yield f"It is behind in {shown}{more}."
    elif total:
        yield "It is behind in none."


def sentence(columns: Sequence[Comparison], policy: str = "auto") -> str | None:
    """Where ``policy`` stands on one trace; None if it never ran beside another."""
    rows = [(row, gap) for row in columns if (gap := row.behind(policy)) is not None]
    counted = [(row, gap) for row, gap in rows if not row.is_small]
    if not rows:
        return None
    if not counted:
        return f"No capacity has room for {FEW} objects: what {policy} gains here is chance."
    parts = []
    if savings := [saved for row, _ in counted if (saved := row.fewer_misses(policy)) is not None]:
        parts.append(f"has {span(savings)} lru")
    lowest = [row.capacity for row, gap in counted if gap <= SAME]
    if lowest:
        parts.append(f"is lowest at {', '.join(lowest)}")
    rivals: dict[str, list[tuple[str, float]]] = {}
    for row, gap in counted:
        if gap > SAME:
            rivals.setdefault(row.best[0], []).append((row.capacity, gap))
    for rival, places in rivals.items():
        where = ", ".join(capacity for capacity, _ in places)
        most = max(gap for _, gap in places)
        by = "by up to" if len(places) > 1 and most >= LEAST else "by"
        parts.append(f"is above {rival} {by} {amount(most)} at {where}")
    if below := [row.capacity for row, _ in counted if row.is_below_bound(policy)]:
        parts.append(f"is below the bound, an estimate here, at {', '.join(below)}")
    return f"{policy} {'; it '.join(parts)}."


def span(savings: Sequence[float]) -> str:
    """From the least to the most misses saved, in words that ask for whose."""
    least, most = (round(100 * value, 1) for value in (min(savings), max(savings)))
    if least == most:
        return "as many misses as" if not most else one_side(most)
    if least < 0 < most:
        return f"{-least:.1f}% more to {most:.1f}% fewer misses than"
    if most <= 0:
        return f"{abs(most):.1f}% to {-least:.1f}% more misses than"
    return f"{least:.1f}% to {most:.1f}% fewer misses than"


def one_side(saved: float) -> str:
    """One share of misses saved."""
    return f"{abs(saved):.1f}% {'fewer' if saved > 0 else 'more'} misses than"


def deficit(row: Comparison, policy: str) -> str:
    """Where, behind whom and by how much."""
    by = amount(row.behind(policy) or 0.0)
    return f"{row.trace} at {row.capacity} ({row.best[0]} is lower by {by})"


def amount(difference: float) -> str:
    """A difference of miss ratios that is not nothing."""
    return f"{difference:.4f}" if difference >= LEAST else f"less than {LEAST}"
