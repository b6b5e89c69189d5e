"""What stands in for the engine: conversations that grow, and blocks that are "computed"."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from examples.llm_prefix_store.store import PrefixStore, chain

__all__ = ["BLOCK", "Outcome", "computed", "conversations", "serve_prompts"]

#: Tokens of a block, and bytes that stand for what is computed of one.
BLOCK, BYTES = 16, 1_024


@dataclass(slots=True)
class Outcome:
    """What serving prompts came to."""

    prompts: int = 0
    tokens: int = 0
    #: Tokens that were in stored blocks, and blocks that were not what was computed.
    skipped: int = 0
    wrong: int = 0


def conversations(count: int, seed: int) -> Iterator[list[int]]:
    """Prompts of users who go on talking, behind one of a few common instructions."""
    draw = random.Random(seed)
    instructions = [[draw.randrange(50_000) for _ in range(256)] for _ in range(4)]
    open_ones: list[list[int]] = []
    for _ in range(count):
        if open_ones and draw.random() < 0.7:
            talk = open_ones[-1 - min(int(draw.expovariate(0.2)), len(open_ones) - 1)]
        else:
            talk = list(draw.choice(instructions))
            open_ones.append(talk)
        talk += [draw.randrange(50_000) for _ in range(draw.randrange(20, 120))]
        yield list(talk)


def computed(key: bytes) -> bytes:
    """The block of a key: what an engine would have to compute."""
    return (key * (BYTES // len(key) + 1))[:BYTES]


def serve_prompts(store: PrefixStore, prompts: Iterator[Sequence[int]]) -> Outcome:
    """Serve prompts: take what is stored, compute the rest, and store it."""
    outcome = Outcome()
    for tokens in prompts:
        keys = chain(tokens, BLOCK, "example")
        found = store.longest_prefix(keys)
        outcome.prompts += 1
        outcome.tokens += len(tokens)
        outcome.skipped += BLOCK * len(found)
        outcome.wrong += sum(
            block != computed(key) for key, block in zip(keys, found, strict=False)
        )
        missing = keys[len(found) :]
        store.put(missing, [computed(key) for key in missing])
    return outcome
