"""Training on many traces and shards: the same here and on Ray, also where a worker dies."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import augury as package
from augury.learn import DataSet, Executor, ManyTraining, here, on_ray, train_many
from augury.learn.scaling.shards import Shard, next_of, opened, part_of
from augury.learn.scaling.training import merged
from augury.reading import Reading
from small_traces import Run

TRACES = [f"synthetic:zipf?n=30000&objects=3000&seed={seed}" for seed in (1, 2)]
SETTINGS: dict[str, Any] = {"model": "tree", "capacity": "5%", "rows": 8_000, "shards": 2}


@pytest.fixture(scope="module")
def ray() -> Iterator[Executor]:
    """Two workers on this machine."""
    pytest.importorskip("ray")
    with on_ray(workers=2) as execute:
        yield execute


@pytest.fixture(scope="module")
def alone() -> ManyTraining:
    """The training without Ray."""
    return train_many(TRACES, **SETTINGS)


def content(found: ManyTraining) -> tuple[dict[str, Any], bytes]:
    """Everything but the date: the card, and the answers for the rows."""
    card = found.artifact.card
    del card["trained"]
    return card, found.artifact.predict(found.data.X).tobytes()


def test_ray_trains_what_one_machine_trains(alone: ManyTraining, ray: Executor) -> None:
    """Rows, model, judgements: equal to the last bit."""
    told: list[float] = []
    found = train_many(
        TRACES, **SETTINGS, execute=ray, progress=lambda share, _: told.append(share)
    )
    assert content(alone) == content(found)
    assert np.array_equal(alone.data.X, found.data.X)
    assert alone.judgements == found.judgements
    assert 4 == len(found.judgements)
    assert sorted(told) == told
    assert 1.0 == told[-1]


def test_a_worker_that_dies_costs_nothing_but_time(ray: Executor, tmp_path: Path) -> None:
    """Its task is done by another; results are in order."""
    marker = tmp_path / "died"
    done: list[int] = []

    def die_once(number: int) -> int:
        if number == 2 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number * number

    assert [0, 1, 4, 9, 16] == ray(die_once, range(5), done.append)
    assert marker.exists()
    assert [1, 2, 3, 4, 5] == done


def test_training_survives_the_death_of_its_workers(alone: ManyTraining, ray: Executor) -> None:
    """Killed while they sample: the result is that of one machine."""
    killed: list[int] = []

    def kill_one(share: float, what: str) -> None:
        # The word comes when one shard is sampled; a worker may be between two of them.
        if not killed and 0 < share < 0.4 and what.startswith("sampling"):
            killed.extend(workers()[:1])
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    found = train_many(TRACES, **SETTINGS, execute=ray, progress=kill_one)
    assert 1 == len(killed)
    assert content(alone) == content(found)


def workers() -> list[int]:
    """The processes of Ray that sample a shard, or are about to."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith((b"ray::data_of", b"ray::IDLE")):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_what_a_task_raises_is_raised(ray: Executor) -> None:
    """By name and with its message, from here and from Ray."""
    for execute in (here, ray):
        with pytest.raises(package.TraceError, match=r"none\.csv"):
            train_many(["none.csv"], execute=execute)


def test_shards_are_the_parts_of_a_trace() -> None:
    """Each object is in one, with all of its requests in order and its part of the capacity."""
    requests = 0
    for number in range(3):
        shard = Shard(TRACES[0], number, 3, "10%", 100, 1.0, 1, Reading())
        with opened(shard) as (trace, capacity):
            requests += trace.requests
            assert 0.2 < trace.objects / 3_000 < 0.45
            assert 0.9 < 3 * trace.resolve(capacity.asked) / 300 < 1.1
    assert 30_000 == requests
    ids = np.array([5, 7, 5, 5, 7], np.uint64)
    assert [2, 4, 3, -1, -1] == next_of(ids).tolist()
    assert set(range(4)) == set(part_of(np.arange(1_000, dtype=np.uint64), 4).tolist())


def test_rows_of_many_keep_their_labels() -> None:
    """Those that are certain in their own part, by relative time; none late in its part is kept."""

    def part(requests: int, ticks: list[int], waits: list[int]) -> DataSet:
        count = len(ticks)
        rows = np.full((count, 4), requests, np.float32)
        flags = np.ones(count, np.bool_)
        return DataSet(rows, np.array(ticks), np.array(waits), flags, requests, 10, 1.0)

    found = merged([part(100, [10, 50, 95], [5, 50, 1]), part(1_000, [300, 900], [5, 50])], 20)
    assert [100.0, 1_000.0, 100.0, 1_000.0] == found.X[:, 0].tolist()
    assert [True, True, False, False] == found.labelled(20)[1].tolist()


def test_the_command_trains_on_many(augury: Run, tmp_path: Path) -> None:
    """Without Ray and with it: the same model; options of one trace are refused."""
    pytest.importorskip("ray")
    short = [trace.replace("30000", "12000") for trace in TRACES]
    options = ["--model", "survival", "--capacity", "5%", "--rows", "4000", "--json"]
    cards = []
    for extra in ([], ["--ray", "--jobs", "1"]):
        done = augury("train", *short, *options, *extra, "-o", tmp_path / "many.augury")
        assert 0 == done.returncode, done.stderr
        card = json.loads(done.stdout)
        cards.append(card | {"trained": ""})
    assert cards[0] == cards[1]
    assert "2 traces" == cards[0]["trace"]
    done = augury("train", *short, "--tune")
    assert (2, True) == (done.returncode, "--tune is for one trace" in done.stderr)
