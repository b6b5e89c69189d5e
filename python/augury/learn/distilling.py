"""Distillation: a table that answers as a slow model does, as nearly as a table can.

The columns are chosen one after the other: each time the one whose bins explain most of the
model's answers on the rows it was trained on. What is lost is measured on rows not used for it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from augury.learn.estimators.cells import Cells, smoothed
from augury.learn.exporting.parts import Parts

__all__ = ["Distillation", "distil"]

Array = npt.NDArray[np.float64]
#: Bins of the first column chosen, of the second, ...
BINS = (48, 24, 16, 8)
#: Rows' worth of belief in the coarser cell.
PRIOR = 2.0
#: Rows that a column is judged on.
JUDGED = 20_000


@dataclass(frozen=True, slots=True)
class Distillation:
    """A table, and how far its answers are from the model's."""

    parts: Parts
    #: Mean absolute difference of answers, on rows that the table was not made of.
    loss: float
    #: Share of the variance of the model's answers that the table has.
    explained: float


def distil(X: Any, answers: Any) -> Distillation:
    """A table of the answers given for these rows, shapes (rows, features) and (rows,)."""
    X, answers = np.asarray(X, np.float64), np.asarray(answers, np.float64)
    # Every fifth row judges; rows are in the order of time, so both parts cover all of it.
    judging = np.arange(len(X)) % 5 == 4
    if len(X) < 10:
        judging = np.zeros(len(X), bool)
    rows, targets = X[~judging], answers[~judging]
    columns = choose(rows[:: max(len(rows) // JUDGED, 1)], targets[:: max(len(rows) // JUDGED, 1)])
    cells = Cells.fit(rows, columns, BINS[: len(columns)])
    table = fitted(cells, rows, targets)
    others, expected = (X[judging], answers[judging]) if judging.any() else (rows, targets)
    errors = table[cells.of(others)] - expected
    explained = 1 - float(np.mean(errors**2)) / max(float(np.var(expected)), 1e-30)
    model = {"kind": "table", "link": "identity", "axes": list(columns)}
    tensors: dict[str, Any] = {"values": table.astype("<f4")}
    tensors |= {f"edges.{at}": edges.astype("<f4") for at, edges in enumerate(cells.edges)}
    return Distillation(Parts(model, tensors), float(np.abs(errors).mean()), explained)


def choose(X: Array, answers: Array) -> tuple[int, ...]:
    """The columns, the most telling first."""
    chosen: list[int] = []
    for place in range(min(len(BINS), X.shape[1])):

        def unexplained(column: int, place: int = place) -> float:
            columns = (*chosen, column)
            cells = Cells.fit(X[::2], columns, BINS[: place + 1])
            table = fitted(cells, X[::2], answers[::2])
            return float(np.mean((table[cells.of(X[1::2])] - answers[1::2]) ** 2))

        left = [column for column in range(X.shape[1]) if column not in chosen]
        chosen.append(min(left, key=unexplained))
    return tuple(chosen)


def fitted(cells: Cells, X: Array, answers: Array) -> Array:
    """Mean answer of each cell."""
    found = cells.of(X)
    size = int(np.prod(cells.shape))
    seen = np.bincount(found, minlength=size).astype(np.float64)
    return smoothed(np.bincount(found, answers, minlength=size), seen, cells.shape, PRIOR)
