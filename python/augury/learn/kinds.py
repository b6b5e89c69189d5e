"""Kinds of model: which estimator each is, with what defaults, and what tuning may change.

All are classifiers of *reused within the horizon*. Defaults keep a decision at some microseconds:
few, small trees serve as well as many (docs/decisions/0013).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from augury.errors import ConfigError
from augury.extras import require

__all__ = ["KINDS", "Kind", "kind_of"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of model."""

    name: str
    #: What it is, in a line.
    description: str
    #: An estimator, given seed and number of threads.
    make: Callable[[int, int], Any]
    #: For each hyper-parameter the values that tuning draws from.
    space: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    #: Whether it takes y = (duration, observed) rather than classes.
    takes_waits: bool = False
    #: How validation rows are passed to ``fit``, where it can stop early by them.
    early_stopping: str = ""


def tree(seed: int, _jobs: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(max_depth=12, min_samples_leaf=50, random_state=seed)


def forest(seed: int, jobs: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(
        n_estimators=100, max_depth=12, min_samples_leaf=20, random_state=seed, n_jobs=jobs
    )


def extratrees(seed: int, jobs: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(
        n_estimators=100, max_depth=12, min_samples_leaf=20, random_state=seed, n_jobs=jobs
    )


def gbm(seed: int, _jobs: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=15, early_stopping=True, random_state=seed
    )


def lightgbm(seed: int, jobs: int) -> Any:
    classifier = require("lightgbm", "learn").LGBMClassifier
    return classifier(n_estimators=60, num_leaves=15, random_state=seed, n_jobs=jobs, verbose=-1)


def mlp(seed: int, _jobs: int) -> Any:
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    network = MLPClassifier(
        (24, 12), batch_size=1024, max_iter=60, n_iter_no_change=4, tol=1e-4, random_state=seed
    )
    return make_pipeline(StandardScaler(), network)


def logistic(seed: int, _jobs: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(random_state=seed, max_iter=1000))


def survival(_seed: int, _jobs: int) -> Any:
    from augury.learn.estimators import SurvivalTable

    return SurvivalTable()


def frequency(_seed: int, _jobs: int) -> Any:
    from augury.learn.estimators import FrequencyWindow

    return FrequencyWindow()


def seasonal(_seed: int, _jobs: int) -> Any:
    from augury.learn.estimators import SeasonalRate

    return SeasonalRate()


LEAVES = (20, 50, 100, 200)
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "tree", "a decision tree", tree,
            {"max_depth": (6, 8, 10, 12, 14), "min_samples_leaf": LEAVES},
        ),
        Kind(
            "forest", "a random forest", forest,
            {
                "max_depth": (8, 10, 12), "min_samples_leaf": LEAVES,
                "max_features": (0.3, 0.5, "sqrt"),
            },
        ),
        Kind(
            "extratrees", "extremely randomised trees", extratrees,
            {
                "max_depth": (8, 10, 12), "min_samples_leaf": LEAVES,
                "max_features": (0.3, 0.5, 1.0),
            },
        ),
        Kind(
            "gbm", "histogram gradient boosting", gbm,
            {
                "learning_rate": (0.05, 0.1, 0.2), "max_leaf_nodes": (7, 15, 31),
                "min_samples_leaf": LEAVES, "l2_regularization": (0.0, 1.0, 10.0),
            },
            early_stopping="X_val",
        ),
        Kind(
            "lightgbm", "gradient boosting by LightGBM", lightgbm,
            {
                "learning_rate": (0.05, 0.1, 0.2), "num_leaves": (7, 15, 31),
                "min_child_samples": LEAVES, "reg_lambda": (0.0, 1.0, 10.0),
            },
            early_stopping="eval_set",
        ),
        Kind(
            "mlp", "a multi-layer perceptron", mlp,
            {
                "mlpclassifier__hidden_layer_sizes": ((16,), (24, 12), (32, 16)),
                "mlpclassifier__alpha": (1e-5, 1e-4, 1e-3),
                "mlpclassifier__learning_rate_init": (5e-4, 1e-3, 3e-3),
            },
        ),
        Kind(
            "logistic", "logistic regression", logistic,
            {"logisticregression__C": (0.001, 0.01, 0.1, 1.0, 10.0)},
        ),
        Kind(
            "survival", "a survival table (native)", survival,
            {"prior": (2.0, 8.0, 32.0)}, takes_waits=True,
        ),
        Kind(
            "frequency", "a frequency window (native)", frequency,
            {"prior": (2.0, 8.0, 32.0)},
        ),
        Kind(
            "seasonal", "rates by the time of day and week (native)", seasonal,
            {"prior": (2.0, 8.0, 32.0)},
        ),
    )
}  # fmt: skip


def kind_of(name: str) -> Kind:
    """The kind of this name.

    Raises:
        ConfigError: there is none.
    """
    if name not in KINDS:
        raise ConfigError(f"no model is called {name!r}; there are {', '.join(KINDS)}")
    require("sklearn", "learn")
    return KINDS[name]
