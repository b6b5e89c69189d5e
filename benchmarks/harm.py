"""Can a bad model do harm?

A model of random numbers and one whose predictions are inverted are loaded from the first request
on, and claim to be proven so that they are tried at once; the whole trace is counted, at every
capacity of every open trace.
"""

import sys
from typing import Any

import numpy as np

from augury import _core
from augury.capacity import Capacity
from augury.learn import FEATURES, Artifact
from augury.learn.exporting.parts import Nodes, Parts
from benchmarks import results
from benchmarks.inputs import FRACTIONS, Shared, percent
from benchmarks.models import ratio

RANDOM_TREES = 20


def measure(quick: bool) -> None:
    """Replay everything and keep the excess."""
    shared = Shared.find()
    cells: list[dict[str, Any]] = []
    for name in shared.names(quick=quick):
        if shared.manifest[name]["role"] == "benchmark":
            trace = _core.Trace(str(shared.path(name)))
            cells += [harm_of(trace, name, fraction) for fraction in FRACTIONS]
    results.write("harm", quick, {"cells": cells})
    worst = max(max(cell["excess"].values()) for cell in cells)
    print(f"harm: at most {worst:.4f} in {len(cells)} cells")


def harm_of(trace: _core.Trace, name: str, fraction: str) -> dict[str, Any]:
    """The whole trace, without a model and with bad ones."""
    capacity = Capacity.parse(percent(fraction))
    plain = ratio(trace, capacity)
    bad = {"random": random_model().native, "inverted": inverted_model().native}
    excess = {word: ratio(trace, capacity, model) - plain for word, model in bad.items()}
    return {"trace": name, "fraction": fraction, "auto": plain, "excess": excess}


def random_model() -> Artifact:
    """Trees that split at random and answer at random."""
    random = np.random.default_rng(1)
    nodes = Nodes()
    for _ in range(RANDOM_TREES):
        inner = np.arange(31)
        feature = np.concatenate([random.integers(0, len(FEATURES), 31), np.full(32, -1)])
        threshold = np.concatenate([random.uniform(-16, 32, 31), np.zeros(32)])
        left = np.concatenate([2 * inner + 1, np.full(32, -1)])
        nodes.add(feature, threshold, left, np.where(left < 0, -1, left + 1), random.random(63))
    return Artifact.of(nodes.parts("identity", scale=1 / RANDOM_TREES), meaning="probability",
                       horizon=1, gain=1.0)  # fmt: skip


def inverted_model() -> Artifact:
    """The survival table's own density, turned round: what it would keep leaves first."""
    weights = np.zeros((len(FEATURES), 1))
    weights[FEATURES.index("log_density")] = -0.5
    model = {"kind": "network", "link": "logistic", "hidden": "identity", "layers": 1}
    tensors: dict[str, Any] = {
        "mean": np.zeros(len(FEATURES)),
        "scale": np.ones(len(FEATURES)),
        "weights.0": weights,
        "biases.0": np.zeros(1),
    }
    return Artifact.of(Parts(model, tensors), meaning="probability", horizon=1, gain=1.0)


if __name__ == "__main__":
    measure(quick="--quick" in sys.argv[1:])
