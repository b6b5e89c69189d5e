"""Training from a trace to a judged artifact, for every kind of model."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import augury
from augury.cli.app import app
from augury.cli.train import Model
from augury.learn import (
    KINDS,
    Artifact,
    describe,
    evaluate,
    importances,
    plot_dependence,
    train,
)
from augury.learn.judging import scores_of

WEB = "synthetic:web?n=60000&objects=8000"
SMALL = ["--rows", "6000", "--capacity", "2%", "--jobs", "1"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_trains_is_judged_and_replays(kind: str, tmp_path: Path) -> None:
    """The command writes an artifact that evaluate and replay take."""
    path = tmp_path / "model.augury"
    runner = CliRunner()
    done = runner.invoke(app, ["train", WEB, "--model", kind, "-o", str(path), *SMALL])
    assert 0 == done.exit_code, done.output
    assert "ROC AUC" in done.stdout
    assert "model-alone" in done.stdout
    card = Artifact.load(path).card
    assert card["judgement"]["probabilities"]["roc_auc"] > 0.6
    assert card["model"] == kind
    ratios = card["judgement"]["replays"]["object_miss_ratios"]
    assert ratios["learned"] <= ratios["auto"] + 0.01
    result = augury.replay(WEB, policies=["auto", f"learned:{path}"], capacity="2%")
    auto, learned = (cell.object_miss_ratio for cell in result)
    assert learned <= auto + 0.01
    again = runner.invoke(app, ["evaluate", str(path), WEB, "--rows", "6000", "--json"])
    assert 0 == again.exit_code, again.output
    judged = json.loads(again.stdout)
    assert ratios == judged["replays"]["object_miss_ratios"]


@pytest.mark.filterwarnings("ignore")
def test_tuning_and_cross_validation_are_in_the_card() -> None:
    """The parameters found and a score per fold."""
    found = train(WEB, model="tree", capacity="2%", rows=6_000, tuning=True, cv=3, jobs=1)
    assert set(found.artifact.card["parameters"]) == set(KINDS["tree"].space)
    assert 1 <= len(found.folds) <= 3
    assert all(fold.roc_auc is not None and fold.roc_auc > 0.5 for fold in found.folds)


def test_the_command_offers_every_kind() -> None:
    """And no other."""
    assert {*KINDS, "sequence"} == {str(model) for model in Model}


def test_the_same_seed_gives_the_same_model() -> None:
    """But for the date on the card."""
    one, other = (train(WEB, model="gbm", capacity="2%", rows=4_000, seed=3) for _ in range(2))
    X = one.data.X
    assert (one.artifact.predict(X) == other.artifact.predict(X)).all()


def test_importance_finds_what_a_model_goes_by(tmp_path: Path) -> None:
    """Only the feature that a model looks at matters, and the plot is a picture."""
    found = train(WEB, model="frequency", capacity="2%", rows=6_000)
    listed = importances(found.artifact, found.data)
    assert "log_heat" == listed[0].feature
    assert listed[0].log_loss > 0.01
    assert all(0 == one.log_loss for one in listed[1:])
    for name in ("dependence.png", "dependence.svg"):
        plot_dependence(found.artifact, found.data, tmp_path / name)
        assert (tmp_path / name).stat().st_size > 5_000
    with pytest.raises(augury.ConfigError, match="svg"):
        plot_dependence(found.artifact, found.data, tmp_path / "dependence.txt")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["-o", "{trace}"], "is the trace"),
        (["-o", "{folder}"], "is a folder"),
        (["-o", "{folder}/m.svg", "--plots", "{folder}/m.svg"], "named twice"),
        (["-o", "{folder}/m", "--plots", "{folder}/m.exe"], "write plots to"),
        (["-o", "{folder}/none/m"], "no folder"),
        (["-o", "{folder}/m", "--cv", "1"], "cv 1"),
        (["-o", "{folder}/m", "--seed", "-1"], "seed -1"),
        (["-o", "{folder}/m", "--horizon", "0"], "horizon 0"),
        (["-o", "{folder}/m", "--jobs", "0"], "jobs 0"),
        (["-o", "{folder}/m", "--until", "200%"], "until 2"),
    ],
)
def test_what_cannot_be_is_refused_before_the_work(
    options: list[str], complaint: str, tmp_path: Path
) -> None:
    """With code 2, and the trace is left as it was."""
    trace = tmp_path / "trace.csv"
    augury.traces.convert("synthetic:zipf?n=500", trace)
    before = trace.read_bytes()
    given = [option.format(trace=trace, folder=tmp_path) for option in options]
    done = CliRunner().invoke(app, ["train", str(trace), *given])
    assert 2 == done.exit_code, done.output
    assert complaint in done.output
    assert before == trace.read_bytes()
    assert [trace] == list(tmp_path.iterdir())


def test_nothing_to_learn_from_is_said() -> None:
    """Too few rows, or a cache that never evicts."""
    with pytest.raises(augury.ConfigError, match="not enough to learn from"):
        train("synthetic:zipf?n=2000", model="gbm", capacity="100%")


def test_scores_of_a_perfect_and_of_an_ignorant_model() -> None:
    """The ends of the scale."""
    labels = np.arange(1_000) % 2 == 1
    perfect = scores_of(labels, labels.astype(float))
    assert 1.0 == perfect.roc_auc
    assert perfect.log_loss < 1e-6
    ignorant = scores_of(labels, np.full(1_000, 0.5))
    assert 0.5 == ignorant.roc_auc
    assert abs(ignorant.log_loss - ignorant.base_log_loss) < 1e-9
    assert scores_of(np.zeros(10, bool), np.zeros(10)).roc_auc is None


def test_a_judgement_needs_later_data() -> None:
    """And a capacity: where the card has none it must be given."""
    found = train(WEB, model="frequency", capacity="2%", rows=4_000, until=1.0)
    assert found.judgement is None
    with pytest.raises(augury.ConfigError, match="since"):
        evaluate(found.artifact, WEB, since=1.0)
    bare = Artifact.of(describe(found.estimator), meaning="probability", horizon=10)
    with pytest.raises(augury.ConfigError, match="capacity"):
        evaluate(bare, WEB)


def test_a_file_that_is_no_model_stops_the_replay(tmp_path: Path) -> None:
    """With a word that names it."""
    path = tmp_path / "no.augury"
    path.write_bytes(b"{}")
    done = CliRunner().invoke(app, ["replay", WEB, "-p", f"learned:{path}"])
    assert 1 == done.exit_code
    assert str(path) in done.output
