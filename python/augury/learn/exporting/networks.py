"""Logistic and linear regression, and multi-layer perceptrons of scikit-learn."""

from typing import Any

import numpy as np

from augury.errors import ArtifactError
from augury.learn.exporting.parts import Parts
from augury.learn.schema import FEATURES

__all__ = ["of_linear", "of_perceptron", "scaled"]

ACTIVATIONS = ("identity", "relu", "tanh", "logistic")


def of_linear(estimator: Any) -> Parts:
    """One layer, straight to the answer."""
    weights = np.ravel(estimator.coef_).reshape(-1, 1)
    biases = np.ravel(estimator.intercept_)
    return network([weights], [biases], "identity", is_classifier=hasattr(estimator, "classes_"))


def of_perceptron(estimator: Any) -> Parts:
    """All layers of a perceptron with one output."""
    if estimator.activation not in ACTIVATIONS:
        raise ArtifactError(
            f"the activation {estimator.activation!r} cannot be served; use one of "
            f"{', '.join(ACTIVATIONS)}"
        )
    if estimator.out_activation_ not in ("identity", "logistic"):
        raise ArtifactError(
            f"answers by {estimator.out_activation_!r} cannot be served; train with a loss whose "
            "answer is the last layer's sum, or a classifier of two classes"
        )
    return network(
        estimator.coefs_,
        estimator.intercepts_,
        estimator.activation,
        is_classifier=hasattr(estimator, "classes_"),
    )


def network(weights: Any, biases: Any, hidden: str, *, is_classifier: bool) -> Parts:
    """The parts of a network on features as they are."""
    tensors = {"mean": np.zeros(len(FEATURES), "<f8"), "scale": np.ones(len(FEATURES), "<f8")}
    for at, (layer, bias) in enumerate(zip(weights, biases, strict=True)):
        tensors[f"weights.{at}"] = np.ascontiguousarray(layer, "<f8")
        tensors[f"biases.{at}"] = np.ascontiguousarray(bias, "<f8")
    link = "logistic" if is_classifier else "identity"
    model = {"kind": "network", "link": link, "hidden": hidden, "layers": len(weights)}
    return Parts(model, tensors)


def scaled(parts: Parts, scaler: Any) -> Parts:
    """A network behind a ``StandardScaler``."""
    tensors = dict(parts.tensors)
    if scaler.mean_ is not None:
        tensors["mean"] = np.asarray(scaler.mean_, "<f8")
    if scaler.scale_ is not None:
        tensors["scale"] = np.asarray(scaler.scale_, "<f8")
    return Parts(parts.model, tensors)
