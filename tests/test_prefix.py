"""Prefix blocks: what a store that knows their tree keeps, and the example that stores them."""

import json
import os
import random
from pathlib import Path

import pytest
import redis
from examples.llm_prefix_store.__main__ import run, show
from examples.llm_prefix_store.engine import BLOCK, computed, conversations
from examples.llm_prefix_store.serving import serving
from examples.llm_prefix_store.store import PrefixStore, chain
from hypothesis import given, settings
from hypothesis import strategies as st

from augury.errors import CapacityError, ConfigError
from augury.laboratory.prefix import replay_prefixes
from augury.laboratory.prefix.shelves import ByFuture, ByRecency, ByWorth, futures
from augury.laboratory.prefix.tree import PrefixTree
from small_traces import Run

TRACES = Path(os.environ.get("AUGURY_TRACES", Path(__file__).parents[2] / "shared" / "traces"))
MOONCAKE = TRACES / "mooncake_conversation.csv.zst"
Prompt = list[tuple[int, int]]


def prompts_of(choices: list[list[int]]) -> list[Prompt]:
    """Prompts whose blocks are named by all turns up to their end."""
    return [
        [
            (hash(tuple(turns[: end + 1])), 1 + len(turns[: end + 1]) % 3)
            for end in range(len(turns))
        ]
        for turns in choices
    ]


def write(path: Path, prompts: list[Prompt]) -> Path:
    """The prompts as a trace."""
    rows = [
        f"{number},{key % 2**63},{size},{number + 1}\n"
        for number, prompt in enumerate(prompts)
        for key, size in prompt
    ]
    path.write_text("time,key,size,client\n" + "".join(rows))
    return path


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=80),
    st.integers(1, 40),
    st.sampled_from(["recency", "worth", "future"]),
)
def test_what_is_stored_can_be_reached(choices: list[list[int]], capacity: int, kind: str) -> None:
    """Under every shelf: within its capacity, no block without the one before it, no false hit."""
    prompts = prompts_of(choices)
    shelf = {"recency": ByRecency, "worth": ByWorth}.get(kind, lambda: ByFuture(futures(prompts)))()
    tree = PrefixTree(capacity, shelf)
    sizes = {key: size for prompt in prompts for key, size in prompt}
    parents = {
        key: prompt[at - 1][0] if at else None
        for prompt in prompts for at, (key, _) in enumerate(prompt)
    }  # fmt: skip
    for prompt in prompts:
        held = [tree.holds(key) for key, _ in prompt]
        expected = held.index(False) if False in held else len(prompt)
        assert expected == tree.ask(prompt)
        there = {key for key in sizes if tree.holds(key)}
        assert len(there) == len(tree)
        assert sum(sizes[key] for key in there) == tree.used <= capacity
        assert all(parents[key] is None or parents[key] in there for key in there)


def test_recency_is_what_a_list_of_leaves_says() -> None:
    """A plain model of leaf-first LRU hits as often, on prompts drawn at random."""
    draw = random.Random(3)
    choices = [[draw.randrange(3) for _ in range(draw.randrange(1, 6))] for _ in range(400)]
    prompts = [[(key, 1) for key, _ in prompt] for prompt in prompts_of(choices)]
    tree, stored = PrefixTree(30, ByRecency()), dict[int, tuple[int, int]]()
    for now, prompt in enumerate(prompts):
        expected = next(
            (at for at, (key, _) in enumerate(prompt) if key not in stored), len(prompt)
        )
        assert expected == tree.ask(prompt)
        # Of one prompt's blocks the last leaves first: it is a leaf, and the deepest.
        stored |= {key: (now, -at) for at, (key, _) in enumerate(prompt)}
        for key, _ in sorted(stored.items(), key=lambda item: item[1])[: max(len(stored) - 30, 0)]:
            del stored[key]
        assert set(stored) == {key for key in stored if tree.holds(key)}


def test_worth_keeps_what_returns_where_recency_does_not(tmp_path: Path) -> None:
    """Instructions that return after a flood of prompts that never do."""
    once = iter(range(10**6))
    prompts: list[Prompt] = []
    for number in range(3_000):
        common = [(1_000_000 + number % 20, 1), (2_000_000 + number % 20, 1)]
        prompts.append([*common, (3_000_000 + next(once), 1)])
        prompts += [[(4_000_000 + next(once), 1), (5_000_000 + next(once), 1)] for _ in range(2)]
    found = replay_prefixes(write(tmp_path / "flood.csv", prompts), capacity=60)
    ratios = {one.policy: one.token_hit_ratio for one in found.cells}
    assert ratios["prefix"] > ratios["leaf-lru"] + 0.1
    assert ratios["belady"] >= max(ratios.values())
    assert found.most_hit_ratio >= ratios["belady"]


def test_sizes_count_tokens(tmp_path: Path) -> None:
    """Hits and capacities are in the unit of the sizes."""
    path = write(tmp_path / "sized.csv", [[(1, 100), (2, 50)], [(1, 100), (3, 25)]])
    found = replay_prefixes(path, capacity=1000, policies=["leaf-lru"])
    (one,) = found.cells
    assert (275, 175, 100, 0) == (one.tokens, found.footprint, one.hit_tokens, one.whole_prompts)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("key\n1\n2\n", "names no prompts"),
        ("key,client\n1,1\n2,1\n2,2\n", "block 2 comes behind"),
        ("key,client\n1,1\n1,1\n3,2\n", "block 1 comes behind"),
    ],
)
def test_what_are_no_prefix_blocks_is_refused(tmp_path: Path, text: str, word: str) -> None:
    """With the block, or the column that is missing."""
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ConfigError, match=word):
        replay_prefixes(tmp_path / "a.csv", capacity=2)


def test_options_that_cannot_be(tmp_path: Path) -> None:
    """A policy that is none, a capacity of nothing."""
    path = write(tmp_path / "a.csv", [[(1, 1)], [(2, 1)]])
    with pytest.raises(ConfigError, match="fifo"):
        replay_prefixes(path, policies=["fifo"])
    with pytest.raises(CapacityError, match="holds nothing"):
        replay_prefixes(path, capacity="1%")


@pytest.mark.skipif(not MOONCAKE.is_file(), reason=f"no {MOONCAKE}")
def test_recorded_prompts() -> None:
    """On an hour of Mooncake's conversations, knowing the tree spares more than LRU and auto."""
    found = replay_prefixes(MOONCAKE, capacity="5%", policies=["auto", "leaf-lru", "prefix"])
    ratios = {one.policy: one.token_hit_ratio for one in found.cells}
    assert ratios["prefix"] > ratios["leaf-lru"] + 0.015
    assert ratios["prefix"] > ratios["auto"] + 0.015
    assert ratios["prefix"] < found.most_hit_ratio


def test_the_command(augury: Run, tmp_path: Path) -> None:
    """A table, and the same as JSON."""
    path = write(tmp_path / "a.csv", [[(1, 1), (2, 1)], [(1, 1), (3, 1)]])
    done = augury("prefix", path, "-c", "2", "-p", "leaf-lru,prefix")
    assert (0, "") == (done.returncode, done.stderr)
    assert "leaf-lru" in done.stdout
    found = json.loads(augury("prefix", path, "-c", "2", "--json").stdout)
    assert 0.25 == found["most_hit_ratio"]
    assert 5 == len(found["cells"])


class TestTheExample:
    """A store of prefix blocks on `augury serve`, over RESP."""

    def test_what_is_found_is_the_longest_prefix(self) -> None:
        """Blocks behind a gap are none; what is found is what was stored."""
        with serving("32mb") as port, redis.Redis(port=port) as client:
            store = PrefixStore(client)
            keys = chain(list(range(40 * BLOCK)), BLOCK, "m")
            assert [] == store.longest_prefix(keys)
            store.put(keys, [computed(key) for key in keys])
            assert [computed(key) for key in keys] == store.longest_prefix(keys)
            other = chain([*range(20 * BLOCK), *([7] * 20 * BLOCK)], BLOCK, "m")
            assert 20 == len(store.longest_prefix(other))
            client.delete(keys[5])
            assert 5 == len(store.longest_prefix(keys))
            assert [] == store.longest_prefix(chain(list(range(40 * BLOCK)), BLOCK, "another"))

    def test_conversations_are_spared_most_of_their_tokens(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """With room for all, nearly as many as were ever seen; no block is another's."""
        outcome = run(300)
        assert 0 == outcome.wrong
        seen: set[bytes] = set()
        most = 0
        for tokens in conversations(300, seed=1):
            keys = chain(tokens, BLOCK, "example")
            known = [key in seen for key in keys]
            most += BLOCK * (known.index(False) if False in known else len(known))
            seen.update(keys)
        assert most == outcome.skipped
        show(outcome)
        assert "were in stored blocks" in capsys.readouterr().out

    def test_a_store_that_is_too_small_still_answers_right(self) -> None:
        """What has been evicted is computed again."""
        outcome = run(300, memory="4mb")
        assert (300, 0) == (outcome.prompts, outcome.wrong)
        assert 0 < outcome.skipped < outcome.tokens
