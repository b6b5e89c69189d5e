"""Windows of a store as arrays on an even grid of time, for forecasting.

Where it stands: between the store and the forecast. Watching is not exact to the second and may
have been stopped for a while: short gaps are filled by a line between their ends, of what lies
before a long one nothing is used. It must not know clusters or forecasts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

import numpy as np
import numpy.typing as npt

from augury.errors import ConfigError
from augury.placement.series import METRICS, Window
from augury.placement.topology import SLOTS

__all__ = ["Floats", "History", "history_of"]

Floats = npt.NDArray[np.float64]
#: Windows in a gap that is filled.
SHORT_GAP = 3


@dataclass(frozen=True, slots=True)
class History:
    """Loads per second of the slots that had any, oldest window first."""

    #: Length of a window, in seconds, and the end of the last one, in seconds since 1970.
    every: float
    end: float
    #: The slots, ascending: int64 of shape (slots,).
    slots: npt.NDArray[np.int64]
    #: Loads per second by metric: single precision, of shape (windows, slots).
    loads: dict[str, npt.NDArray[np.float32]]
    #: When a slot was first seen at another node than before, in seconds since 1970.
    moved: dict[int, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.loads.values())))

    def of(self, metric: str) -> Floats:
        """Loads of one metric, of shape (windows, slots).

        Raises:
            ConfigError: no metric has this name.
        """
        if metric not in self.loads:
            raise ConfigError(f"no load is called {metric!r}; there are {', '.join(METRICS)}")
        return self.loads[metric].astype(np.float64)

    def before(self, windows: int) -> "History":
        """Without the last so many windows."""
        kept = {metric: rows[:-windows] for metric, rows in self.loads.items()}
        return History(self.every, self.end - windows * self.every, self.slots, kept, self.moved)


def history_of(windows: Iterable[Window], last: int | None = None) -> History:
    """The windows of a store as arrays.

    Args:
        windows: Oldest first.
        last: At most so many of the latest.

    Raises:
        ConfigError: there is none.
    """
    rows: list[tuple[float, float, dict[str, npt.NDArray[np.float32]]]] = []
    owners: dict[int, str] = {}
    moved: dict[int, float] = {}
    latest: object = None
    for window in windows:
        rows.append((window.time, window.seconds, dense(window)))
        if last is not None and len(rows) > last + SHORT_GAP:
            rows.pop(0)
        if window.owners != latest:
            note_moves(window, owners, moved)
            latest = window.owners
    if not rows:
        raise ConfigError("no windows were collected yet: augury cluster watch collects them")
    every = median(seconds for _, seconds, _ in rows)
    rows = evened(rows, every)[-(last or len(rows)) :]
    seen = np.zeros(SLOTS, np.bool_)
    for _, _, row in rows:
        for values in row.values():
            seen |= values > 0
    slots = np.flatnonzero(seen)
    loads = {metric: np.stack([row[metric][slots] for _, _, row in rows]) for metric in METRICS}
    return History(every, rows[-1][0], slots, loads, moved)


def dense(window: Window) -> dict[str, npt.NDArray[np.float32]]:
    """Loads per second of all slots by metric, each of shape (16384,)."""
    slots = np.fromiter(window.loads, np.int64, len(window.loads))
    table = np.array(list(window.loads.values()), np.float32).reshape(-1, len(METRICS))
    found = {}
    for place, metric in enumerate(METRICS):
        row = np.zeros(SLOTS, np.float32)
        row[slots] = table[:, place] / window.seconds
        found[metric] = row
    return found


def note_moves(window: Window, owners: dict[int, str], moved: dict[int, float]) -> None:
    """Remember who has which slot, and when that was first seen to be somebody else."""
    for node, ranges in window.owners.items():
        for first, last in ranges:
            for slot in range(first, last + 1):
                if owners.setdefault(slot, node) != node:
                    owners[slot] = node
                    moved[slot] = window.time


Row = tuple[float, float, dict[str, npt.NDArray[np.float32]]]


def evened(rows: list[Row], every: float) -> list[Row]:
    """The rows on a grid of this length: gaps filled, and what lies before a long one left out."""
    found = rows[:1]
    for before, after in pairwise(rows):
        # A window may be longer than usual; what was missed lies between two of them.
        absent = round((after[0] - after[1] - before[0]) / every)
        if absent < 0:
            # Shorter than a window: watching was begun anew. The whole ones suffice.
            continue
        if absent > SHORT_GAP:
            found.clear()
        elif absent:
            for step in range(1, absent + 1):
                share = step / (absent + 1)
                mixed = {
                    metric: row * (1 - share) + after[2][metric] * share
                    for metric, row in before[2].items()
                }
                found.append((before[0] + step * every, every, mixed))
        found.append(after)
    return found
