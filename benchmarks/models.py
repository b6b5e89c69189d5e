"""Trained models under the guard: are they worth having, and can a bad one do harm?

Worth: in every cell that counts, each kind of model is trained on the first half of the trace and
comes in at the midpoint of a replay of the whole; only the second half is counted, both sides warm.
Harm: a model of random numbers and one whose predictions are inverted are loaded from the first
request on, and claim to be proven so that they are tried at once; the whole trace is counted, on
every open trace.
"""

import sys
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np

from augury import _core
from augury.capacity import Capacity
from augury.errors import ConfigError
from augury.learn import FEATURES, KINDS, Artifact, DataSet
from augury.learn.dataset import sampled
from augury.learn.exporting.parts import Nodes, Parts
from augury.learn.fitting import fit
from augury.learn.training import Model
from benchmarks import results
from benchmarks.inputs import FRACTIONS, Shared, percent
from benchmarks.scores import Cell, counted, read_cells

ROWS = 60_000
#: Share of the first half that a first model is tried on, as in training.
TRIED = 0.25
RANDOM_TREES = 20


def measure(quick: bool) -> None:
    """Train and replay everything, keep the miss ratios."""
    shared = Shared.find()
    cells = counted(read_cells(shared.manifest, shared.peers))
    if quick:
        cells = cells[::9]
    kinds = sorted(KINDS)
    worth: list[dict[str, Any]] = []
    harm: list[dict[str, Any]] = []
    for name in dict.fromkeys(cell.trace for cell in cells):
        trace = _core.Trace(str(shared.path(name)))
        for cell in (cell for cell in cells if cell.trace == name):
            worth.append(worth_of(trace, cell, kinds))
            print(f"models: {cell.key} {gains(worth[-1])}", flush=True)
        for fraction in FRACTIONS[-1:] if quick else FRACTIONS:
            harm.append(harm_of(trace, name, fraction))
            print(f"models: {name} {fraction} {harm[-1]['excess']}", flush=True)
    means = {kind: fmean(row["auto"] - row["models"][kind] for row in worth) for kind in kinds}
    results.write("models", quick, {"rows": ROWS, "worth": worth, "harm": harm, "means": means})
    best = max(means, key=lambda kind: means[kind])
    print(f"models: the best kind, {best}, lowers auto by {means[best]:.4f} on average")


def gains(row: dict[str, Any]) -> str:
    """What each kind gained, for the log."""
    return " ".join(f"{kind} {row['auto'] - ratio:+.4f}" for kind, ratio in row["models"].items())


def ratio(
    trace: _core.Trace,
    capacity: Capacity,
    model: _core.Artifact | None = None,
    warmup: int = 0,
    until: int | None = None,
) -> float:
    """The object miss ratio of ``auto`` with this model."""
    found = trace.replay("auto", capacity.asked, 1, _core.Ticker(), model, warmup, until)
    return found["misses"] / max(found["requests"], 1)


def worth_of(trace: _core.Trace, cell: Cell, kinds: Sequence[str]) -> dict[str, Any]:
    """The second half, without a model and with each kind."""
    capacity = Capacity.parse(percent(cell.fraction))
    half = trace.requests // 2
    data = sampled(trace, cell.trace, capacity, ROWS, 0.5, 1)
    split = int(data.requests * (1 - TRIED))
    plain = ratio(trace, capacity, None, half)
    tried = ratio(trace, capacity, None, split, data.requests)
    models: dict[str, float] = {}
    claims: dict[str, float] = {}
    for kind in kinds:
        try:
            first = model_of(kind, data.before(split), data.horizon(), 1.0)
            claims[kind] = tried - ratio(trace, capacity, first, split, data.requests)
            final = model_of(kind, data, data.horizon(), claims[kind])
            models[kind] = ratio(trace, capacity, final, half)
        except ConfigError as error:
            print(f"models: {cell.key} {kind}: {error}", flush=True)
            models[kind] = plain
    return {
        "trace": cell.trace,
        "fraction": cell.fraction,
        "auto": plain,
        "models": models,
        "claims": claims,
    }


def model_of(kind: str, data: DataSet, horizon: int, gain: float) -> _core.Artifact:
    """A model as training would save it, of this gain."""
    fitted = fit(KINDS[kind], data, horizon, parameters={}, seed=1, jobs=1)
    return Model.of(fitted, data).artifact(horizon, gain=gain).native


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
