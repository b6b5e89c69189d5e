"""Why an object is, or is not, in a cache: what the policy knew, and what it decided."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from augury import _core
from augury.artifacts import read_artifact
from augury.capacity import Capacity
from augury.errors import ConfigError
from augury.reading import Reading
from augury.telling import decisions, remembered, standing

__all__ = [
    "JOURNAL",
    "Decision",
    "Explanation",
    "Known",
    "Opinion",
    "Standing",
    "Story",
    "explain",
]

#: Decisions that are remembered by default.
JOURNAL = 4_096


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of an object."""

    #: Requests since its latest access.
    age: int
    #: Accesses remembered, and those with older ones weighing less.
    count: int
    heat: float
    #: Requests between its two latest accesses; None where there was one only.
    reuse: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A resident's place among the residents."""

    history: Known
    size: int
    #: What the ruling ranking makes of it, in the ranking's own unit.
    score: float
    #: Reuses to be expected per request of residence, by the survival table.
    density: float
    #: What a trained model says, where one is loaded.
    prediction: float | None
    #: Residents compared with (at most 1,024, spread over all), and those that rank below.
    compared: int
    below: int


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one expert makes of the object."""

    name: str
    #: Whether it runs in a shadow cache at present.
    live: bool
    #: Hits of its shadow lately, as a share of the best expert's.
    standing: float
    #: Whether its shadow holds the object; None where the object is not in the sampled traffic.
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Decision:
    """An eviction or a rejection, with the state that it was made from."""

    tick: int
    #: ``evicted`` or ``rejected``.
    act: str
    history: Known
    size: int
    #: The expert that ruled, and what it made of the object and of the newcomer.
    ruling: str
    score: float
    newcomer: float | None
    #: Residents looked at.
    looks: int
    #: Experts whose shadow held the object then; None where it was not sampled.
    holders: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that the policy knows of one object."""

    #: Requests seen so far, less one.
    now: int
    ruling: str
    #: Its place, where it is resident.
    standing: Standing | None
    #: What is remembered of it, where it has left and is not forgotten.
    ghost: Known | None
    experts: tuple[Opinion, ...]
    #: Decisions about it, the latest first.
    decisions: tuple[Decision, ...]
    #: What was decided before this request is no longer recorded.
    recorded_since: int | None

    @classmethod
    def of(cls, told: Any) -> "Explanation":
        """From what the extension tells."""
        standing = told["standing"]
        return cls(
            now=told["now"],
            ruling=told["ruling"],
            standing=standing and Standing(**{**standing, "history": Known(**standing["history"])}),
            ghost=told["ghost"] and Known(**told["ghost"]),
            experts=tuple(Opinion(**expert) for expert in told["experts"]),
            decisions=tuple(decision_of(made) for made in told["decisions"]),
            recorded_since=told["recorded_since"],
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    def __str__(self) -> str:
        """In sentences.

        >>> import augury
        >>> cache = augury.Cache(100)
        >>> cache["a"] = 1
        >>> print(str(cache.explain("a")).splitlines()[0])
        It is in the cache; blend+ rules.
        """
        where = "is not" if self.standing is None else "is"
        told = [f"It {where} in the cache; {self.ruling} rules."]
        if self.ghost is not None:
            told += remembered(self, is_resident=False)
        elif self.standing is None and not self.decisions:
            told.append("Nothing is remembered of it.")
        return "\n".join([*told, *standing(self), *decisions(self)])


def decision_of(made: Any) -> Decision:
    """A decision from what the extension tells."""
    holders = made["holders"]
    return Decision(
        **{
            **made,
            "history": Known(**made["history"]),
            "holders": None if holders is None else tuple(holders),
        }
    )


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to one object of a trace, up to a moment."""

    key: str
    #: Requests replayed, and the capacity they were replayed at.
    replayed: int
    capacity_bytes: int
    residents: int
    #: Requests for the object, those that hit, and the latest: number in the trace, and whether
    #: it hit.
    requests: int
    hits: int
    latest: tuple[tuple[int, bool], ...]
    resident: bool
    explanation: Explanation

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def explain(
    trace: str | os.PathLike[str],
    key: str | int,
    *,
    capacity: str | float | Capacity = "1%",
    at: int | None = None,
    model: str | os.PathLike[str] | None = None,
    journal: int = JOURNAL,
    seed: int = 1,
    trace_format: str | None = None,
    columns: str | Mapping[str, str] | None = None,
    skip_bad: bool = False,
) -> Story:
    """Why an object is, or is not, resident under `auto` at a moment of a trace.

    Args:
        trace: A file, or ``synthetic:NAME``.
        key: The object, as the trace has it.
        capacity: Of the cache.
        at: Requests replayed before the question; all if None.
        model: A saved model that `auto` has among its experts.
        journal: Decisions that are remembered, from 1 to 10,000,000.
        seed: Of the cache.
        trace_format: As in :func:`augury.replay`.
        columns: As in :func:`augury.replay`.
        skip_bad: As in :func:`augury.replay`.

    Raises:
        TraceError: The trace cannot be read.
        CapacityError: The capacity cannot be.
        ConfigError: ``at`` or ``journal`` cannot be.
        ArtifactError: The model cannot be used.

    >>> import augury
    >>> trace = "synthetic:loop?n=50000"
    >>> key = next(iter(augury.traces.open(trace))).key
    >>> story = augury.explain(trace, key, capacity="10%")
    >>> story.requests > 0
    True
    """
    if at is not None and at < 0:
        raise ConfigError(f"at {at} cannot be: a number of requests, from 0")
    if not 1 <= journal <= 10_000_000:
        raise ConfigError(f"journal {journal} cannot be: from 1 to 10,000,000 decisions")
    if seed not in range(2**64):
        raise ConfigError(f"seed {seed} cannot be: a whole number from 0 to {2**64 - 1}")
    if not str(key):
        raise ConfigError("the key is empty: name the object, as the trace has it")
    loaded = None if model is None else read_artifact(model)
    reading = Reading.of(trace_format, columns, skip_bad)
    requests = reading.measured(os.fspath(trace), in_memory=True)
    asked, ticker = Capacity.parse(capacity), _core.Ticker()
    told = requests.explain(str(key), asked.asked, at, seed, ticker, loaded, journal)
    return Story(
        key=str(key),
        replayed=told["replayed"],
        capacity_bytes=told["capacity_bytes"],
        residents=told["residents"],
        requests=told["requests"],
        hits=told["hits"],
        latest=tuple(told["latest"]),
        resident=told["resident"],
        explanation=Explanation.of(told),
    )
