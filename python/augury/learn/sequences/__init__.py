"""Sequence models: from the last few keys to the next ones, trained offline, for prefetch."""

from augury.learn.sequences.artifact import SequenceArtifact
from augury.learn.sequences.judging import Foreseen, ForeseenBy
from augury.learn.sequences.training import SequenceTraining, evaluate_sequence, train_sequence

__all__ = [
    "Foreseen",
    "ForeseenBy",
    "SequenceArtifact",
    "SequenceTraining",
    "evaluate_sequence",
    "train_sequence",
]
