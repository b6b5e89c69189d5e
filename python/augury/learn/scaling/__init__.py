"""Training on many traces and shards: the same tasks on this machine or on a Ray cluster."""

from augury.learn.scaling.executing import Executor, here, on_ray
from augury.learn.scaling.training import ManyTraining, train_many

__all__ = ["Executor", "ManyTraining", "here", "on_ray", "train_many"]
