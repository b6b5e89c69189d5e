"""LightGBM, from the trees that it dumps."""

from typing import Any

import numpy as np

from augury.errors import ArtifactError
from augury.learn.exporting.parts import Nodes, Parts

__all__ = ["of_lightgbm"]

LINKS = {"binary sigmoid:1": "logistic", "regression": "identity", "regression_l1": "identity"}


def of_lightgbm(estimator: Any) -> Parts:
    """A fitted ``LGBMClassifier`` of two classes or ``LGBMRegressor``."""
    booster = estimator.booster_
    dump = booster.dump_model(num_iteration=estimator.best_iteration_ or -1)
    link = LINKS.get(dump.get("objective", ""))
    if link is None:
        raise ArtifactError(
            f"LightGBM's objective {dump.get('objective')!r} cannot be served; train with one of "
            f"{', '.join(LINKS)}"
        )
    nodes = Nodes()
    for tree in dump["tree_info"]:
        add(nodes, tree["tree_structure"])
    return nodes.parts(link)


def add(nodes: Nodes, root: dict[str, Any]) -> None:
    """One tree, depth first: parents come before their children."""
    rows: list[list[float]] = []
    waiting: list[tuple[dict[str, Any], int, int]] = [(root, -1, 0)]
    while waiting:
        node, parent, side = waiting.pop()
        if parent >= 0:
            rows[parent][side] = len(rows)
        if "split_feature" not in node:
            rows.append([-1, 0.0, -1, -1, node["leaf_value"]])
            continue
        if node["decision_type"] != "<=":
            raise ArtifactError(
                f"a split by {node['decision_type']!r} cannot be served: features are numbers, "
                "not categories"
            )
        rows.append([node["split_feature"], node["threshold"], -1, -1, 0.0])
        place = len(rows) - 1
        waiting += [(node["right_child"], place, 3), (node["left_child"], place, 2)]
    feature, threshold, left, right, value = np.array(rows, dtype=np.float64).T
    nodes.add(
        feature.astype(np.int64), threshold, left.astype(np.int64), right.astype(np.int64), value
    )
