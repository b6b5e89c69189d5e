"""The benchmark of an application: what it counts and finds, on real servers; never its times."""

import random
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.application import measuring, section, sizing
from benchmarks.application.contestants import Database, InProcess, Redis, fill
from benchmarks.application.servers import redis_server
from benchmarks.application.workload import Workload
from examples.query_cache.postgres import postgres, tools

MEASURED = 1_000

needs_redis = pytest.mark.skipif(
    not (shutil.which("redis-server") or shutil.which("valkey-server")),
    reason="no redis-server: apt-get install redis-server",
)


def has_postgres() -> bool:
    """Whether PostgreSQL's programs are installed."""
    try:
        tools()
    except FileNotFoundError:
        return False
    return True


needs_postgres = pytest.mark.skipif(
    not has_postgres(), reason="no PostgreSQL: apt-get install postgresql"
)


@pytest.fixture(scope="module")
def workload() -> Workload:
    """Some keys asked for far more than others, with answers of 300 to 1,500 bytes."""
    draw = np.random.default_rng(1)
    keys = (draw.pareto(0.6, 12_000) * 10).astype(np.int64) % 3_000
    return Workload.of("drawn", keys, 300 + keys % 1_201, MEASURED)


@pytest.fixture(scope="module")
def url(workload: Workload) -> Iterator[str]:
    """Of a database with the rows that the workload asks for."""
    with postgres() as named:
        found = named.replace("+psycopg", "")
        fill(found, workload)
        yield found


def misses_of(
    capacity: int, keys: np.ndarray[Any, Any], measured: int, draw: random.Random | None = None
) -> int:
    """How many of the last requests an LRU of this many entries would miss, or one that draws."""
    held: dict[int, None] = {}
    missed = 0
    for number, key in enumerate(keys.tolist()):
        if key in held:
            del held[key]
        else:
            missed += number >= len(keys) - measured
            if len(held) == capacity:
                del held[draw.choice([*held]) if draw else next(iter(held))]
        held[key] = None
    return missed


def test_the_last_size_of_a_key_is_that_of_its_answer(tmp_path: Path) -> None:
    """Also after it was kept for another process."""
    made = Workload.of("w", [7, 9, 7, 8], [10, 20, 30, 2], 1)
    made.save(tmp_path / "kept.npz")
    for found in (made, Workload.load(tmp_path / "kept.npz")):
        assert [30, 4, 20] == [len(found.answer(key)) for key in (7, 8, 9)]
        assert [[7, 9, 7], [8]] == [found.first.tolist(), found.last.tolist()]
        assert (5, "w") == (found.capacity, found.name)


@needs_postgres
def test_the_database_answers_as_the_workload_says(url: str, workload: Workload) -> None:
    """For every key; each is a query."""
    with closing(Database(url)) as database:
        for key in workload.objects.tolist():
            assert workload.answer(key) == database.ask(key)
        assert len(workload.objects) == database.queries


@needs_postgres
def test_augury_asks_the_database_what_it_misses(url: str, workload: Workload) -> None:
    """As often as the same cache does in a process of its own, where memory is measured."""
    alone = sizing.in_process(workload)
    with closing(Database(url)) as database:
        augury = InProcess(workload).before(database)
        answers = [augury.ask(key) for key in workload.last.tolist()]
        assert [workload.answer(key) for key in workload.last.tolist()] == answers
        assert augury.queries == database.queries == alone.misses
    assert 0 < alone.misses < MEASURED
    assert alone.grown > 0
    assert workload.capacity < alone.counted
    assert len(augury.cache) == alone.entries


@needs_redis
def test_a_server_too_small_for_a_batch_misses_it(workload: Workload) -> None:
    """It refuses what it is sent, is not asked again for that, and goes on."""
    with redis_server() as whole, redis_server() as none:
        whole.limit("allkeys-lru", 50_000_000)
        none.limit("allkeys-lru", 1 - none._used)
        keys = workload.last[:300]
        assert sizing.feed([whole, none], workload, keys)[1] > len(set(keys.tolist()))
        assert none.client.dbsize() == 0 < whole.client.dbsize()


@needs_redis
def test_redis_misses_as_an_lru_does_and_keeps_its_limit(workload: Workload) -> None:
    """Where all fits it misses what is new; where not, what an LRU misses or little more."""
    with redis_server() as whole, redis_server() as part:
        whole.limit("allkeys-lru", 50_000_000)
        part.limit("allkeys-lru", 600_000)
        sizing.feed([whole, part], workload, workload.first)
        missed, more = sizing.feed([whole, part], workload, workload.last)
        new = set(workload.last.tolist()) - set(workload.first.tolist())
        assert len(new) == missed
        assert part.used < 600_000 * 1.1
        entries: Any = part.client.dbsize()
        assert entries < len(workload.objects) / 2
        # Its clock goes by seconds: what came in the same one is evicted by chance.
        by_age = misses_of(entries, workload.keys, MEASURED)
        by_chance = misses_of(entries, workload.keys, MEASURED, random.Random(1))
        assert 0.75 * by_age < more < 1.25 * by_chance


@needs_redis
@needs_postgres
def test_redis_is_told_what_the_database_says(url: str, workload: Workload) -> None:
    """So it is asked once for each key where all fits."""
    keys = workload.objects[:20].tolist() * 3
    with redis_server() as server, closing(Database(url)) as database:
        server.limit("allkeys-lfu", 10_000_000)
        redis = Redis(server, database)
        assert [workload.answer(key) for key in keys] == [redis.ask(key) for key in keys]
        assert 20 == redis.queries == database.queries


def test_a_wrong_answer_is_no_measurement(workload: Workload) -> None:
    """It is told with its key."""

    class Wrong:
        queries = 0

        def ask(self, _: int) -> bytes:
            return b"no"

    with pytest.raises(RuntimeError, match="w answers b'no' for key"):
        measuring.take_turns({"w": Wrong()}, workload, 1)


def test_sizes_are_read_between_points() -> None:
    """On logarithmic scales; of misses the more for the less memory; none beyond the ends."""
    points = [
        sizing.Point(limit, 1, misses, 2 * limit, 1)
        for limit, misses in ((100, 80), (400, 20), (1_600, 5))
    ]
    assert 200 == sizing.size_for(points, "grown", 400)
    assert 200 == sizing.size_for(points, "misses", 40)
    assert 400 == sizing.size_for(points, "misses", 20)
    assert None is sizing.size_for(points, "misses", 81)
    assert None is sizing.size_for(points, "grown", 199)


@needs_redis
@needs_postgres
def test_every_contestant_is_compared_and_shown(url: str, workload: Workload) -> None:
    """All that could be sized, with what they asked the database; in tables of even width."""
    row = measuring.compare(url, workload, 2)
    runs = row["runs"]
    assert ["no cache", "augury"] == list(runs)[:2]
    assert 1_000 == runs["no cache"]["queries_per_1000"]
    assert runs["augury"]["memory"]["misses"] == runs["augury"]["queries_per_1000"]
    equal = [run for name, run in runs.items() if "equal memory" in name]
    assert equal
    for run in equal:
        assert 0.5 < run["memory"]["grown"] / runs["augury"]["memory"]["grown"] < 2
        assert 0 < run["queries_per_1000"] < 1_000
    text = section.application_section({"rounds": 2, "workloads": [row]})
    assert "### drawn" in text
    assert f"| augury | {section.micros(runs['augury'], 'mean')} (" in text
    tables = [line.count(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert 2 == len(set(tables))
