"""All ways to store prefix blocks beside each other, on the prompts of a trace."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from augury import _core
from augury.capacity import Capacity
from augury.errors import CapacityError, ConfigError
from augury.laboratory.prefix.chains import Chains, chains_of
from augury.laboratory.prefix.shelves import ByFuture, ByRecency, ByWorth, futures
from augury.laboratory.prefix.tree import PrefixTree
from augury.reading import Reading

__all__ = ["POLICIES", "PrefixCell", "PrefixResult", "replay_prefixes"]

#: What each does. Those of the engine know of no tree: blocks are objects like any other to them.
POLICIES = {
    "auto": "the engine's own, which knows of no tree",
    "lru": "the engine's, which knows of no tree",
    "leaf-lru": "the leaf used longest ago, as vLLM and SGLang evict",
    "prefix": "the leaf worth least, by how soon blocks of its count and depth return",
    "belady": "the leaf asked for last: knows the future",
}
#: Policies of the engine.
FLAT = ("auto", "lru")
#: Prompts between two words of progress.
TOLD_EVERY = 256

Prompt = Sequence[tuple[int, int]]
#: Takes a prompt and tells how many of its blocks, from the first on, were there.
Asking = Callable[[Prompt], int]


@dataclass(frozen=True, slots=True)
class PrefixCell:
    """What one policy came to at one capacity."""

    policy: str
    capacity: str
    #: In the unit of the sizes: tokens, bytes, or blocks where every size is 1.
    capacity_tokens: int
    tokens: int
    #: Those in the longest run of stored blocks from a prompt's first on.
    hit_tokens: int
    token_hit_ratio: float
    #: Prompts all of whose blocks were there.
    whole_prompts: int


@dataclass(frozen=True, slots=True)
class PrefixResult:
    """The answer of :func:`replay_prefixes`."""

    trace: str
    prompts: int
    blocks: int
    tokens: int
    footprint: int
    #: What a store without bounds would hit.
    most_hit_ratio: float
    cells: tuple[PrefixCell, ...]

    def of(self, policy: str, capacity: str) -> PrefixCell:
        """One cell."""
        return next(one for one in self.cells if (one.policy, one.capacity) == (policy, capacity))

    def to_json(self) -> str:
        """A JSON object."""
        return json.dumps({**asdict(self), "version": _core.__version__}, indent=2)


def replay_prefixes(
    trace: str | os.PathLike[str],
    *,
    capacity: str | float | Capacity | Iterable[str | float | Capacity] = ("1%", "5%", "10%"),
    policies: Iterable[str] = tuple(POLICIES),
    trace_format: str | None = None,
    columns: str | Mapping[str, str] | None = None,
    skip_bad: bool = False,
    progress: Callable[[float, str], None] | None = None,
) -> PrefixResult:
    """What share of the tokens of the prompts of a trace each policy would have spared.

    Args:
        trace: Requests for blocks, those of a prompt in order and of one session (column ``client``
            or ``session``); sizes count tokens, or nothing where there are none.
        capacity: Shares of the footprint, or numbers in the unit of the sizes.
        policies: Of :data:`POLICIES`.
        trace_format: As for :func:`augury.replay`.
        columns: As for :func:`augury.replay`.
        skip_bad: Count and leave out malformed records instead of raising.
        progress: Told the share done and what is being done.

    Raises:
        TraceError: The trace cannot be read.
        ConfigError: A policy is unknown, or the trace has no prompts or no prefix blocks.
        CapacityError: A capacity is malformed, or comes to nothing.
    """
    from augury.laboratory.plan import read_capacities

    asked, names = read_capacities(capacity), tuple(dict.fromkeys(policies))
    if unknown := [name for name in names if name not in POLICIES]:
        raise ConfigError(f"no policy for prefixes is called {unknown[0]!r}: {', '.join(POLICIES)}")
    told = progress or (lambda _share, _what: None)
    told(0.0, "reading")
    source = os.fspath(trace)
    stream = Reading.of(trace_format, columns, skip_bad).stream(source)
    found = chains_of(requests_of(stream))
    sizes = [(one, resolve(one, found)) for one in asked]
    jobs = [(name, one, size) for one, size in sizes for name in names]
    cells = []
    for number, (name, one, size) in enumerate(jobs):

        def share(part: float, number: int = number, name: str = name) -> None:
            told((number + part) / len(jobs), name)

        cells.append(cell(name, one.label, size, found, share))
    seen: set[int] = set()
    most = sum(hit_of(prompt, leading(prompt, seen)) for prompt in found.prompts)
    return PrefixResult(
        trace=_core.trace_name(source),
        prompts=len(found.prompts),
        blocks=found.blocks,
        tokens=found.tokens,
        footprint=found.footprint,
        most_hit_ratio=most / max(found.tokens, 1),
        cells=tuple(cells),
    )


def requests_of(stream: "_core.Requests") -> "Iterable[Any]":
    """The requests of a trace."""
    from augury.traces import Request

    while chunk := stream.next_chunk():
        yield from map(Request._make, chunk)


def resolve(asked: Capacity, found: Chains) -> int:
    """What a capacity comes to."""
    size = asked.absolute
    if size is None:
        size = int((asked.fraction or 0.0) * found.footprint)
    if size < 1:
        raise CapacityError(
            f"capacity {asked.label} of a footprint of {found.footprint:,} holds nothing"
        )
    return size


def cell(
    policy: str, label: str, capacity: int, found: Chains, told: Callable[[float], None]
) -> PrefixCell:
    """Replay the prompts under one policy."""
    ask = asking(policy, capacity, found)
    hit = whole = 0
    for number, prompt in enumerate(found.prompts):
        reached = ask(prompt)
        hit += hit_of(prompt, reached)
        whole += reached == len(prompt)
        if number % TOLD_EVERY == 0:
            told(number / len(found.prompts))
    ratio = hit / max(found.tokens, 1)
    return PrefixCell(policy, label, capacity, found.tokens, hit, ratio, whole)


def asking(policy: str, capacity: int, found: Chains) -> Asking:
    """A store under a policy."""
    if policy in FLAT:
        return flat(policy, capacity)
    if policy == "belady":
        return PrefixTree(capacity, ByFuture(futures(found.prompts))).ask
    return PrefixTree(capacity, ByWorth() if policy == "prefix" else ByRecency()).ask


def flat(policy: str, capacity: int) -> Asking:
    """The engine, to which blocks are objects: all of a prompt are looked up, and stored if absent.

    From the last block to the first, so that what is before another is never older than it.
    """
    from augury.cache import Cache

    cache: Cache[int, int] = Cache(capacity, policy=policy, sizeof=lambda _key, size: size)

    def ask(prompt: Prompt) -> int:
        absent = {key for key, _ in reversed(prompt) if cache.get(key) is None}
        for key, size in reversed(prompt):
            if key in absent:
                cache[key] = size
        return next((at for at, (key, _) in enumerate(prompt) if key in absent), len(prompt))

    return ask


def hit_of(prompt: Prompt, reached: int) -> int:
    """The tokens of the blocks that were there."""
    return sum(size for _, size in prompt[:reached])


def leading(prompt: Prompt, seen: set[int]) -> int:
    """How many blocks, from the first on, were ever stored; afterwards all are."""
    reached = next((at for at, (key, _) in enumerate(prompt) if key not in seen), len(prompt))
    seen.update(key for key, _ in prompt)
    return reached
