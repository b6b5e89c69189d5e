"""Learning from recorded traffic: data sets, estimators, artifacts, judgement.

>>> from augury.learn import train
>>> result = train("synthetic:loop?n=60000&objects=2000", model="survival", capacity="10%")
>>> result.artifact.card["model"]
'survival'
"""

from augury.learn.adaptation import Adaptation, Event, Stretch
from augury.learn.adapter import Adapter
from augury.learn.adapting import adapt
from augury.learn.artifact import Artifact
from augury.learn.budget import Budget
from augury.learn.dataset import Cleaning, DataSet, build_dataset, dataset_of
from augury.learn.explaining import Importance, importances, plot_dependence
from augury.learn.exporting import describe
from augury.learn.judging import Outcome, Replays, Scores
from augury.learn.kinds import KINDS, Kind
from augury.learn.scaling import Executor, ManyTraining, here, on_ray, train_many
from augury.learn.schema import FEATURES, MEANINGS, SCHEMA_VERSION
from augury.learn.sequences import (
    Foreseen,
    ForeseenBy,
    SequenceArtifact,
    SequenceTraining,
    evaluate_sequence,
    train_sequence,
)
from augury.learn.training import Judgement, Training, evaluate, train

__all__ = [
    "FEATURES",
    "KINDS",
    "MEANINGS",
    "SCHEMA_VERSION",
    "Adaptation",
    "Adapter",
    "Artifact",
    "Budget",
    "Cleaning",
    "DataSet",
    "Event",
    "Executor",
    "Foreseen",
    "ForeseenBy",
    "Importance",
    "Judgement",
    "Kind",
    "ManyTraining",
    "Outcome",
    "Replays",
    "Scores",
    "SequenceArtifact",
    "SequenceTraining",
    "Stretch",
    "Training",
    "adapt",
    "build_dataset",
    "dataset_of",
    "describe",
    "evaluate",
    "evaluate_sequence",
    "here",
    "importances",
    "on_ray",
    "plot_dependence",
    "train",
    "train_many",
    "train_sequence",
]
