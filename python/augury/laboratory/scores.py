"""What cells say beside each other: the mean over seeds, the bound, the gap closed.

The bound of a trace at a capacity is the lowest miss ratio among the policies that know the
future and libCacheSim's policies, of those that ran. The gap closed by a policy is
(LRU - policy) / (LRU - bound): 0 is LRU, 1 is the bound, below 0 is worse than LRU. Where LRU is
within ``ROOM`` of the bound there is nothing to close, and no gap is given.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean

from augury.laboratory.cell import Cell
from augury.laboratory.policies import ORACLES, is_oracle, is_peer

__all__ = ["ROOM", "Comparison", "Summary", "compare", "summarize"]

ROOM = 0.005
#: Two miss ratios this close are the same.
SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Comparison:
    """The object miss ratios at one capacity of one trace, by policy: means over the seeds."""

    trace: str
    capacity: str
    capacity_bytes: int
    requests: int
    miss_ratios: Mapping[str, float] = field(repr=False)

    @property
    def runnable(self) -> dict[str, float]:
        """The policies that a cache can run, that is all but those that know the future."""
        return {name: ratio for name, ratio in self.miss_ratios.items() if not is_oracle(name)}

    @property
    def best(self) -> tuple[str, ...]:
        """The runnable policies with the lowest miss ratio."""
        runnable = self.runnable
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

    def behind(self, policy: str) -> float | None:
        """How far the policy is above the best other runnable one; negative where it leads."""
        others = [ratio for name, ratio in self.runnable.items() if name != policy]
        if policy not in self.miss_ratios or not others:
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
        found.append(Comparison(trace, capacity, first.capacity_bytes, first.requests, means))
    return tuple(found)


def summarize(comparisons: Iterable[Comparison], policy: str = "auto") -> Summary | None:
    """Where ``policy`` leads and where it does not; None if it never ran beside another."""
    rows = [(row, gap) for row in comparisons if (gap := row.behind(policy)) is not None]
    if not rows:
        return None
    ahead = tuple(row for row, gap in rows if gap < -SAME)
    level = tuple(row for row, gap in rows if abs(gap) <= SAME)
    behind = tuple(row for row, gap in rows if gap > SAME)
    gaps = [gap for row, _ in rows if (gap := row.gap_closed(policy)) is not None]
    mean = fmean(gaps) if gaps else None
    sentences = tuple(in_words(policy, ahead, level, behind, mean, len(gaps)))
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


def deficit(row: Comparison, policy: str) -> str:
    """Where, behind whom and by how much."""
    return f"{row.trace} at {row.capacity} ({row.best[0]} is lower by {row.behind(policy):.4f})"
