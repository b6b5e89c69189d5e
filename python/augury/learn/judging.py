"""Judgement of a model: its probabilities on later data, and the misses of a replay with it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from augury import _core
from augury.capacity import Capacity

__all__ = ["Outcome", "Replays", "Scores", "replays_of", "scores_of"]

Array = npt.NDArray[np.float64]
#: Bins of the calibration curve, each with as many rows.
BINS = 10
#: Beside the model, in the order of presentation.
BESIDE = ("lru", "auto")


@dataclass(frozen=True, slots=True)
class Scores:
    """How good probabilities are, on rows later than all that was trained on.

    ``calibration`` pairs mean prediction and share reused, for tenths of the rows by prediction;
    ``calibration_error`` is the mean distance between the two.
    """

    rows: int
    #: Share of the rows that were reused within the horizon.
    reused: float
    #: Area under the ROC curve; 0.5 tells nothing apart. None where all rows have one label.
    roc_auc: float | None
    #: Mean negative log likelihood, in nats, and that of the base rate.
    log_loss: float
    base_log_loss: float
    calibration_error: float
    calibration: tuple[tuple[float, float], ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def scores_of(labels: npt.NDArray[np.bool_], probabilities: Array) -> Scores:
    """The scores of these probabilities, both of shape (rows,)."""
    from sklearn.metrics import log_loss, roc_auc_score

    probabilities = np.clip(probabilities, 1e-7, 1 - 1e-7)
    share = float(labels.mean()) if len(labels) else 0.0
    has_both = 0 < share < 1
    parts = [part for part in np.array_split(np.argsort(probabilities), BINS) if len(part)]
    pairs = [(float(probabilities[part].mean()), float(labels[part].mean())) for part in parts]
    weights = [len(part) / len(labels) for part in parts]
    errors = [abs(told - seen) for told, seen in pairs]
    base = np.full(len(labels), np.clip(share, 1e-7, 1 - 1e-7))
    return Scores(
        rows=len(labels),
        reused=share,
        roc_auc=float(roc_auc_score(labels, probabilities)) if has_both else None,
        log_loss=float(log_loss(labels, probabilities, labels=[False, True])),
        base_log_loss=float(log_loss(labels, base, labels=[False, True])),
        calibration_error=float(np.dot(weights, errors)),
        calibration=tuple(pairs),
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """One replay: what missed after the model came in."""

    policy: str
    misses: int
    requests: int
    #: Share of these requests under each ranking; empty but for `auto`.
    ruled: dict[str, float]

    @property
    def object_miss_ratio(self) -> float:
        """Misses per request."""
        return self.misses / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class Replays:
    """The model in the guard's set, alone, and beside what is known.

    All are warm: the whole trace is replayed, and counting begins after ``warmup`` requests, when
    the model comes in.
    """

    capacity_bytes: int
    warmup: int
    outcomes: tuple[Outcome, ...]

    def of(self, policy: str) -> Outcome:
        """The outcome of one policy."""
        return next(outcome for outcome in self.outcomes if outcome.policy == policy)

    @property
    def gain(self) -> float:
        """By how much the model lowers the miss ratio of `auto`."""
        return self.of("auto").object_miss_ratio - self.of("learned").object_miss_ratio

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        ratios = {outcome.policy: outcome.object_miss_ratio for outcome in self.outcomes}
        return {
            "capacity_bytes": self.capacity_bytes,
            "warmup": self.warmup,
            "requests": self.outcomes[0].requests,
            "object_miss_ratios": ratios,
            "ruled": self.of("learned").ruled,
        }


def replays_of(
    trace: "_core.Trace",
    capacity: Capacity,
    model: "_core.Artifact",
    warmup: int,
    until: int | None = None,
    seed: int = 1,
    progress: Callable[[str], None] = lambda _: None,
) -> Replays:
    """Replay a trace with the model and beside it, counting from ``warmup`` to ``until``."""
    ticker = _core.Ticker()

    def run(label: str, policy: str, with_model: bool) -> Outcome:
        progress(f"replaying {label}")
        used = model if with_model else None
        found = trace.replay(policy, capacity.asked, seed, ticker, used, warmup, until)
        ruled: dict[str, float] = {}
        for requests, _, ruling in found["windows"]:
            if ruling:
                ruled[ruling] = ruled.get(ruling, 0.0) + requests / max(found["requests"], 1)
        return Outcome(label, found["misses"], found["requests"], ruled)

    # Where sizes differ Belady's choice is not the best there is.
    bound = "belady" if trace.footprint == trace.objects else "beladysize"
    outcomes = [run(policy, policy, with_model=False) for policy in (*BESIDE, bound)]
    outcomes[2:2] = [
        run("learned", "auto", with_model=True),
        run("model-alone", "model-alone", with_model=True),
    ]
    return Replays(trace.resolve(capacity.asked), warmup, tuple(outcomes))
