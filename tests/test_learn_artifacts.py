"""Artifacts: the engine answers as the library that trained, and refuses what is not sound."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import augury
from augury.learn import FEATURES, Artifact, describe
from augury.learn.artifact import written
from augury.learn.distilling import distil
from augury.learn.estimators import FrequencyWindow, SurvivalTable
from augury.learn.exporting.describe import FAMILIES

Make = Callable[[Any, int], Any]
#: A random model of each family: given a generator of random numbers and a seed.
MODELS: dict[str, Make] = {
    "DecisionTreeClassifier": lambda r, s: DecisionTreeClassifier(
        max_depth=int(r.integers(1, 20)), random_state=s
    ),
    "DecisionTreeRegressor": lambda r, s: DecisionTreeRegressor(
        max_leaf_nodes=int(r.integers(2, 200)), random_state=s
    ),
    "RandomForestClassifier": lambda r, s: RandomForestClassifier(
        int(r.integers(1, 30)), max_depth=int(r.integers(1, 12)), random_state=s
    ),
    "RandomForestRegressor": lambda r, s: RandomForestRegressor(int(r.integers(1, 9))),
    "ExtraTreesClassifier": lambda r, s: ExtraTreesClassifier(
        int(r.integers(1, 30)), max_depth=int(r.integers(1, 12)), random_state=s
    ),
    "ExtraTreesRegressor": lambda r, s: ExtraTreesRegressor(int(r.integers(1, 9))),
    "HistGradientBoostingClassifier": lambda r, s: HistGradientBoostingClassifier(
        max_iter=int(r.integers(1, 40)), max_leaf_nodes=int(r.integers(2, 40))
    ),
    "HistGradientBoostingRegressor": lambda r, s: HistGradientBoostingRegressor(
        max_iter=int(r.integers(1, 40))
    ),
    "LGBMClassifier": lambda r, s: LGBMClassifier(
        n_estimators=int(r.integers(1, 60)), num_leaves=int(r.integers(2, 40)),
        n_jobs=1, verbose=-1,
    ),
    "LGBMRegressor": lambda r, s: LGBMRegressor(
        n_estimators=int(r.integers(1, 60)), n_jobs=1, verbose=-1
    ),
    "LogisticRegression": lambda r, s: LogisticRegression(C=float(r.uniform(0.01, 10))),
    "LinearRegression": lambda r, s: LinearRegression(),
    "Ridge": lambda r, s: Ridge(float(r.uniform(0.01, 10))),
    "MLPClassifier": lambda r, s: MLPClassifier(
        tuple(int(width) for width in r.integers(1, 40, int(r.integers(1, 4)))),
        activation=str(r.choice(["relu", "tanh", "logistic", "identity"])), max_iter=3,
    ),
    "MLPRegressor": lambda r, s: MLPRegressor(
        hidden_layer_sizes=(int(r.integers(1, 40)),), max_iter=3
    ),
}  # fmt: skip


def rows_of(random: np.random.Generator, count: int) -> Any:
    """Random feature rows, on a grid so that features meet thresholds."""
    return (random.integers(-40, 40, (count, len(FEATURES))) / 4).astype(np.float32)


def labels_of(X: Any, random: np.random.Generator) -> Any:
    """Labels of both kinds that depend on the rows."""
    labels = (X[:, 0] + X[:, 3] * random.normal() + random.normal(0, 4, len(X)) > 0).astype(int)
    labels[:2] = 0, 1
    return labels


def expected(estimator: Any, X: Any) -> Any:
    """What the training library says."""
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(X)[:, 1]
    return estimator.predict(X)


def test_every_family_has_a_random_model() -> None:
    """What can be exported is what is tested."""
    assert set(FAMILIES) == set(MODELS)


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.filterwarnings("ignore")
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**31))
def test_native_answers_equal_those_of_the_library(name: str, seed: int) -> None:
    """To 1e-6, over random models and rows; networks are asked in double precision."""
    random = np.random.default_rng(seed)
    X, others = rows_of(random, 300), rows_of(random, 200)
    estimator = MODELS[name](random, seed).fit(X, labels_of(X, random))
    parts = describe(estimator)
    table = distil(X, np.zeros(len(X)))
    artifact = Artifact.of(parts, meaning="log_wait", distilled=table.parts)
    assert np.abs(artifact.predict(others) - expected(estimator, others.astype(float))).max() < 1e-6


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", [LogisticRegression(), MLPClassifier((5,), max_iter=5)])
def test_a_scaler_before_a_network_is_kept(model: Any) -> None:
    """The features of a pipeline are standardised by the engine too."""
    random = np.random.default_rng(3)
    X = rows_of(random, 300)
    estimator = make_pipeline(StandardScaler(), model).fit(X, labels_of(X, random))
    artifact = Artifact.of(describe(estimator), meaning="probability", horizon=10)
    assert np.abs(artifact.predict(X) - expected(estimator, X)).max() < 1e-6


@pytest.mark.parametrize("estimator", [FrequencyWindow(), SurvivalTable()])
def test_tables_are_served_as_they_are(estimator: Any) -> None:
    """To the precision of singles."""
    random = np.random.default_rng(4)
    X = rows_of(random, 2_000)
    estimator.fit(X, labels_of(X, random))
    artifact = Artifact.of(describe(estimator), meaning="probability", horizon=10)
    assert np.abs(artifact.predict(X) - expected(estimator, X)).max() < 1e-6


def test_a_table_distilled_from_a_smooth_model_keeps_most_of_it() -> None:
    """The loss is measured, and small where two features decide."""
    random = np.random.default_rng(5)
    X = random.normal(0, 4, (20_000, len(FEATURES))).astype(np.float32)
    answers = 1 / (1 + np.exp(-X[:, 2] - X[:, 6] / 2))
    found = distil(X, answers)
    assert set(found.parts.model["axes"][:2]) == {2, 6}
    assert found.explained > 0.95
    assert found.loss < 0.05


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sound artifact."""
    random = np.random.default_rng(6)
    X = rows_of(random, 300)
    tree = DecisionTreeClassifier(max_depth=3).fit(X, labels_of(X, random))
    path = tmp_path_factory.mktemp("artifacts") / "tree.augury"
    Artifact.of(describe(tree), meaning="probability", horizon=7, card={"by": "test"}).save(path)
    return path


def test_a_file_reads_back(saved: Path) -> None:
    """Card, meaning, horizon and hash are those that were saved."""
    artifact = Artifact.load(saved)
    assert ("probability", 7, {"by": "test"}) == (artifact.meaning, artifact.horizon, artifact.card)
    assert 64 == len(artifact.hash)
    assert not list(saved.parent.glob("*.part"))


def test_no_damage_is_taken_for_a_model(saved: Path, tmp_path: Path) -> None:
    """Truncated anywhere or with any byte changed, a file is refused or means the same."""
    good = saved.read_bytes()
    whole = Artifact(good)
    bad = tmp_path / "bad.augury"
    random = np.random.default_rng(7)
    for _ in range(300):
        data = bytearray(good)
        at = int(random.integers(len(data)))
        if random.random() < 0.3:
            del data[at:]
        else:
            data[at] ^= int(random.integers(1, 256))
        bad.write_bytes(data)
        try:
            found = Artifact.load(bad)
        except augury.ArtifactError:
            continue
        assert whole.hash == found.hash


def tampered(saved: Path, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The file with a changed manifest, and a hash that fits it."""
    from safetensors.numpy import load

    data = saved.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    manifest = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["augury"])
    change(manifest)
    return written(manifest, load(data))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda m: m.update(schema=99), augury.SchemaMismatchError),
        (lambda m: m["features"].pop(), augury.SchemaMismatchError),
        (lambda m: m.update(format=2), augury.ArtifactError),
        (lambda m: m["model"].update(kind="pickle"), augury.ArtifactError),
        (lambda m: m["model"].update(scale="1"), augury.ArtifactError),
        (lambda m: m.update(meaning="soon"), augury.ArtifactError),
        (lambda m: m.pop("model"), augury.ArtifactError),
        (lambda m: m.update(distilled=m["model"]), augury.ArtifactError),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    saved: Path, change: Callable[[dict[str, Any]], None], error: type[Exception]
) -> None:
    """Even where hash and tensors are in order."""
    with pytest.raises(error):
        Artifact(tampered(saved, change))


def test_what_cannot_be_served_is_refused() -> None:
    """Other widths, classes, families; unfitted; and pipelines of trees."""
    random = np.random.default_rng(8)
    X = rows_of(random, 300)
    y = labels_of(X, random)
    trees = DecisionTreeClassifier()
    for estimator in (
        trees,
        DecisionTreeClassifier().fit(X[:, :3], y),
        DecisionTreeClassifier().fit(X, y + 5),
        HistGradientBoostingRegressor(loss="poisson", max_iter=2).fit(X, y),
        make_pipeline(StandardScaler(), DecisionTreeClassifier()).fit(X, y),
        object(),
    ):
        with pytest.raises(augury.ArtifactError):
            describe(estimator)


def test_a_model_too_slow_for_its_budget_needs_a_table() -> None:
    """The word says by how much, and what to do."""
    random = np.random.default_rng(9)
    X = rows_of(random, 2_000)
    slow = LGBMClassifier(n_estimators=400, n_jobs=1, verbose=-1).fit(X, labels_of(X, random))
    parts = describe(slow)
    with pytest.raises(augury.ArtifactError, match="steps of a budget"):
        Artifact.of(parts, meaning="probability", horizon=5)
    table = distil(X, slow.predict_proba(X)[:, 1]).parts
    artifact = Artifact.of(parts, meaning="probability", horizon=5, distilled=table)
    assert artifact.is_distilled
    assert artifact.predict(X).shape == artifact.predict(X, serving=True).shape
