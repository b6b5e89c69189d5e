"""The prompts of a trace: runs of requests of one session, which have to form a tree of blocks."""

from collections.abc import Iterable
from typing import NamedTuple

from augury.errors import ConfigError
from augury.traces import Request

__all__ = ["Chains", "chains_of"]

#: A block's key, and its size: tokens, bytes, or 1.
Part = tuple[int, int]


class Chains(NamedTuple):
    """Prompts in order, and what they come to."""

    prompts: list[list[Part]]
    blocks: int
    #: The sum of the sizes of all parts, and of all distinct blocks.
    tokens: int
    footprint: int


def chains_of(requests: Iterable[Request]) -> Chains:
    """The prompts of a trace.

    Raises :class:`~augury.ConfigError` where it names no sessions, or where its blocks are no
    prefixes: one that comes twice in a prompt, or behind different blocks.

    >>> asked = [Request(0, key, 1, "get", 0, session) for session, key in
    ...          [(1, 10), (1, 11), (2, 10), (2, 12)]]
    >>> chains_of(asked).prompts
    [[(10, 1), (11, 1)], [(10, 1), (12, 1)]]
    """
    prompts: list[list[Part]] = []
    before: dict[int, int | None] = {}
    sizes: dict[int, int] = {}
    latest: int | None = None
    for request in requests:
        if request.session != latest:
            prompts.append([])
            latest = request.session
        prompt = prompts[-1]
        parent = prompt[-1][0] if prompt else None
        if before.setdefault(request.key, parent) != parent or request.key == parent:
            raise ConfigError(
                f"block {request.key} comes behind {parent} in prompt {len(prompts):,} and behind "
                f"{before[request.key]} earlier: a block's key has to be a hash of all that is "
                "before it too"
            )
        prompt.append((request.key, request.size))
        sizes[request.key] = request.size
    if len(prompts) < 2:
        raise ConfigError(
            "the trace names no prompts: expected a column client or session with a number per "
            "prompt, in whose requests its blocks stand in order (--columns session=NAME)"
        )
    tokens = sum(size for prompt in prompts for _, size in prompt)
    return Chains(prompts, len(sizes), tokens, sum(sizes.values()))
