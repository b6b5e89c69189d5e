"""What a model goes by: permutation importance, and partial dependence.

Both ask the saved model, by the native engine, as a cache would.
"""

import os
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

from augury.errors import ConfigError
from augury.extras import require
from augury.learn.artifact import Artifact
from augury.learn.dataset import DataSet
from augury.learn.schema import FEATURES, MEANINGS

__all__ = ["Importance", "check_picture", "importances", "plot_dependence"]

#: Rows that are asked about, at most.
ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Importance:
    """What shuffling one feature costs."""

    feature: str
    meaning: str
    #: By how much the mean log loss rises, in nats, and how much that varies between shuffles.
    log_loss: float
    deviation: float


class Saved(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A saved model as scikit-learn's inspections want it."""

    def __init__(self, artifact: Artifact | None = None) -> None:
        self.artifact = artifact

    def fit(self, X: Any, y: Any = None) -> Self:
        """Nothing is left to learn; the attributes that inspections look for are set."""
        self.classes_ = np.array([0, 1])
        self.n_features_in_ = X.shape[1]
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Probabilities of no reuse and of reuse, shape (rows, 2)."""
        assert self.artifact is not None
        share = np.clip(self.artifact.predict(X), 1e-7, 1 - 1e-7)
        return np.column_stack([1 - share, share])

    def predict(self, X: Any) -> npt.NDArray[np.int64]:
        """The likelier of 0 and 1, shape (rows,)."""
        found: npt.NDArray[np.int64] = self.predict_proba(X).argmax(axis=1)
        return found


def rows_for(artifact: Artifact, data: DataSet) -> tuple[Any, npt.NDArray[np.int64]]:
    """Rows with certain labels, spread over the data."""
    if artifact.meaning != "probability" or not artifact.horizon:
        raise ConfigError("only models of a probability within a horizon can be explained")
    rows, labels, _ = data.labelled(int(artifact.horizon))
    if len(rows) < 100 or labels.all() or not labels.any():
        raise ConfigError(
            f"{len(rows)} rows with a label are not enough to explain a model by: at least 100 of "
            "both labels are needed"
        )
    step = max(len(rows) // ROWS, 1)
    return rows.X[::step].astype(np.float64), labels[::step].astype(np.int64)


def importances(artifact: Artifact, data: DataSet, *, seed: int = 1) -> list[Importance]:
    """Features by what the model loses without them, the most important first.

    Permutation importance: Breiman, "Random forests", Machine Learning 2001. Features that say the
    same share their importance.

    Raises:
        ConfigError: the model is not of a probability, or the data too little.
    """
    require("sklearn", "learn")
    from sklearn.inspection import permutation_importance

    X, y = rows_for(artifact, data)
    model = Saved(artifact).fit(X)
    found = permutation_importance(
        model, X, y, scoring="neg_log_loss", n_repeats=5, random_state=seed
    )
    listed = [
        Importance(name, MEANINGS[name], float(mean), float(deviation))
        for name, mean, deviation in zip(
            FEATURES, found.importances_mean, found.importances_std, strict=True
        )
    ]
    return sorted(listed, key=lambda one: -one.log_loss)


def check_picture(path: str | os.PathLike[str]) -> None:
    """Refuse an ending that names no format of pictures."""
    if os.path.splitext(os.fspath(path))[1].lower() not in (".svg", ".png", ".pdf"):
        raise ConfigError(f"{os.fspath(path)}: write plots to .svg, .png or .pdf")


def plot_dependence(
    artifact: Artifact, data: DataSet, path: str | os.PathLike[str], *, seed: int = 1
) -> None:
    """Draw importances and partial dependence to a file (.svg, .png or .pdf).

    Partial dependence: Friedman, "Greedy function approximation", Annals of Statistics 2001: the
    mean answer when one feature is set to a value and all others stay as they are.

    Raises:
        ConfigError: as :func:`importances`, or the ending names no format.
    """
    require("matplotlib", "report")
    from matplotlib.figure import Figure
    from sklearn.inspection import partial_dependence

    check_picture(path)
    listed = importances(artifact, data, seed=seed)
    X, _ = rows_for(artifact, data)
    model = Saved(artifact).fit(X)
    X = X[:: max(len(X) // 1_000, 1)]
    figure = Figure(figsize=(11, 9), layout="constrained")
    axes = figure.subplots(4, 3).ravel()
    bars, plots, spare = axes[0], axes[1 : 1 + len(FEATURES)], axes[1 + len(FEATURES) :]
    bars.barh([one.feature for one in reversed(listed)], [one.log_loss for one in reversed(listed)])
    bars.set_title("importance: rise of log loss when shuffled", fontsize=9)
    bars.tick_params(labelsize=7)
    for axis, one in zip(plots, listed, strict=False):
        place = FEATURES.index(one.feature)
        if np.ptp(X[:, place]) == 0:
            axis.set_title(f"{one.feature}: always {X[0, place]:g}", fontsize=9)
            axis.set_axis_off()
            continue
        found = partial_dependence(model, X, [place], grid_resolution=30, kind="average")
        axis.plot(found["grid_values"][0], found["average"][0])
        axis.set_title(one.feature, fontsize=9)
        axis.set_ylabel("probability of reuse", fontsize=7)
        axis.tick_params(labelsize=7)
    for axis in spare:
        axis.set_axis_off()
    figure.savefig(path)
