"""The command: python -m examples.llm_prefix_store [PROMPTS]."""

import sys

import redis

from examples.llm_prefix_store.engine import Outcome, conversations, serve_prompts
from examples.llm_prefix_store.serving import serving
from examples.llm_prefix_store.store import PrefixStore


def run(prompts: int, memory: str = "64mb") -> Outcome:
    """Serve so many prompts with a store of so much memory."""
    with serving(memory) as port, redis.Redis(port=port) as client:
        return serve_prompts(PrefixStore(client), conversations(prompts, seed=1))


def show(outcome: Outcome) -> None:
    """Print what was spared."""
    if outcome.wrong:
        raise SystemExit(f"{outcome.wrong} blocks are not what was stored")
    print(
        f"{outcome.prompts:,} prompts of {outcome.tokens:,} tokens: {outcome.skipped:,} tokens "
        f"({outcome.skipped / outcome.tokens:.0%}) were in stored blocks, each what was computed"
    )


if __name__ == "__main__":
    show(run(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000))
