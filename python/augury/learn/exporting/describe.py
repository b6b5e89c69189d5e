"""Which family an estimator belongs to."""

from collections.abc import Callable
from typing import Any

from augury.errors import ArtifactError
from augury.learn.exporting import networks, trees
from augury.learn.exporting.lightgbm import of_lightgbm
from augury.learn.exporting.parts import Parts
from augury.learn.schema import FEATURES

__all__ = ["FAMILIES", "describe"]

#: By the name of the class; no library is imported to know it.
FAMILIES: dict[str, Callable[[Any], Parts]] = {
    "DecisionTreeClassifier": trees.of_tree,
    "DecisionTreeRegressor": trees.of_tree,
    "ExtraTreesClassifier": trees.of_forest,
    "ExtraTreesRegressor": trees.of_forest,
    "HistGradientBoostingClassifier": trees.of_boosting,
    "HistGradientBoostingRegressor": trees.of_boosting,
    "LGBMClassifier": of_lightgbm,
    "LGBMRegressor": of_lightgbm,
    "LinearRegression": networks.of_linear,
    "LogisticRegression": networks.of_linear,
    "MLPClassifier": networks.of_perceptron,
    "MLPRegressor": networks.of_perceptron,
    "RandomForestClassifier": trees.of_forest,
    "RandomForestRegressor": trees.of_forest,
    "Ridge": networks.of_linear,
}


def describe(estimator: Any) -> Parts:
    """The parts of a fitted estimator, on its own or behind a ``StandardScaler`` in a pipeline.

    Raises:
        ArtifactError: it is of no family that can be served, not fitted on feature rows, or knows
            other classes than 0 and 1.
    """
    if hasattr(estimator, "parts_"):
        own: Parts = estimator.parts_()
        return own
    if type(estimator).__name__ == "Pipeline":
        return of_pipeline(estimator)
    check(estimator)
    return family(estimator)(estimator)


def of_pipeline(pipeline: Any) -> Parts:
    """A ``StandardScaler`` and what follows it."""
    *before, last = (step for _, step in pipeline.steps)
    parts = describe(last)
    if [type(step).__name__ for step in before] != ["StandardScaler"]:
        raise ArtifactError(
            "a pipeline can be served where a StandardScaler is all that stands before the "
            f"estimator, not {[type(step).__name__ for step in before]}"
        )
    if parts.model["kind"] != "network":
        raise ArtifactError("trees need no StandardScaler: train them without")
    return networks.scaled(parts, before[0])


def family(estimator: Any) -> Callable[[Any], Parts]:
    """How the estimator, or the nearest of its bases, becomes parts."""
    for base in type(estimator).__mro__:
        if base.__name__ in FAMILIES:
            return FAMILIES[base.__name__]
    raise ArtifactError(
        f"{type(estimator).__name__} cannot be served; what can: {', '.join(FAMILIES)}"
    )


def check(estimator: Any) -> None:
    """Refuse what was fitted on something else."""
    width = getattr(estimator, "n_features_in_", None)
    if width is None:
        raise ArtifactError(f"{type(estimator).__name__} is not fitted: call fit first")
    if width != len(FEATURES):
        raise ArtifactError(
            f"fitted on {width} features, not on the {len(FEATURES)} of augury.learn.FEATURES"
        )
    classes = getattr(estimator, "classes_", None)
    if classes is not None and not {*map(int, classes)} <= {0, 1}:
        raise ArtifactError(f"its classes are {list(classes)}, not 0 and 1")
