"""Decision trees, forests, extra trees and histogram gradient boosting of scikit-learn."""

from typing import Any

import numpy as np

from augury.errors import ArtifactError
from augury.learn.exporting.parts import Array, Nodes, Parts

__all__ = ["of_boosting", "of_forest", "of_tree"]

#: Losses whose answer is the sum over the trees, or its logistic function.
SUMS = ("log_loss", "squared_error", "absolute_error", "quantile")


def of_tree(estimator: Any) -> Parts:
    """A decision tree: class probability, or value."""
    nodes = Nodes()
    add(nodes, estimator)
    return nodes.parts("identity")


def of_forest(estimator: Any) -> Parts:
    """The mean over its trees."""
    nodes = Nodes()
    for tree in estimator.estimators_:
        add(nodes, tree)
    return nodes.parts("identity", scale=1 / len(estimator.estimators_))


def add(nodes: Nodes, estimator: Any) -> None:
    """One fitted tree."""
    tree = estimator.tree_
    value = tree.value[:, 0, :]
    if hasattr(estimator, "classes_"):
        # The share of the positive class; a tree that has seen one class knows no other.
        positive = list(estimator.classes_).index(1) if 1 in estimator.classes_ else None
        answers = np.zeros(len(value)) if positive is None else share(value, positive)
    else:
        answers = value[:, 0]
    # scikit-learn marks leaves by children of -1 and features of -2.
    nodes.add(tree.feature, tree.threshold, tree.children_left, tree.children_right, answers)


def share(value: Array, place: int) -> Array:
    """The share of one class among all, by node."""
    return np.asarray(value[:, place] / np.maximum(value.sum(axis=1), 1e-300))


def of_boosting(estimator: Any) -> Parts:
    """Histogram gradient boosting: log odds of the positive class, or value."""
    if estimator.loss not in SUMS:
        raise ArtifactError(
            f"boosting by the loss {estimator.loss!r} cannot be served; use one of "
            f"{', '.join(SUMS)}"
        )
    nodes = Nodes()
    for (predictor,) in estimator._predictors:
        table = predictor.nodes
        is_leaf = table["is_leaf"].astype(bool)
        nodes.add(
            np.where(is_leaf, -1, table["feature_idx"].astype(np.int64)),
            table["num_threshold"],
            table["left"].astype(np.int64),
            table["right"].astype(np.int64),
            table["value"],
        )
    link = "logistic" if hasattr(estimator, "classes_") else "identity"
    return nodes.parts(link, offset=float(np.ravel(estimator._baseline_prediction)[0]))
