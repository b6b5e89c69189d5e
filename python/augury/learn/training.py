"""Training: from a trace to a judged artifact.

The trace is cut in time. What comes before ``until`` is trained on: first without its last quarter,
on which a replay shows whether the model lowers the miss ratio, then with it. What comes after is
never seen in training and judges the result, by probabilities and by the misses of a replay.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from augury import _core
from augury.capacity import Capacity
from augury.errors import ArtifactError, ConfigError
from augury.extras import require
from augury.learn.artifact import Artifact
from augury.learn.dataset import DEFAULT_CAPACITY, DEFAULT_ROWS, DataSet, sampled
from augury.learn.distilling import Distillation, distil
from augury.learn.exporting import Parts, describe
from augury.learn.fitting import Fit, cross_validate, fit, positive, tune
from augury.learn.judging import Replays, Scores, replays_of, scores_of
from augury.learn.kinds import kind_of
from augury.learn.schema import FEATURES, SCHEMA_VERSION
from augury.reading import Reading

__all__ = ["Judgement", "Training", "evaluate", "train"]

#: Share of what is trained on that a first model is tried on.
TRIED = 0.25
LIMITS = (
    "Trained on one trace at one capacity; on other traffic the guard decides whether it rules. "
    "Times of day, key names and values are not among its features."
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Both kinds of judgement, on requests that were not trained on."""

    scores: Scores
    replays: Replays

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"probabilities": self.scores.to_dict(), "replays": self.replays.to_dict()}


@dataclass(frozen=True, slots=True)
class Training:
    """What training came to."""

    artifact: Artifact
    #: The fitted estimator, for explanations; it is not part of the artifact.
    estimator: Any
    data: DataSet
    #: One per fold, earliest first.
    folds: tuple[Scores, ...]
    #: None where the whole trace was trained on.
    judgement: Judgement | None


def train(
    trace: str | os.PathLike[str],
    *,
    model: str = "gbm",
    capacity: str | float | Capacity = DEFAULT_CAPACITY,
    rows: int = DEFAULT_ROWS,
    until: float = 0.5,
    horizon: int | None = None,
    tuning: bool = False,
    cv: int = 0,
    seed: int = 1,
    jobs: int | None = None,
    trace_format: str | None = None,
    columns: str | Mapping[str, str] | None = None,
    skip_bad: bool = False,
    progress: Callable[[float, str], None] | None = None,
) -> Training:
    """Train a model on the beginning of a trace and judge it on the rest.

    Args:
        trace: A file, or ``synthetic:NAME``.
        model: One of :data:`~augury.learn.KINDS`.
        capacity: Of the cache that is to use the model.
        rows: Feature rows to take.
        until: Share of the trace to train on, above 0 and at most 1. With 1 nothing is left to
            judge by.
        horizon: Requests within which an access is reuse; a fifth of the mean residence if None.
        tuning: Search for better hyper-parameters first.
        cv: Folds of time-series cross-validation; none if 0, but tuning takes at least 3.
        seed: Of everything random.
        jobs: Threads; the number of processors if None.
        trace_format: As in :func:`augury.replay`.
        columns: As in :func:`augury.replay`.
        skip_bad: As in :func:`augury.replay`.
        progress: Told the share done and what is being done, from the calling thread.

    Raises:
        ConfigError: an option cannot be, or there is not enough to learn from.
        TraceError: the trace cannot be read.

    >>> from augury.learn import train
    >>> result = train("synthetic:loop?n=60000&objects=2000", model="survival", capacity="10%")
    >>> 0 <= result.judgement.scores.roc_auc <= 1
    True
    """
    tell = progress or (lambda share, what: None)
    kind, asked = kind_of(model), Capacity.parse(capacity)
    if cv not in range(51) or cv == 1:
        raise ConfigError(f"cv {cv} cannot be: 0 for none, or from 2 to 50 folds")
    if seed not in range(2**32):
        raise ConfigError(f"seed {seed} cannot be: a whole number from 0 to {2**32 - 1}")
    if horizon is not None and not 1 <= horizon <= 2**40:
        raise ConfigError(f"horizon {horizon} cannot be: from 1 to {2**40} requests")
    if jobs is not None and not 1 <= jobs <= 1024:
        raise ConfigError(f"jobs {jobs} cannot be: from 1 to 1024 threads")
    threads = jobs or len(os.sched_getaffinity(0))
    tell(0.0, "reading the trace")
    source = os.fspath(trace)
    requests = Reading.of(trace_format, columns, skip_bad).measured(source, in_memory=True)
    tell(0.1, "sampling feature rows")
    data = sampled(requests, _core.trace_name(source), asked, rows, until, seed)
    given = {"seed": seed, "jobs": threads}
    span = data.horizon() if horizon is None else horizon
    parameters: dict[str, Any] = {}
    if tuning:
        tell(0.2, "tuning")
        parameters = tune(kind, data, span, cv or 3, **given)
    folds: list[Scores] = []
    if cv:
        tell(0.4, f"cross-validating, {cv} folds")
        folds = cross_validate(kind, data, span, cv, parameters=parameters, **given)
    tell(0.55, "fitting without the last quarter")
    split = int(data.requests * (1 - TRIED))
    first = Model.of(fit(kind, data.before(split), span, parameters=parameters, **given), data)
    tell(0.65, "replaying the last quarter")
    # It is on trial from the start here: what is asked is whether it deserves to.
    ruler = first.artifact(span, gain=1.0).native
    tried = replays_of(requests, asked, ruler, split, until=data.requests, seed=seed)
    tell(0.75, "fitting")
    final = fit(kind, data, span, parameters=parameters, **given)
    model_of = Model.of(final, data)
    judgement = None
    if until < 1:
        tell(0.8, "judging on later data")
        unjudged = model_of.artifact(span, gain=tried.gain)
        judgement = judged(requests, asked, unjudged, data.requests, rows, seed)
    card = {
        "model": kind.name,
        "description": kind.description,
        "parameters": parameters,
        "trained": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": _core.__version__,
        "trace": data.trace,
        "trained_on": {
            "requests": data.requests,
            "share": until,
            "rows": final.rows,
            "malformed_records": final.cleaning.malformed,
            "unresolved_rows": final.cleaning.unresolved,
        },
        "capacity": asked.label,
        "capacity_bytes": data.capacity_bytes,
        "residence": data.residence,
        "horizon": span,
        "schema": SCHEMA_VERSION,
        "features": list(FEATURES),
        "distillation": model_of.distillation_card(),
        "cross_validation": [fold.to_dict() for fold in folds],
        "tried": tried.to_dict(),
        "judgement": judgement.to_dict() if judgement else None,
        "limits": LIMITS,
    }
    artifact = model_of.artifact(span, gain=tried.gain, card=card)
    tell(1.0, "done")
    return Training(artifact, final.estimator, data, tuple(folds), judgement)


@dataclass(frozen=True, slots=True)
class Model:
    """The parts of an artifact: the model, and tables where it is too slow to be asked itself."""

    parts: Parts
    distillation: Distillation | None

    @classmethod
    def of(cls, fitted: Fit, data: DataSet) -> "Model":
        """Export an estimator; distil it where it is slow."""
        parts = describe(fitted.estimator)
        if parts.model["kind"] == "table" or serves_itself(parts):
            return cls(parts, None)
        return cls(parts, distil(data.X, positive(fitted.estimator, data.X)))

    def artifact(
        self, horizon: int, gain: float | None = None, card: Mapping[str, Any] | None = None
    ) -> Artifact:
        """The artifact of these parts."""
        return Artifact.of(
            self.parts,
            meaning="probability",
            horizon=horizon,
            gain=gain,
            distilled=self.distillation.parts if self.distillation else None,
            card=card,
        )

    def distillation_card(self) -> dict[str, float] | None:
        """What distillation has lost."""
        if self.distillation is None:
            return None
        return {
            "mean_absolute_difference": self.distillation.loss,
            "variance_explained": self.distillation.explained,
        }


def serves_itself(parts: Parts) -> bool:
    """Whether a cache can ask the model itself."""
    try:
        Artifact.of(parts, meaning="probability")
    except ArtifactError:
        return False
    return True


def evaluate(
    artifact: Artifact | str | os.PathLike[str],
    trace: str | os.PathLike[str],
    *,
    capacity: str | float | Capacity | None = None,
    rows: int = DEFAULT_ROWS,
    since: float = 0.5,
    seed: int = 1,
    trace_format: str | None = None,
    columns: str | Mapping[str, str] | None = None,
    skip_bad: bool = False,
) -> Judgement:
    """Judge a saved model on a trace, from the share ``since`` of it on.

    Args:
        artifact: The model, or its file.
        trace: A file, or ``synthetic:NAME``.
        capacity: That of its training if None.
        rows: Feature rows to judge probabilities by.
        since: Share of the trace, from 0 up to below 1, after which requests count; the cache is
            warm by then.
        seed: Of everything random.
        trace_format: As in :func:`augury.replay`.
        columns: As in :func:`augury.replay`.
        skip_bad: As in :func:`augury.replay`.

    Raises:
        ArtifactError: the model cannot be used.
        ConfigError: an option cannot be.
        TraceError: the trace cannot be read.
    """
    require("sklearn", "learn")
    saved = artifact if isinstance(artifact, Artifact) else Artifact.load(artifact)
    if not 0 <= since < 1:
        raise ConfigError(f"since {since} is not a share of the trace from 0 up to below 1")
    if capacity is None:
        capacity = saved.card.get("capacity")
    if capacity is None:
        raise ConfigError("the model does not say which capacity it is for: give one, such as 1%")
    reading = Reading.of(trace_format, columns, skip_bad)
    requests = reading.measured(os.fspath(trace), in_memory=True)
    start = int(requests.requests * since)
    return judged(requests, Capacity.parse(capacity), saved, start, rows, seed)


def judged(
    trace: "_core.Trace",
    capacity: Capacity,
    artifact: Artifact,
    start: int,
    rows: int,
    seed: int,
) -> Judgement:
    """Both judgements on the requests from ``start`` on."""
    horizon = int(artifact.horizon or 0)
    if artifact.meaning != "probability" or not horizon:
        raise ConfigError("only models of a probability within a horizon can be judged")
    everything = sampled(trace, "", capacity, rows, 1.0, seed)
    later, labels, _ = everything.after(start).labelled(horizon)
    if len(later) < 2:
        raise ConfigError(
            f"{len(later)} rows after request {start:,} can be judged by: take more rows, a longer "
            "trace, or more of it"
        )
    scores = scores_of(labels, artifact.predict(later.X, serving=True))
    return Judgement(scores, replays_of(trace, capacity, artifact.native, start, seed=seed))
