"""The cells of one trace as a table, before anyone decides what a table looks like."""

from collections.abc import Iterable
from dataclasses import dataclass

from augury.laboratory.policies import is_oracle, is_peer
from augury.laboratory.scores import Comparison, sentence

__all__ = ["NOTHING", "Grid", "Row", "change", "grids", "room", "share"]

#: The policy that the last rows of a table are about.
SUBJECT = "auto"
#: Shown where there is no number.
NOTHING = "–"  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Row:
    """One policy's object miss ratios, one per capacity; None where it did not run."""

    policy: str
    miss_ratios: tuple[float | None, ...]
    #: Where the policy has the lowest miss ratio of those that a cache can run.
    best: tuple[bool, ...]

    @property
    def kind(self) -> str:
        """How to set the row apart: ``subject``, ``oracle``, ``peer`` or ``policy``."""
        if self.policy == SUBJECT:
            return "subject"
        if is_oracle(self.policy):
            return "oracle"
        return "peer" if is_peer(self.policy) else "policy"


@dataclass(frozen=True, slots=True)
class Grid:
    """One trace: a row per policy, oracles last; a column per capacity."""

    trace: str
    requests: int
    columns: tuple[Comparison, ...]
    rows: tuple[Row, ...]

    def fewer_misses(self) -> tuple[float | None, ...]:
        """Per capacity, the share of LRU's misses that `auto` does not have."""
        return tuple(column.fewer_misses(SUBJECT) for column in self.columns)

    def sentence(self) -> str | None:
        """Where `auto` stands on this trace."""
        return sentence(self.columns, SUBJECT)

    def gap_closed(self) -> tuple[float | None, ...]:
        """Per capacity, the share of the gap from LRU to the bound that `auto` closes."""
        return tuple(column.gap_closed(SUBJECT) for column in self.columns)


def room(column: Comparison) -> str:
    """The capacity in its own unit, and in objects where that says more."""
    shown = f"{column.capacity_bytes:,}"
    objects = column.capacity_objects
    if objects is not None and round(objects) != column.capacity_bytes:
        shown += f"\n~{objects:,.0f} obj."
    return shown


def grids(comparisons: Iterable[Comparison]) -> tuple[Grid, ...]:
    """One table per trace."""
    by_trace: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        by_trace.setdefault(comparison.trace, []).append(comparison)
    return tuple(grid(trace, tuple(columns)) for trace, columns in by_trace.items())


def grid(trace: str, columns: tuple[Comparison, ...]) -> Grid:
    """The table of one trace."""
    policies = dict.fromkeys(name for column in columns for name in column.miss_ratios)
    rows = [
        Row(
            policy,
            tuple(column.miss_ratios.get(policy) for column in columns),
            tuple(policy in column.best and len(column.runnable) > 1 for column in columns),
        )
        for policy in policies
    ]
    rows.sort(key=lambda row: row.kind == "oracle")
    return Grid(trace, columns[0].requests, columns, tuple(rows))


def change(fewer: float | None) -> str:
    """A change in misses, in percent."""
    if fewer is None:
        return NOTHING
    shown = f"{-fewer:+.1%}"
    return "0.0%" if shown in ("+0.0%", "-0.0%") else shown


def share(value: float | None) -> str:
    """A share, as a number."""
    return NOTHING if value is None else f"{value:.2f}"
