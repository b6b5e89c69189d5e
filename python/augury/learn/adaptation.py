"""What came of a cache that retrains: events, stretches, and the cache without a model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from augury.learn.artifact import Artifact

__all__ = ["Adaptation", "Event", "Stretch", "What"]

#: ``trained``: a candidate was fitted. ``swapped``: it went in. ``kept``: it did not, being no
#: better. ``drift``: predictions stopped holding. ``fell back``: the model was let go of.
#: ``skipped``: the budget had no room for a training. ``failed``: a training ended with an error.
#: ``outdated``: a training that began before the drift was thrown away. ``loaded``: the model given
#: at the beginning went in.
What = Literal[
    "loaded", "trained", "swapped", "kept", "drift", "fell back", "skipped", "failed", "outdated"
]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the model."""

    #: When, in requests.
    tick: int
    what: What
    #: In words.
    detail: str = ""
    #: Numbers that belong to it, such as skills before and after.
    scores: Mapping[str, float | None] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "tick": self.tick,
            "what": self.what,
            "detail": self.detail,
            "scores": dict(self.scores),
        }


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the replay, with and without models."""

    #: First request, and the one after the last.
    start: int
    end: int
    #: Reads counted, and misses among them: with models, and of `auto` without.
    requests: int
    misses: int
    auto_misses: int
    #: What ruled at its end.
    ruling: str
    #: Whether a model was loaded at its end.
    has_model: bool

    @property
    def object_miss_ratio(self) -> float:
        """Misses per request."""
        return self.misses / self.requests if self.requests else 0.0

    @property
    def auto_object_miss_ratio(self) -> float:
        """Misses per request of `auto` without a model."""
        return self.auto_misses / self.requests if self.requests else 0.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "start": self.start,
            "end": self.end,
            "requests": self.requests,
            "misses": self.misses,
            "auto_misses": self.auto_misses,
            "object_miss_ratio": self.object_miss_ratio,
            "auto_object_miss_ratio": self.auto_object_miss_ratio,
            "ruling": self.ruling,
            "has_model": self.has_model,
        }


@dataclass(frozen=True, slots=True)
class Adaptation:
    """A replay in which models were trained, exchanged and let go of."""

    trace: str
    model: str
    capacity_bytes: int
    events: tuple[Event, ...]
    stretches: tuple[Stretch, ...]
    #: The model in use at the end, if any.
    artifact: Artifact | None
    #: CPU seconds of all trainings.
    training_seconds: float

    @property
    def requests(self) -> int:
        """Reads counted."""
        return sum(stretch.requests for stretch in self.stretches)

    @property
    def object_miss_ratio(self) -> float:
        """Misses per request."""
        return sum(stretch.misses for stretch in self.stretches) / max(self.requests, 1)

    @property
    def auto_object_miss_ratio(self) -> float:
        """Misses per request of `auto` without a model, on the same requests."""
        return sum(stretch.auto_misses for stretch in self.stretches) / max(self.requests, 1)

    @property
    def gain(self) -> float:
        """By how much models lower the miss ratio of `auto`; negative where they raise it."""
        return self.auto_object_miss_ratio - self.object_miss_ratio

    def of(self, what: What) -> list[Event]:
        """The events of one kind."""
        return [event for event in self.events if event.what == what]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "trace": self.trace,
            "model": self.model,
            "capacity_bytes": self.capacity_bytes,
            "requests": self.requests,
            "object_miss_ratio": self.object_miss_ratio,
            "auto_object_miss_ratio": self.auto_object_miss_ratio,
            "gain": self.gain,
            "training_seconds": self.training_seconds,
            "events": [event.to_dict() for event in self.events],
            "stretches": [stretch.to_dict() for stretch in self.stretches],
        }
