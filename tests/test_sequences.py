"""Sequence models: counted offline, kept as data, used by replays within the budget of prefetch."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import augury
from augury import _core
from augury.capacity import Capacity
from augury.learn import SequenceArtifact, evaluate_sequence, train_sequence
from augury.learn.artifact import written
from augury.learn.sequences import tables
from augury.learn.sequences.counting import KEPT, LEAST_CHANCE, count
from augury.learn.sequences.tables import Demands, tensors_of

#: Chains of objects in scrambled order; which chain comes next is chance.
CHAINS = 300
LENGTH = 6
#: A cache of 5% holds few of the 1,800 objects.
SMALL = "5%"


def demands(keys: Any, sessions: Any = None) -> Demands:
    """Demands of these keys, all of size 3 and namespace 2."""
    keys = np.asarray(keys, np.uint64)
    own = np.zeros(len(keys), np.uint32) if sessions is None else np.asarray(sessions, np.uint32)
    sizes = np.full(len(keys), 3, np.uint32)
    return Demands(keys, sizes, np.full(len(keys), 2, np.uint16), own)


def chains(seed: int, count: int = 4_000) -> Any:
    """Keys of chains, one after the other: only history tells what follows in a chain."""
    keys = np.random.default_rng(5).permutation(CHAINS * LENGTH * 50)[: CHAINS * LENGTH]
    chosen = np.random.default_rng(seed).integers(0, CHAINS, count)
    return keys.reshape(CHAINS, LENGTH)[chosen].reshape(-1)


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Chains as a trace of plain keys."""
    path = tmp_path_factory.mktemp("sequences") / "chains.txt"
    path.write_text("\n".join(map(str, chains(1))) + "\n")
    return path


@pytest.fixture(scope="module")
def saved(trace: Path) -> Path:
    """A model of the first half of the chains."""
    path = trace.with_suffix(".augury")
    train_sequence(trace, capacity=SMALL).artifact.save(path)
    return path


def tensors(artifact: dict[str, Any]) -> dict[str, Any]:
    """Tensors under the names that the file has."""
    return {f"model.{name}": tensor for name, tensor in artifact.items()}


def following(found: dict[str, Any], table: str, context: list[int]) -> dict[int, float]:
    """What the table says comes after tokens, and its chance."""
    at = [list(row) for row in found[f"{table}.contexts"]].index(context)
    start, end = found[f"{table}.starts"][at : at + 2]
    pairs = zip(found[f"{table}.next"][start:end], found[f"{table}.chance"][start:end], strict=True)
    return {int(token): float(chance) for token, chance in pairs}


def test_chances_are_shares_of_what_came_within_the_next_few() -> None:
    """After 7 come 900 and 31; the keys are numbered in ascending order."""
    found = tensors_of(demands([7, 900, 31, 8, 9, 10, 11] * 200))
    assert [7, 8, 9, 10, 11, 31, 900] == found["keys"].tolist()
    assert {7, 6, 2, 3} == set(after := following(found, "objects", [1, 0, 0]))
    assert all(chance > 0.95 for chance in after.values())
    assert {3} == set(found["sizes"].tolist())
    assert {2} == set(found["namespaces"].tolist())


def test_a_longer_context_is_kept_where_it_tells_more() -> None:
    """2 is followed by 3 after 1 and by 5 after 4: two keys tell which, one does not."""
    random = np.random.default_rng(1)
    triples = np.array([[1, 2, 3], [4, 2, 5]])[random.integers(0, 2, 500)]
    # Others between, so that what follows a triple is chance.
    noise = random.integers(100, 100_000, (500, 4))
    found = tensors_of(demands(np.concatenate([triples, noise], axis=1).reshape(-1)))
    token = {int(key): at for at, key in enumerate(found["keys"], 1)}
    assert following(found, "objects", [token[2], token[1], 0])[token[3]] > 0.9
    assert following(found, "objects", [token[2], token[4], 0])[token[5]] > 0.9
    alone = following(found, "objects", [token[2], 0, 0])
    assert alone[token[3]] == pytest.approx(0.5, abs=0.1)


def test_sessions_are_followed_apart() -> None:
    """Two sessions in turn: each has its own steps."""
    first, second = np.arange(0, 400) * 8, 1_000_000 + np.arange(400) * 64
    keys, sessions = np.stack([first, second], axis=1).reshape(-1), np.tile([1, 2], 400)
    found = tensors_of(demands(keys, sessions))
    assert [8, 16, 24, 32, 64, 128, 192, 256] == found["distances"].tolist()
    assert {1, 2, 3, 4} == set(following(found, "steps", [1, 0, 0]))
    assert not len(found["objects.next"])


def test_tables_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The continuations seen most often stay, a few of each context, and no chance is tiny."""
    monkeypatch.setattr(tables, "OBJECT_GRAMS", 50)
    found = tensors_of(demands(chains(2)))
    assert 50 == len(found["objects.next"])
    assert np.diff(found["objects.starts"].astype(int)).max() <= KEPT
    assert found["objects.chance"].min() >= LEAST_CHANCE
    SequenceArtifact.of(found)


def test_nothing_that_repeats_makes_an_empty_model() -> None:
    """Random keys: no object follows another twice."""
    random = np.random.default_rng(1).integers(0, 2**63, 5_000)
    model = SequenceArtifact.of(tensors_of(demands(random)))
    assert (0, 0) == model.native.continuations
    assert not len(count([np.zeros(0, np.int64)] * 3, [np.zeros(0, np.int64)], 10))


def test_training_is_judged_beside_what_learns_by_itself(trace: Path) -> None:
    """On chains nearly all that follows is foreseen, within the budget."""
    judged = train_sequence(trace, capacity=SMALL).judgement
    assert judged is not None
    plain, model = judged.of("none"), judged.of("sequence")
    assert model.demand_miss_ratio < 0.5 * plain.demand_miss_ratio
    assert model.accuracy is not None
    assert model.accuracy > 0.8
    assert judged.extra(model) <= 0.1
    assert judged.gain == plain.demand_miss_ratio - model.demand_miss_ratio
    assert {"none", "sequence", *_core.prefetchers()} == {one.predictor for one in judged.outcomes}
    assert train_sequence(trace, capacity=SMALL, until=1.0).judgement is None


def test_nothing_later_is_trained_on(trace: Path, tmp_path: Path) -> None:
    """The first half alone makes the same tables."""
    lines = trace.read_text().splitlines()
    half = tmp_path / "half.txt"
    half.write_text("\n".join(lines[: len(lines) // 2]) + "\n")
    capacity = str(_core.Trace(str(trace)).resolve(Capacity.parse(SMALL).asked))
    whole = train_sequence(trace, capacity=capacity).artifact
    part = train_sequence(half, capacity=capacity, until=1.0).artifact
    assert whole.native.continuations == part.native.continuations
    assert whole.card["continuations"] == part.card["continuations"]


def test_a_model_comes_in_when_counting_begins(trace: Path, saved: Path) -> None:
    """Nothing is fetched ahead in the warm-up, and what is counted is of the rest."""
    requests, model = _core.Trace(str(trace)), SequenceArtifact.load(saved).native
    asked, end = Capacity.parse(SMALL).asked, requests.requests

    def issued(warmup: int) -> tuple[int, int]:
        found = requests.replay(
            "auto", asked, 1, _core.Ticker(), warmup=warmup, prefetch=(0.1, model)
        )
        assert found["prefetch"] is not None
        return found["prefetch"]

    assert (0, 0) == issued(end)
    whole, half = issued(0), issued(end // 2)
    assert 0 < half[0] < whole[0]
    assert half[1] <= half[0]


def test_the_command_trains_judges_and_replays(trace: Path, tmp_path: Path, augury: Any) -> None:
    """The artifact of `train` is what `evaluate` and `--prefetcher learned:PATH` take."""
    path = tmp_path / "model.augury"
    options = ["--model", "sequence", "--capacity", SMALL]
    told = augury("train", str(trace), *options, "--output", str(path)).stdout
    assert "what follows the last 3 keys" in told
    assert "mithril" in told
    card = json.loads(augury("train", str(trace), *options, "-o", str(path), "--json").stdout)
    assert card["judgement"]["outcomes"][0]["predictor"] == "none"
    judged = json.loads(augury("evaluate", str(path), str(trace), "--json").stdout)
    assert card["judgement"]["outcomes"] == judged["outcomes"]
    assert "Replay of later data" in augury("evaluate", str(path), str(trace)).stdout
    line = ["replay", str(trace), "-p", "auto", "-c", SMALL, "-f", "json"]
    [plain] = json.loads(augury(*line).stdout)
    ahead = [*line, "--prefetch", "--prefetcher", f"learned:{path}"]
    [cell] = json.loads(augury(*ahead).stdout)
    assert cell["demand_misses"] < 0.5 * plain["misses"]
    assert json.loads(augury(*ahead).stdout)[0]["demand_misses"] == cell["demand_misses"]


def test_what_means_nothing_or_cannot_be_is_refused(trace: Path, saved: Path, augury: Any) -> None:
    """Options of other models, too little to learn from, shares that are none."""
    refused = augury("train", str(trace), "-m", "sequence", "--cv", "5")
    assert "--cv means nothing to a sequence model" in refused.stderr
    assert refused.returncode == 2
    refused = augury("evaluate", str(saved), str(trace), "--rows", "9")
    assert "--rows means nothing to a sequence model" in refused.stderr


@pytest.mark.parametrize("options", [{"until": 0.0}, {"until": 1.5}, {"seed": -1}])
def test_options_that_cannot_be_are_named(trace: Path, options: dict[str, Any]) -> None:
    """Each error names its option."""
    with pytest.raises(augury.ConfigError, match=next(iter(options))):
        train_sequence(trace, **options)


def test_too_little_is_said_to_be(tmp_path: Path, saved: Path) -> None:
    """Fewer misses than anything can be told from; and a model without a capacity."""
    short = tmp_path / "short.txt"
    short.write_text("\n".join(map(str, range(500))) + "\n")
    with pytest.raises(augury.ConfigError, match="not enough to learn from"):
        train_sequence(short, capacity="10%")
    bare = SequenceArtifact.of(tensors_of(demands(chains(1))))
    with pytest.raises(augury.ConfigError, match="which capacity"):
        evaluate_sequence(bare, short)
    with pytest.raises(augury.ConfigError, match="since 1"):
        evaluate_sequence(saved, short, since=1.0)


def test_kinds_of_model_are_not_taken_for_each_other(trace: Path, saved: Path) -> None:
    """A sequence model ranks nothing, and a model of reuse foresees nothing."""
    with pytest.raises(augury.ArtifactError, match=r"a sequence model.*prefetcher learned:"):
        augury.replay(trace, policies=f"learned:{saved}")
    reuse = saved.with_name("reuse.augury")
    manifest = {"format": 1, "model": {"kind": "trees"}}
    reuse.write_bytes(written(manifest, {"model.roots": np.zeros(1, np.int32)}))
    with pytest.raises(augury.ArtifactError, match=r"no sequence model.*policy learned:"):
        augury.replay(trace, prefetch=True, prefetcher=f"learned:{reuse}")


def damaged() -> dict[str, dict[str, Any]]:
    """Tensors that make no model, and a word of the complaint."""
    good = tensors_of(demands(chains(1)))
    nan = good["objects.chance"].copy()
    nan[3] = np.nan
    next_ = good["objects.next"].copy()
    next_[0] = len(good["keys"]) + 1
    starts = good["objects.starts"].copy()
    starts[1] = 2**32 - 1
    return {
        "chance": good | {"objects.chance": nan},
        "vocabulary": good | {"objects.next": next_},
        "continuations of context": good | {"objects.starts": starts},
        "ascending order": good | {"keys": good["keys"][::-1].copy()},
        "not U64": good | {"keys": good["keys"].astype(np.int64)},
        "different lengths": good | {"sizes": good["sizes"][1:]},
        "do not fit": good | {"objects.starts": good["objects.starts"][1:]},
        "more than the 262144": good | {"keys": np.arange(2**18 + 1, dtype=np.uint64)},
    }


@pytest.mark.parametrize(("word", "bad"), damaged().items())
def test_hostile_tables_are_refused(word: str, bad: dict[str, Any], tmp_path: Path) -> None:
    """With a hash that fits: the tables themselves are checked, and the file is named."""
    path = tmp_path / "bad.augury"
    path.write_bytes(written({"format": 1, "model": {"kind": "sequence"}}, tensors(bad)))
    with pytest.raises(augury.ArtifactError, match=f"bad.augury: .*{word}"):
        SequenceArtifact.load(path)
    with pytest.raises(augury.ArtifactError, match=word):
        augury.replay("synthetic:loop?n=1000", prefetch=True, prefetcher=f"learned:{path}")


def test_damage_and_other_files_are_refused(saved: Path, tmp_path: Path) -> None:
    """Cut, flipped, missing, no file of ours."""
    data = saved.read_bytes()
    path = tmp_path / "bad.augury"
    for bad in (data[: len(data) // 2], data[:-1] + bytes([data[-1] ^ 1]), b"", b"\xff" * 100):
        path.write_bytes(bad)
        with pytest.raises(augury.ArtifactError):
            SequenceArtifact.load(path)
    with pytest.raises(augury.ArtifactError, match="No such file"):
        augury.replay("synthetic:loop", prefetch=True, prefetcher=f"learned:{tmp_path}/none")
