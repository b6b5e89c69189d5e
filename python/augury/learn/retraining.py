"""One retraining: from the latest rows to a candidate, judged beside the model it would replace.

The rows are cut in time. The candidate is fitted on the earlier ones, and both are judged by the
later ones, which neither has seen, by their skill: how much of the log loss of always telling the
share reused is spared. What was judged is what goes in, so nothing is fitted twice.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from augury import _core
from augury.errors import ConfigError
from augury.learn.artifact import Artifact
from augury.learn.dataset import DataSet
from augury.learn.fitting import fit
from augury.learn.judging import Scores, scores_of
from augury.learn.kinds import Kind
from augury.learn.schema import FEATURES, SCHEMA_VERSION
from augury.learn.training import LIMITS, Model

__all__ = ["LEAST_ROWS", "Candidate", "retrain", "skill_of"]

#: Labelled rows that a retraining needs.
LEAST_ROWS = 2_000
#: Share of the rows, the latest, that judge.
JUDGING = 0.25
#: By how much skill a candidate must lead: differences that are smaller are chance, and every
#: exchange costs the guard some of what it knows.
MARGIN = 0.02


def skill_of(scores: Scores) -> float:
    """Share of the base rate's log loss that is spared: 1 is perfect, 0 tells nothing."""
    return 1 - scores.log_loss / scores.base_log_loss if scores.base_log_loss > 1e-9 else 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fitted model and how it did on later rows."""

    artifact: Artifact
    #: Rows it was fitted on.
    rows: int
    scores: Scores
    #: Of the model it would replace, on the same rows; None where there is none.
    incumbent: Scores | None

    @property
    def is_better(self) -> bool:
        """Whether it leads both the base rate and the model it would replace."""
        rival = skill_of(self.incumbent) if self.incumbent else 0.0
        return skill_of(self.scores) > max(rival, 0.0) + MARGIN


def retrain(
    kind: Kind,
    data: DataSet,
    horizon: int,
    incumbent: Artifact | None,
    *,
    capacity: str,
    seed: int = 1,
) -> Candidate:
    """Fit on the earlier rows and judge on the later ones, with one thread.

    Raises:
        ConfigError: there are too few rows, or all have one label.
    """
    from threadpoolctl import threadpool_limits

    known, _, _ = data.labelled(horizon)
    if len(known) < LEAST_ROWS:
        raise ConfigError(f"{len(known)} labelled rows: at least {LEAST_ROWS:,} are needed")
    split = int(known.ticks[int(len(known) * (1 - JUDGING))])
    past = data.before(split)
    later, labels, _ = data.after(split).labelled(horizon)
    if not labels.any() or labels.all():
        raise ConfigError(f"the latest {len(later)} rows all have one label: nothing to judge by")
    # One thread, so that the CPU time of this thread is all that is spent.
    with threadpool_limits(1):
        fitted = fit(kind, past, horizon, parameters={}, seed=seed, jobs=1)
        model = Model.of(fitted, past)
        unjudged = model.artifact(horizon)
        scores = scores_of(labels, unjudged.predict(later.X, serving=True))
    rival = None
    if incumbent is not None:
        reuse = later.observed & (later.waits <= int(incumbent.horizon or horizon))
        rival = scores_of(reuse, incumbent.predict(later.X, serving=True))
    card: dict[str, Any] = {
        "model": kind.name,
        "description": kind.description,
        "trained": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": _core.__version__,
        "trace": data.trace,
        "trained_on": {"from": int(past.ticks[0]), "to": split, "rows": fitted.rows},
        "capacity": capacity,
        "capacity_bytes": data.capacity_bytes,
        "residence": data.residence,
        "horizon": horizon,
        "schema": SCHEMA_VERSION,
        "features": list(FEATURES),
        "distillation": model.distillation_card(),
        "judgement": {"probabilities": scores.to_dict(), "replays": None},
        "limits": LIMITS,
    }
    return Candidate(model.artifact(horizon, card=card), fitted.rows, scores, rival)
