"""Native estimators: tables of what was seen, fitted in one pass over the rows."""

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from augury.errors import ConfigError
from augury.learn.estimators.cells import Cells, smoothed
from augury.learn.exporting.parts import Parts
from augury.learn.schema import FEATURES

__all__ = ["FrequencyWindow", "SeasonalRate", "SurvivalTable"]

Array = npt.NDArray[np.float64]
#: Steps in which waits up to the horizon are told apart, by octaves.
WAITS = 24


class TableClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Shares of the second class by cells of a few columns.

    Subclasses name the columns, by feature; on rows of another width the first columns take their
    place.
    """

    NAMES: ClassVar[tuple[str, ...]] = ()
    BINS: ClassVar[tuple[int, ...]] = ()

    def __init__(self, prior: float = 8.0) -> None:
        self.prior = prior

    def fit(self, X: Any, y: Any) -> Self:
        """Count the classes in each cell.

        Args:
            X: Feature rows, shape (rows, features).
            y: Classes, shape (rows,): two of them.
        """
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) > 2:
            raise ValueError(
                f"Only binary classification is supported. The number of classes is "
                f"{len(self.classes_)}"
            )
        if self.prior <= 0:
            raise ConfigError(f"prior {self.prior} cannot be: a number of rows above 0")
        if len(self.classes_) < 2:
            # One class is all there is: certain, whatever the cell.
            labels = np.ones(len(labels), dtype=np.int64)
        self.cells_ = Cells.fit(X, *self._columns(X.shape[1]))
        self.table_ = self._table(self.cells_.of(X), labels.astype(np.float64))
        return self

    def _columns(self, width: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        if width == len(FEATURES):
            return tuple(FEATURES.index(name) for name in self.NAMES), self.BINS
        columns = tuple(range(min(width, len(self.NAMES))))
        return columns, self.BINS[: len(columns)]

    def _table(self, cells: npt.NDArray[np.int64], labels: Array) -> Array:
        size = int(np.prod(self.cells_.shape))
        seen = np.bincount(cells, minlength=size).astype(np.float64)
        positive = np.bincount(cells, labels, minlength=size)
        return smoothed(positive, seen, self.cells_.shape, self.prior)

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of the classes, shape (rows, classes)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        share = self.table_[self.cells_.of(X)]
        return np.column_stack([1 - share, share])[:, -len(self.classes_) :]

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The likelier class of each row, shape (rows,)."""
        found = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[found])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def parts_(self) -> Parts:
        """The table, for an artifact."""
        check_is_fitted(self)
        model = {"kind": "table", "link": "identity", "axes": list(self.cells_.columns)}
        tensors: dict[str, Any] = {"values": self.table_.astype("<f4")}
        for at, edges in enumerate(self.cells_.edges):
            tensors[f"edges.{at}"] = edges.astype("<f4")
        return Parts(model, tensors)


class FrequencyWindow(TableClassifier):
    """Reuse probability from the decayed count alone: P(k, t), calibrated.

    The decayed count is the number of accesses in an exponential window, so its share of the
    window is the access probability; what that means for reuse within the horizon is read off
    the data, bin by bin.

    Args:
        prior: Rows' worth of belief in all rows, when a bin has seen few.

    >>> import numpy as np
    >>> from augury.learn.estimators import FrequencyWindow
    >>> X = np.arange(1000.0).reshape(-1, 1)
    >>> model = FrequencyWindow().fit(X, X[:, 0] > 500)
    >>> bool(model.predict_proba([[900.0]])[0, 1] > 0.6)
    True
    """

    NAMES = ("log_heat",)
    BINS = (64,)


class SeasonalRate(TableClassifier):
    """Reuse probability from the decayed count and the time of the day or week.

    The engine foretells each namespace's share of the traffic from the same hours of the days or
    weeks before, and says by how much an object is worth more or less now than its usual rate
    (the feature ``log_season``; 0 where the namespace has no rhythm). What a rate means in that
    season for reuse within the horizon is read off the data, cell by cell.

    Args:
        prior: Rows' worth of belief in the season as a whole, when a cell has seen few.

    >>> import numpy as np
    >>> from augury.learn.estimators import SeasonalRate
    >>> season = np.repeat([-8.0, 0.0], 100)
    >>> X = np.column_stack([season, np.zeros(200)])
    >>> model = SeasonalRate().fit(X, season == 0)
    >>> [round(float(p), 2) for p in model.predict_proba([[-8.0, 0.0], [0.0, 0.0]])[:, 1]]
    [0.0, 1.0]
    """

    NAMES = ("log_season", "log_heat")
    BINS = (12, 16)


class SurvivalTable(TableClassifier):
    """Reuse within a horizon by survival analysis, cell by cell.

    Cells are of decayed count, size, latest reuse time and age, all relative to the cache. Fitted
    on (duration, observed), it estimates the hazard of each step of waiting (Kaplan and Meier,
    "Nonparametric estimation from incomplete observations", JASA 1958), so that rows which were
    still waiting when the data ended count as long as they were seen.

    Args:
        horizon: Requests within which an access is reuse; for y = (duration, observed).
        prior: Rows' worth of belief in the cell that joins this one's neighbours.

    >>> import numpy as np
    >>> from augury.learn.estimators import SurvivalTable
    >>> X = np.repeat([[0.0], [1.0]], 100, axis=0)
    >>> waits = np.repeat([10.0, 1000.0], 100)
    >>> y = np.column_stack([waits, np.ones(200)])
    >>> model = SurvivalTable(horizon=100.0).fit(X, y)
    >>> [round(float(p), 2) for p in model.predict_proba([[0.0], [1.0]])[:, 1]]
    [0.96, 0.04]
    """

    NAMES = ("log_heat", "log_size", "relative_reuse", "relative_age")
    BINS = (12, 6, 12, 24)

    def __init__(self, horizon: float = 1000.0, prior: float = 8.0) -> None:
        super().__init__(prior)
        self.horizon = horizon

    def fit(self, X: Any, y: Any) -> Self:
        """Estimate survival in each cell.

        Args:
            X: Feature rows, shape (rows, features).
            y: Waits in requests and whether the next access was seen, shape (rows, 2); or classes,
                shape (rows,), taken as they are.
        """
        targets = np.asarray(y)
        if targets.ndim != 2 or targets.shape[1] != 2:
            return super().fit(X, y)
        X, y = validate_data(self, X, y, multi_output=True)
        if not self.horizon > 0:
            raise ConfigError(f"horizon {self.horizon} cannot be: a number of requests above 0")
        self.classes_ = np.array([0, 1])
        self.cells_ = Cells.fit(X, *self._columns(X.shape[1]))
        self.table_ = self._survival(self.cells_.of(X), y[:, 0], y[:, 1] > 0)
        return self

    def _survival(
        self, cells: npt.NDArray[np.int64], waits: Array, observed: npt.NDArray[np.bool_]
    ) -> Array:
        size = int(np.prod(self.cells_.shape))
        ends = np.geomspace(min(1.0, self.horizon), self.horizon, WAITS)
        step = np.searchsorted(ends, waits, side="left")
        survival = np.ones(size)
        for at in range(WAITS):
            waiting = np.bincount(cells[step >= at], minlength=size).astype(np.float64)
            # One censored within the step is taken to have been there for half of it.
            lost = np.bincount(cells[(step == at) & ~observed], minlength=size)
            asked = np.bincount(cells[(step == at) & observed], minlength=size).astype(np.float64)
            hazard = smoothed(asked, waiting - lost / 2, self.cells_.shape, self.prior)
            survival *= 1 - np.clip(hazard, 0, 1)
        return 1 - survival
