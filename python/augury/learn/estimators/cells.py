"""Cells: rows put into bins of a few columns, with what was seen in each.

Shared by the native estimators: a few columns are cut at quantiles, a cell is a combination of
bins, and what a cell knows is smoothed towards the cell of all columns but the last, and so on down
to all rows (a chain of shrinkage estimates). A fitted set of cells is what the engine's
table is made of.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Cells", "smoothed"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Bins of some columns: ``edges[i]`` ascend and belong to column ``columns[i]``."""

    columns: tuple[int, ...]
    edges: tuple[npt.NDArray[np.float32], ...]

    @classmethod
    def fit(cls, X: Array, columns: tuple[int, ...], bins: tuple[int, ...]) -> "Cells":
        """Cut each column at quantiles of what is given, into at most so many bins.

        A column that does not vary is cut once, so that there is always a cell on either side.
        """
        edges = []
        for column, count in zip(columns, bins, strict=True):
            values = X[:, column].astype(np.float32)
            cuts = np.quantile(values, np.linspace(0, 1, count + 1)[1:-1])
            found = np.unique(cuts.astype(np.float32))
            found = found[found > values.min()] if len(found) else found
            if not len(found):
                found = values[:1]
            edges.append(found)
        return cls(columns, tuple(edges))

    @property
    def shape(self) -> tuple[int, ...]:
        """Bins of each column."""
        return tuple(len(edges) + 1 for edges in self.edges)

    def of(self, X: Array) -> npt.NDArray[np.int64]:
        """The cell of each row, the last column varying fastest."""
        cell = np.zeros(len(X), dtype=np.int64)
        for column, edges in zip(self.columns, self.edges, strict=True):
            values = X[:, column].astype(np.float32)
            cell = cell * (len(edges) + 1) + np.searchsorted(edges, values, side="right")
        return cell


def smoothed(
    sums: npt.NDArray[Any], weights: npt.NDArray[Any], shape: tuple[int, ...], prior: float
) -> Array:
    """Mean of each cell: what it has seen and ``prior`` rows' worth of its parent's mean.

    ``sums`` and ``weights`` have shape (cells,), as has the answer. The parent of a cell joins all
    bins of its last column.
    """
    if not shape:
        return np.asarray(sums / np.maximum(weights, 1e-12), np.float64)
    joined = sums.reshape(-1, shape[-1]).sum(axis=1), weights.reshape(-1, shape[-1]).sum(axis=1)
    parents = smoothed(*joined, shape[:-1], prior).repeat(shape[-1])
    return np.asarray((sums + prior * parents) / (weights + prior), np.float64)
