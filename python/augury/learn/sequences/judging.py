"""Judgement of a sequence model: what a replay misses with it, beside predictors that learn."""

from dataclasses import asdict, dataclass
from typing import Any

from augury import _core
from augury.capacity import Capacity

__all__ = ["DEFAULT_BUDGET", "Foreseen", "ForeseenBy", "foreseen_by"]

#: Requests to the origin that prefetch may add, as a share of those without it: that of replays.
DEFAULT_BUDGET = 0.10


@dataclass(frozen=True, slots=True)
class ForeseenBy:
    """One replay, after the warm-up. Without prefetch nothing is issued."""

    predictor: str
    requests: int
    #: Requests that missed all the same, objects fetched before they were asked for, and those of
    #: them that were asked for in time.
    demand_misses: int
    issued: int
    used: int

    @property
    def demand_miss_ratio(self) -> float:
        """Demand misses per request."""
        return self.demand_misses / self.requests if self.requests else 0.0

    @property
    def accuracy(self) -> float | None:
        """The share of what was fetched ahead that was used; None where nothing was."""
        return self.used / self.issued if self.issued else None

    @property
    def coverage(self) -> float:
        """The share of what would have missed that was there."""
        return self.used / max(self.demand_misses + self.used, 1)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A model beside no prefetch and the predictors that learn while they run.

    All are warm: the whole trace is replayed under `auto`, and counting begins after ``warmup``
    requests, when the model comes in; the others have learned from what was before.
    """

    capacity_bytes: int
    warmup: int
    budget: float
    outcomes: tuple[ForeseenBy, ...]

    def of(self, predictor: str) -> ForeseenBy:
        """The outcome of one: ``none``, ``sequence``, or a name."""
        return next(outcome for outcome in self.outcomes if outcome.predictor == predictor)

    def extra(self, outcome: ForeseenBy) -> float:
        """Requests to the origin added, as a share of those without prefetch."""
        plain = max(self.of("none").demand_misses, 1)
        return (outcome.demand_misses + outcome.issued) / plain - 1

    @property
    def gain(self) -> float:
        """By how much the model lowers the demand miss ratio."""
        return self.of("none").demand_miss_ratio - self.of("sequence").demand_miss_ratio

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def foreseen_by(
    trace: "_core.Trace",
    capacity: Capacity,
    model: "_core.Sequence",
    warmup: int,
    budget: float,
    seed: int = 1,
) -> Foreseen:
    """Replay a trace with the model and beside it, counting from ``warmup`` on."""
    ticker = _core.Ticker()

    def run(label: str, predictor: "_core.Sequence | str | None") -> ForeseenBy:
        prefetch = None if predictor is None else (budget, predictor)
        found = trace.replay("auto", capacity.asked, seed, ticker, warmup=warmup, prefetch=prefetch)
        issued, used = found["prefetch"] or (0, 0)
        return ForeseenBy(label, found["requests"], found["misses"], issued, used)

    outcomes = [run("none", None), run("sequence", model)]
    outcomes += [run(name, name) for name in _core.prefetchers()]
    return Foreseen(trace.resolve(capacity.asked), warmup, budget, tuple(outcomes))
