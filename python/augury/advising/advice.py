"""The answer as plain data."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from augury import _core
from augury.advising.interval import Interval
from augury.inspection import Inspection
from augury.laboratory import Sizing

__all__ = ["Advice", "Foresight", "Money", "Saving", "Standing", "Verdict"]


class Verdict(StrEnum):
    """What can be said about a saving."""

    #: Another policy saves misses, beyond what chance explains.
    GAIN = "gain"
    #: It seems to, but chance explains it as well.
    UNCLEAR = "unclear"
    #: No policy saves anything worth the word.
    NO_GAIN = "no gain"
    #: The cache holds everything that is asked for, so that nothing is ever evicted.
    FITS = "everything fits"
    #: Nearly everything is asked for once, so that there is nothing to hit.
    NO_REUSE = "nothing to hit"
    #: The cache holds too few objects for a judgement that means anything.
    TOO_SMALL = "capacity too small to judge"
    #: The trace is too short to say anything.
    TOO_SHORT = "too short to say"


@dataclass(frozen=True, slots=True)
class Standing:
    """One policy beside the one in use. Ratios are shares of the reads."""

    policy: str
    object_miss_ratio: float
    #: None where only a sample was replayed.
    byte_miss_ratio: float | None
    #: By how much it misses less than the policy in use, in the part that is measured.
    fewer: Interval


@dataclass(frozen=True, slots=True)
class Money:
    """What a saving is worth."""

    requests_per_second: float
    #: Requests to the origin that are spared in an hour.
    misses_per_hour: Interval
    #: In the currency of the price per miss; None without prices.
    per_hour: Interval | None


@dataclass(frozen=True, slots=True)
class Saving:
    """What the policy chosen saves beside the one in use."""

    #: Reads that no longer miss, as a share of the reads.
    fewer: Interval
    #: The same as a share of the misses of the policy in use.
    of_misses: Interval
    #: None where nobody said how many requests there are per second.
    money: Money | None


@dataclass(frozen=True, slots=True)
class Foresight:
    """What fetching ahead brings beside the same policy without it."""

    worth_it: bool
    #: Requests to the origin that it may add, as a share of those without.
    budget: float
    #: Reads that no longer wait for the origin, as a share of the reads.
    fewer: Interval
    #: The share of what was fetched ahead that was then asked for; None where nothing was fetched.
    accuracy: float | None
    #: By what share of its requests the origin is asked more often, or less where negative.
    additional_load: float
    #: The requests replayed, from the first on.
    requests: int


@dataclass(frozen=True, slots=True)
class Advice:
    """The answer of :func:`augury.advise`."""

    trace: str
    #: What the trace is like.
    inspection: Inspection
    #: As asked for, and in bytes, or entries where every object has size 1.
    capacity: str
    capacity_bytes: int
    #: The policy in use.
    against: str
    #: The share of the objects that was replayed, 1 for all.
    sampled: float
    verdict: Verdict
    #: Miss ratios of the policy in use and of a cache that knows the future; None where no replay
    #: was made.
    present_miss_ratio: float | None
    bound_miss_ratio: float | None
    #: The best first; empty where no replay was made.
    standings: tuple[Standing, ...]
    #: The policy to have; that in use where nothing is gained.
    policy: str
    #: None where there is no gain.
    saving: Saving | None
    #: None where no replay was made.
    prefetch: Foresight | None
    #: Other capacities, the one for a target, the cheapest; None where no replay was made.
    sizing: Sizing | None
    #: What the judgement took.
    seconds: float

    def sentences(self) -> tuple[tuple[str, str], ...]:
        """The answer in words: pairs of what it is about and a sentence or a few."""
        from augury.advising.sentences import sentences

        return tuple(sentences(self))

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain dictionaries, lists and numbers; the words are in it too."""
        plain: dict[str, Any] = with_named_intervals(asdict(self))
        said = [{"about": about, "text": text} for about, text in self.sentences()]
        return {**plain, "sentences": said, "version": _core.__version__}

    def to_json(self) -> str:
        """A JSON object."""
        return json.dumps(self.to_dict(), indent=2)


def with_named_intervals(value: Any) -> Any:
    """The same with intervals as dictionaries."""
    if isinstance(value, Interval):
        return value._asdict()
    if isinstance(value, dict):
        return {name: with_named_intervals(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [with_named_intervals(one) for one in value]
    return value
