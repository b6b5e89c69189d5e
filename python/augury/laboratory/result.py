"""All cells of one replay, and what they convert to."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from augury.extras import require
from augury.laboratory.cell import FIELDS, PREFETCH_FIELDS, Cell
from augury.laboratory.curve import Curve
from augury.laboratory.scores import Comparison, Summary, compare, summarize

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow
    from rich.console import RenderableType

__all__ = ["ReplayResult"]


@dataclass(frozen=True, slots=True)
class ReplayResult(Sequence[Cell]):
    """The cells of a replay: a sequence in the order trace, capacity, policy, seed.

    >>> import augury
    >>> result = augury.replay("synthetic:zipf-drift", policies="lru,fifo", capacity=100)
    >>> [cell.policy for cell in result]
    ['lru', 'fifo']
    >>> result[0].object_miss_ratio < result[1].object_miss_ratio
    True
    """

    cells: tuple[Cell, ...]
    #: Things a reader of the numbers should know: skipped records, peers that did not finish.
    notes: tuple[str, ...] = ()
    curves: tuple[Curve, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        """The number of cells."""
        return len(self.cells)

    @overload
    def __getitem__(self, place: int) -> Cell: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Cell, ...]: ...
    def __getitem__(self, place: int | slice) -> Cell | tuple[Cell, ...]:
        """A cell by its place, or a tuple of them."""
        return self.cells[place]

    def __iter__(self) -> Iterator[Cell]:
        """The cells in order."""
        return iter(self.cells)

    def comparisons(self) -> tuple[Comparison, ...]:
        """The policies beside each other, one comparison per trace and capacity."""
        return compare(self.cells)

    def summary(self, policy: str = "auto") -> Summary | None:
        """Where ``policy`` leads and where it does not; None if it never ran beside another."""
        return summarize(self.comparisons(), policy)

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the columns; those of prefetch only where a cell was replayed with it."""
        is_ahead = any(cell.prefetches_issued is not None for cell in self.cells)
        return (*FIELDS, *PREFETCH_FIELDS) if is_ahead else FIELDS

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dictionary per cell, as the JSON of ``augury replay`` has them."""
        return [cell.to_dict() for cell in self.cells]

    def to_json(self) -> str:
        """A JSON array with one object per cell."""
        if not self.cells:
            return "[]"
        return "[\n" + ",\n".join("  " + json.dumps(cell) for cell in self.to_dicts()) + "\n]"

    def to_csv(self) -> str:
        """A header and one line per cell."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.fields, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.to_dicts())
        return text.getvalue()

    def to_pandas(self) -> "pandas.DataFrame":
        """A pandas data frame with one row per cell; needs ``augury[pandas]``."""
        package = require("pandas", "pandas")
        # Counts stay whole numbers beside peers, which do not tell them.
        partly = {
            name: package.array(values, dtype="Int64") if None in values else values
            for name, values in self.to_columns().items()
        }
        frame: pandas.DataFrame = package.DataFrame(partly)
        return frame

    def to_polars(self) -> "polars.DataFrame":
        """A polars data frame with one row per cell; needs ``augury[polars]``."""
        frame: polars.DataFrame = require("polars", "polars").DataFrame(self.to_columns())
        return frame

    def to_arrow(self) -> "pyarrow.Table":
        """An Arrow table with one row per cell; needs ``augury[arrow]``."""
        return require("pyarrow", "arrow").table(self.to_columns())

    def to_columns(self) -> dict[str, list[Any]]:
        """One list per field."""
        return {name: [getattr(cell, name) for cell in self.cells] for name in self.fields}

    def table(self) -> "RenderableType":
        """The table that ``augury replay`` prints, for a rich console."""
        from augury.laboratory.table import render

        return render(self)

    def report(self, command: str = "") -> str:
        """A self-contained HTML page with plots; needs ``augury[report]``."""
        require("matplotlib", "report")
        from augury.report import render

        return render(self, command)

    def _repr_html_(self) -> str:
        from augury.laboratory.html_table import render

        return render(self)
