"""Learning from recorded traffic: data sets, estimators, artifacts, judgement.

>>> from augury.learn import train
>>> result = train("synthetic:loop?n=60000&objects=2000", model="survival", capacity="10%")
>>> result.artifact.card["model"]
'survival'
"""

from augury.learn.artifact import Artifact
from augury.learn.dataset import Cleaning, DataSet, build_dataset
from augury.learn.explaining import Importance, importances, plot_dependence
from augury.learn.exporting import describe
from augury.learn.judging import Outcome, Replays, Scores
from augury.learn.kinds import KINDS, Kind
from augury.learn.schema import FEATURES, MEANINGS, SCHEMA_VERSION
from augury.learn.training import Judgement, Training, evaluate, train

__all__ = [
    "FEATURES",
    "KINDS",
    "MEANINGS",
    "SCHEMA_VERSION",
    "Artifact",
    "Cleaning",
    "DataSet",
    "Importance",
    "Judgement",
    "Kind",
    "Outcome",
    "Replays",
    "Scores",
    "Training",
    "build_dataset",
    "describe",
    "evaluate",
    "importances",
    "plot_dependence",
    "train",
]
