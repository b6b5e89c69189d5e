"""Fitting one kind of model to a data set: cross-validation, tuning, early stopping."""

from dataclasses import dataclass
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from augury.errors import ConfigError
from augury.learn.dataset import Cleaning, DataSet
from augury.learn.judging import Scores, scores_of
from augury.learn.kinds import Kind

__all__ = ["Fit", "cross_validate", "fit", "tune"]

#: Parameter sets that tuning tries.
TRIALS = 8
#: Share of the rows, the latest, that early stopping watches.
WATCHED = 0.15
#: Rows that tuning works with.
TUNING_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted estimator and what it was fitted on."""

    estimator: Any
    rows: int
    cleaning: Cleaning


def fit(
    kind: Kind,
    data: DataSet,
    horizon: int,
    *,
    parameters: dict[str, Any],
    seed: int = 1,
    jobs: int = 1,
) -> Fit:
    """Fit on all rows whose label is certain.

    Raises:
        ConfigError: there are too few, or all have one label.
    """
    estimator = kind.make(seed, jobs).set_params(**parameters)
    if kind.takes_waits:
        estimator.set_params(horizon=float(horizon))
        need_rows(len(data), data.observed)
        targets = np.column_stack([data.waits, data.observed]).astype(np.float64)
        return Fit(estimator.fit(data.X, targets), len(data), Cleaning(data.malformed, 0))
    rows, labels, cleaning = data.labelled(horizon)
    need_rows(len(rows), labels)
    # scikit-learn's boosting takes all processors it finds; more threads than those wait busily.
    with threadpool_limits(jobs):
        fit_labels(kind, estimator, rows, labels, horizon)
    return Fit(estimator, len(rows), cleaning)


def need_rows(count: int, labels: npt.NDArray[np.bool_]) -> None:
    """Refuse to learn from nothing."""
    if count < 100 or not labels.any() or labels.all():
        share = f"{labels.mean():.1%} of them reused" if count else "none"
        raise ConfigError(
            f"{count} rows, {share}: not enough to learn from; at least 100 rows of both labels "
            "are needed: take a longer trace, more rows, or a capacity at which objects are evicted"
        )


def fit_labels(
    kind: Kind, estimator: Any, rows: DataSet, labels: npt.NDArray[np.bool_], horizon: int
) -> None:
    """Fit a classifier; one that can stop early watches the latest rows."""
    y = labels.astype(np.int64)
    split = int(len(rows) * (1 - WATCHED))
    earlier = np.flatnonzero(rows.ticks < rows.ticks[split] - horizon)
    later = slice(split, None)
    can_watch = len(earlier) >= 100 and len(set(y[earlier])) == len(set(y[later])) == 2
    if kind.early_stopping == "X_val" and can_watch:
        estimator.fit(rows.X[earlier], y[earlier], X_val=rows.X[later], y_val=y[later])
    elif kind.early_stopping == "eval_set" and can_watch:
        from lightgbm import early_stopping

        stop = early_stopping(10, verbose=False)
        watched = [(rows.X[later], y[later])]
        with catch_warnings():
            # Newer versions name the argument otherwise, older ones know this name only.
            simplefilter("ignore")
            estimator.fit(rows.X[earlier], y[earlier], eval_set=watched, callbacks=[stop])
    elif kind.early_stopping == "X_val":
        estimator.set_params(early_stopping=False).fit(rows.X, y)
    else:
        estimator.fit(rows.X, y)


def positive(estimator: Any, X: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Probability of reuse, shape (rows,)."""
    found = np.asarray(estimator.predict_proba(X), dtype=np.float64)
    return found[:, list(estimator.classes_).index(1)]


def cross_validate(
    kind: Kind,
    data: DataSet,
    horizon: int,
    folds: int,
    *,
    parameters: dict[str, Any],
    seed: int = 1,
    jobs: int = 1,
) -> list[Scores]:
    """Scores on each of ``folds`` later stretches of time, trained on what came before."""
    rows, labels, _ = data.labelled(horizon)
    scores = []
    for earlier, later in rows.folds(folds, horizon):
        start = int(rows.ticks[later[0]])
        known = rows.take(earlier).before(start)
        if len(np.unique(labels[earlier])) < 2:
            continue
        fitted = fit(kind, known, horizon, parameters=parameters, seed=seed, jobs=jobs)
        scores.append(scores_of(labels[later], positive(fitted.estimator, rows.X[later])))
    return scores


def tune(
    kind: Kind, data: DataSet, horizon: int, folds: int, *, seed: int = 1, jobs: int = 1
) -> dict[str, Any]:
    """The best of some random parameter sets, by log loss in time-series cross-validation.

    Bergstra and Bengio, "Random search for hyper-parameter optimization", JMLR 2012. Works on at
    most 50,000 rows, spread over all of the time.
    """
    from sklearn.model_selection import RandomizedSearchCV

    data = data.take(slice(None, None, max(len(data) // TUNING_ROWS, 1)))
    rows, labels, _ = data.labelled(horizon)
    need_rows(len(rows), labels)
    combinations = int(np.prod([len(values) for values in kind.space.values()]))
    search = RandomizedSearchCV(
        kind.make(seed, 1),
        {name: list(values) for name, values in kind.space.items()},
        n_iter=min(TRIALS, combinations),
        scoring="neg_log_loss",
        cv=rows.folds(folds, horizon),
        random_state=seed,
        n_jobs=jobs,
        refit=False,
    )
    search.fit(rows.X, labels.astype(np.int64))
    return dict(search.best_params_)
