"""Training of sequence models: from the beginning of a trace to a judged artifact.

The trace is cut in time. What `auto` misses in the first part at the capacity that is to use the
model is what the model is trained on; the rest is never seen in training and judges it.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from augury import _core
from augury.capacity import Capacity
from augury.errors import ConfigError
from augury.learn.dataset import DEFAULT_CAPACITY
from augury.learn.sequences.artifact import SequenceArtifact
from augury.learn.sequences.counting import AHEAD, ORDER
from augury.learn.sequences.judging import DEFAULT_BUDGET, Foreseen, foreseen_by
from augury.learn.sequences.tables import Demands, tensors_of
from augury.reading import Reading

__all__ = ["SequenceTraining", "evaluate_sequence", "model_of", "train_sequence"]

#: Misses that are trained on, the latest; and the fewest that anything can be told from.
LATEST = 1_000_000
FEWEST = 1_000
LIMITS = (
    "Trained on one trace at one capacity. It knows the keys of that time and the distances "
    "between them and learns nothing more; on other traffic its predictions do not come true, and "
    "prefetch falls silent."
)


@dataclass(frozen=True, slots=True)
class SequenceTraining:
    """What training came to."""

    artifact: SequenceArtifact
    #: None where the whole trace was trained on.
    judgement: Foreseen | None


def train_sequence(
    trace: str | os.PathLike[str],
    *,
    capacity: str | float | Capacity = DEFAULT_CAPACITY,
    until: float = 0.5,
    seed: int = 1,
    trace_format: str | None = None,
    columns: str | Mapping[str, str] | None = None,
    skip_bad: bool = False,
    progress: Callable[[float, str], None] | None = None,
) -> SequenceTraining:
    """Train a model of what follows the last few keys on the beginning of a trace.

    Args:
        trace: A file, or ``synthetic:NAME``.
        capacity: Of the cache that is to use the model.
        until: Share of the trace to train on, above 0 and at most 1. With 1 nothing is left to
            judge by.
        seed: Of the cache.
        trace_format: As in :func:`augury.replay`.
        columns: As in :func:`augury.replay`.
        skip_bad: As in :func:`augury.replay`.
        progress: Told the share done and what is being done, from the calling thread.

    Raises:
        ConfigError: an option cannot be, or there is not enough to learn from.
        TraceError: the trace cannot be read.

    >>> from augury.learn import train_sequence
    >>> result = train_sequence("synthetic:loop?n=60000&objects=2000", capacity="10%")
    >>> result.judgement.gain > 0.5
    True
    """
    tell = progress or (lambda share, what: None)
    asked = Capacity.parse(capacity)
    if not 0 < until <= 1:
        raise ConfigError(f"until {until} is not a share of the trace above 0 and at most 1")
    if seed not in range(2**32):
        raise ConfigError(f"seed {seed} cannot be: a whole number from 0 to {2**32 - 1}")
    tell(0.0, "reading the trace")
    source = os.fspath(trace)
    requests = Reading.of(trace_format, columns, skip_bad).measured(source, in_memory=True)
    tell(0.2, "replaying what to train on")
    split = int(requests.requests * until)
    demands = demands_of(requests, asked, split, seed)
    tell(0.4, "counting what follows what")
    tensors = tensors_of(demands)
    judgement = None
    if until < 1:
        tell(0.6, "judging on later data")
        native = SequenceArtifact.of(tensors).native
        judgement = foreseen_by(requests, asked, native, split, DEFAULT_BUDGET, seed)
    card = {
        "model": "sequence",
        "description": f"what follows the last {ORDER} keys, by counts",
        "trained": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": _core.__version__,
        "trace": _core.trace_name(source),
        "trained_on": {
            "requests": split,
            "share": until,
            "misses": len(demands),
            "malformed_records": sum(requests.skipped.values()),
        },
        "capacity": asked.label,
        "capacity_bytes": requests.resolve(asked.asked),
        "order": ORDER,
        "ahead": AHEAD,
        "objects": len(tensors["keys"]),
        "continuations": {name: len(tensors[f"{name}.next"]) for name in ("objects", "steps")},
        "judgement": judgement.to_dict() if judgement else None,
        "limits": LIMITS,
    }
    tell(1.0, "done")
    return SequenceTraining(SequenceArtifact.of(tensors, card), judgement)


def model_of(
    requests: "_core.Trace", capacity: Capacity, until: int, seed: int = 1
) -> SequenceArtifact:
    """A model of what `auto` misses in the first ``until`` requests, without a card.

    Raises:
        ConfigError: there is not enough to learn from.
    """
    return SequenceArtifact.of(tensors_of(demands_of(requests, capacity, until, seed)))


def demands_of(requests: "_core.Trace", capacity: Capacity, until: int, seed: int) -> Demands:
    """What `auto` misses in the first ``until`` requests, the latest of it."""
    found = requests.demands(capacity.asked, until, LATEST, seed, _core.Ticker())
    demands = Demands(
        np.frombuffer(found["keys"], "<u8"),
        np.frombuffer(found["sizes"], "<u4"),
        np.frombuffer(found["namespaces"], "<u2"),
        np.frombuffer(found["sessions"], "<u4"),
    )
    if len(demands) < FEWEST:
        raise ConfigError(
            f"{len(demands):,} misses in the first {until:,} requests are not enough to learn "
            f"from: at least {FEWEST:,} are, from a smaller capacity or more of the trace"
        )
    return demands


def evaluate_sequence(
    artifact: SequenceArtifact | str | os.PathLike[str],
    trace: str | os.PathLike[str],
    *,
    capacity: str | float | Capacity | None = None,
    since: float = 0.5,
    budget: float = DEFAULT_BUDGET,
    seed: int = 1,
    trace_format: str | None = None,
    columns: str | Mapping[str, str] | None = None,
    skip_bad: bool = False,
) -> Foreseen:
    """Judge a saved sequence model on a trace, from the share ``since`` of it on.

    Args:
        artifact: The model, or its file.
        trace: A file, or ``synthetic:NAME``.
        capacity: That of its training if None.
        since: Share of the trace, from 0 up to below 1, after which requests count.
        budget: Requests to the origin that prefetch may add, as a share of those without.
        seed: Of the cache.
        trace_format: As in :func:`augury.replay`.
        columns: As in :func:`augury.replay`.
        skip_bad: As in :func:`augury.replay`.

    Raises:
        ArtifactError: the model cannot be used.
        ConfigError: an option cannot be.
        TraceError: the trace cannot be read.
    """
    saved = artifact
    if not isinstance(saved, SequenceArtifact):
        saved = SequenceArtifact.load(saved)
    if not 0 <= since < 1:
        raise ConfigError(f"since {since} is not a share of the trace from 0 up to below 1")
    if capacity is None:
        capacity = saved.card.get("capacity")
    if capacity is None:
        raise ConfigError("the model does not say which capacity it is for: give one, such as 1%")
    reading = Reading.of(trace_format, columns, skip_bad)
    requests = reading.measured(os.fspath(trace), in_memory=True)
    start = int(requests.requests * since)
    return foreseen_by(requests, Capacity.parse(capacity), saved.native, start, budget, seed)
