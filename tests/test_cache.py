"""The cache for a program: what it keeps, counts, explains and learns from."""

import gc
import random
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import augury
from augury import Cache
from augury.learn import KINDS, Artifact, dataset_of, describe, train
from augury.learn.fitting import fit


class Twin:
    """A key whose hash many others have."""

    def __init__(self, name: int) -> None:
        self.name = name

    def __hash__(self) -> int:
        """The same for all."""
        return 7

    def __eq__(self, other: object) -> bool:
        """By name."""
        return isinstance(other, Twin) and self.name == other.name


def serve(cache: "Cache[int, int]", requests: int, objects: int = 2_000, seed: int = 1) -> None:
    """Skewed traffic: a get, and a set where it missed."""
    draw = random.Random(seed)
    for _ in range(requests):
        key = int(objects ** draw.random())
        if cache.get(key) is None:
            cache.set(key, -key)


KEYS = st.one_of(
    st.integers(-3, 3),
    st.sampled_from(["", "a", b"a", 1.0, True, (1, "a"), None, 2**70, -1.5]),
    st.builds(Twin, st.integers(0, 3)),
)
STEPS = st.lists(st.tuples(st.sampled_from(["get", "set", "delete", "in", "clear"]), KEYS))


@given(STEPS)
def test_a_cache_with_room_is_a_dictionary(steps: list[tuple[str, object]]) -> None:
    """Every key and value, equal hashes and None included, and the counters."""
    cache: Cache[object, object] = Cache(1_000)
    plain: dict[object, object] = {}
    hits = gets = 0
    for number, (step, key) in enumerate(steps):
        if step == "get":
            gets += 1
            hits += key in plain
            assert plain.get(key, "no") == cache.get(key, "no")
        elif step == "set":
            plain[key] = None if number % 3 == 0 else number
            assert cache.set(key, plain[key])
        elif step == "delete":
            assert (plain.pop(key, "no") != "no") == cache.delete(key)
        elif step == "in":
            assert (key in plain) == (key in cache)
        elif number % 5 == 0:
            plain.clear()
            cache.clear()
        assert len(plain) == len(cache) == cache.used
    stats = cache.stats()
    assert (hits, gets - hits, 0, 0) == (stats.hits, stats.misses, stats.evictions, stats.expired)


def test_items_are_those_of_a_mapping() -> None:
    """KeyError for what is not there; a key is itself, even one that equals nothing."""
    cache: Cache[object, object] = Cache(10)
    cache["a"] = None
    assert cache["a"] is None
    del cache["a"]
    with pytest.raises(KeyError, match="a"):
        cache["a"]
    with pytest.raises(KeyError, match="a"):
        del cache["a"]
    nan = float("nan")
    cache[nan] = 1
    assert 1 == cache[nan]
    assert float("nan") not in cache
    with pytest.raises(TypeError, match="unhashable"):
        cache.get([])  # type: ignore[arg-type]


def test_entries_are_counted_up_to_the_capacity() -> None:
    """And the counters say what became of them."""
    cache: Cache[int, int] = Cache(100)
    serve(cache, 20_000)
    stats = cache.stats()
    assert 100 == len(cache) == cache.used == cache.capacity
    assert 20_000 == stats.hits + stats.misses
    assert stats.insertions - stats.evictions == 100
    assert stats.insertions + stats.rejections == stats.misses
    assert stats.hit_ratio == stats.hits / 20_000 > 0.4
    assert "100" in repr(cache)


def test_it_misses_as_often_as_the_replay_of_the_same_traffic() -> None:
    """The engine is the same; only the hashes differ."""
    cache: Cache[int, int] = Cache(500)
    for request in augury.traces.synthetic("zipf", n=50_000):
        if cache.get(request.key) is None:
            cache.set(request.key, 1)
    (cell,) = augury.replay("synthetic:zipf?n=50000", policies="auto", capacity=500)
    assert cell.object_miss_ratio == pytest.approx(1 - cache.stats().hit_ratio, abs=0.01)


def test_bytes_are_counted_up_to_the_capacity() -> None:
    """By the sizes of key and value, or by those of `sizeof`; what is too large is turned away."""
    cache: Cache[int, bytes] = Cache("100 kB")
    for key in range(1_000):
        cache.set(key, b"x" * 1_000)
    assert 80 <= len(cache) <= 100
    assert 80_000 < cache.used <= 100_000
    assert not cache.set(1, b"x" * 200_000)
    assert 1 not in cache
    assert 1 <= cache.stats().rejections
    own: Cache[str, str] = Cache(10, sizeof=lambda key, value: len(value))
    assert own.set("a", "x" * 10)
    assert not own.set("b", "x" * 11)
    assert 10 == own.used


def test_an_entry_is_served_until_its_time_has_passed() -> None:
    """Then it is gone, from the length too, and counted as expired."""
    cache: Cache[str, int] = Cache(10)
    cache.set("short", 1, ttl=0.03)
    cache.set("unread", 1, ttl=0.03)
    cache.set("long", 1, ttl=3_600)
    cache.set("rewritten", 1, ttl=0.03)
    cache.set("rewritten", 2)
    assert 4 == len(cache)
    end = time.monotonic() + 30
    while cache.get("short") is not None:
        assert time.monotonic() < end
    assert "short" not in cache
    assert 2 == len(cache)
    assert (1, 2) == (cache.get("long"), cache.get("rewritten"))
    assert 2 == cache.stats().expired


BAD: list[tuple[type[Exception], str, Callable[[], object]]] = [
    (augury.CapacityError, "share", lambda: Cache("1%")),
    (augury.CapacityError, "share", lambda: Cache(0.5)),  # type: ignore[arg-type]
    (augury.CapacityError, "capacity 0", lambda: Cache(0)),
    (augury.CapacityError, "64 lions", lambda: Cache("64 lions")),
    (augury.ConfigError, "journal -1", lambda: Cache(1, journal=-1)),
    (augury.ConfigError, "sample_rows 1000000000", lambda: Cache(1, sample_rows=1e9)),  # type: ignore[arg-type]
    (augury.ConfigError, "seed", lambda: Cache(1, seed=2**64)),
    (augury.ConfigError, "sizeof 3", lambda: Cache(1, sizeof=3)),  # type: ignore[arg-type]
    (augury.ConfigError, "model 3", lambda: Cache(1, model=3)),  # type: ignore[arg-type]
    (augury.ConfigError, "record 3", lambda: Cache(1, record=3)),  # type: ignore[arg-type]
    (augury.ConfigError, "record_sample", lambda: Cache(1, record_sample=0.5)),
    (augury.ConfigError, "ttl 0", lambda: Cache(1).set(1, 1, ttl=0)),
    (augury.ConfigError, "ttl nan", lambda: Cache(1).set(1, 1, ttl=float("nan"))),
    (augury.ConfigError, "size 0", lambda: Cache(1, sizeof=lambda k, v: 0).set(1, 1)),
    (augury.ConfigError, "larger unit", lambda: Cache(1, sizeof=lambda k, v: 2**32).set(1, 1)),
    (augury.ConfigError, "sample_rows=100_000", lambda: dataset_of(Cache(1))),
]


@pytest.mark.parametrize(("error", "word", "attempt"), BAD)
def test_what_cannot_be_is_refused(
    error: type[Exception], word: str, attempt: Callable[[], object]
) -> None:
    """With the value, or the way out."""
    with pytest.raises(error, match=word):
        attempt()


def test_a_refused_size_changes_nothing() -> None:
    """What `sizeof` raises is passed on too."""
    cache: Cache[int, int] = Cache(10, sizeof=lambda key, value: 1 // value)
    cache.set(1, 1)
    for value in (0, -1, 3):
        with pytest.raises((ZeroDivisionError, augury.ConfigError)):
            cache.set(1, value)
    assert 1 == cache.get(1)


def test_every_eviction_is_explained() -> None:
    """A resident has a place, one that has left a decision; asking is no request."""
    cache: Cache[int, int] = Cache(50, journal=4_096)
    serve(cache, 4_000)
    before = cache.stats()
    told = [cache.explain(key) for key in range(1, 2_000)]
    inside = [one for one in told if one.standing is not None]
    assert 50 == len(inside)
    assert {3_999} == {one.now for one in told}
    acts = [decision.act for one in told for decision in one.decisions]
    assert acts.count("evicted") == before.evictions
    assert acts.count("rejected") == before.rejections
    assert before == cache.stats()
    silent: Cache[int, int] = Cache(50, journal=0)
    serve(silent, 4_000)
    assert not any(silent.explain(key).decisions for key in range(1, 2_000))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small saved model."""
    path = tmp_path_factory.mktemp("model") / "small.augury"
    train("synthetic:zipf?n=30000", model="logistic", capacity="2%", rows=2_000).artifact.save(path)
    return path


def test_a_model_comes_and_goes_while_the_cache_runs(model: Path, tmp_path: Path) -> None:
    """No entry is lost; what is no model changes nothing."""
    cache: Cache[int, int] = Cache(200, model=model)
    serve(cache, 2_000)
    resident = next(key for key in range(2_000) if key in cache)
    count = len(cache)

    def prediction() -> float | None:
        standing = cache.explain(resident).standing
        assert standing is not None
        return standing.prediction

    assert 0 <= (prediction() or -1) <= 1
    bad = tmp_path / "no.augury"
    bad.write_bytes(b"{}")
    for path in (bad, tmp_path / "none.augury"):
        with pytest.raises(augury.ArtifactError, match=path.name):
            cache.load_model(path)
    assert prediction() is not None
    cache.load_model(None)
    assert prediction() is None
    cache.load_model(Artifact.load(model))
    assert prediction() is not None
    assert count == len(cache)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["tree", "survival"])
def test_a_cache_learns_from_its_own_history(kind: str) -> None:
    """From sampled rows to a model at work in the same cache."""
    cache: Cache[int, int] = Cache(100, sample_rows=3_000)
    serve(cache, 30_000)
    data = dataset_of(cache)
    assert 3_000 == len(data)
    assert 30_000 == data.requests
    assert (data.ticks[1:] >= data.ticks[:-1]).all()
    assert (data.ticks + data.waits <= data.requests).all()
    assert 0.1 < data.observed.mean() < 1
    assert 100 < data.residence < 2_000
    assert cache.memory_bytes - Cache(100).memory_bytes > 3_000 * 64
    found = fit(KINDS[kind], data, data.horizon(), parameters={}, seed=1)
    horizon = data.horizon()
    artifact = Artifact.of(describe(found.estimator), meaning="probability", horizon=horizon)
    cache.load_model(artifact)
    serve(cache, 20_000, seed=2)
    experts = {expert.name for expert in cache.explain(1).experts}
    assert any(name.startswith("learned") for name in experts)
    assert 0.3 < cache.stats().hit_ratio < 1


def test_a_cycle_through_the_cache_is_collected() -> None:
    """The garbage collector sees the entries."""

    class Node:
        cache: "Cache[str, Node]"

    node = Node()
    node.cache = Cache(10)
    node.cache.set("self", node)
    gone = weakref.ref(node)
    del node
    gc.collect()
    assert gone() is None
