"""Learning from recorded traffic: data sets, estimators, artifacts, judgement."""

from augury.learn.artifact import Artifact
from augury.learn.dataset import Cleaning, DataSet, build_dataset
from augury.learn.exporting import describe
from augury.learn.schema import FEATURES, MEANINGS, SCHEMA_VERSION

__all__ = [
    "FEATURES",
    "MEANINGS",
    "SCHEMA_VERSION",
    "Artifact",
    "Cleaning",
    "DataSet",
    "build_dataset",
    "describe",
]
