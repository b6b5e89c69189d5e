"""The benchmarks' scores, tables and counts; never their times."""

import asyncio
import math
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import (
    bandit,
    findings,
    freshness,
    freshness_chart,
    freshness_section,
    inputs,
    learning,
    library,
    memory,
    overhead,
    processes,
    render,
    scores,
    sequence_section,
)
from benchmarks.placement import section as placement_section
from benchmarks.serving import section as serving_section
from benchmarks.web.laws import LAWS, kept_by
from benchmarks.web.section import web_section

MACHINE = {
    "cpu": "a processor", "cores": 2, "memory_gib": 4, "system": "Linux 6", "python": "3.11",
    "rustc": "1.95", "libcachesim": "0.3.5", "augury": "0.1.0", "revision": "abc",
}  # fmt: skip


def manifest(**roles: str) -> dict[str, dict[str, Any]]:
    """Traces with objects of mean size 2."""
    return {name: {"role": role, "mean_object_size": 2.0} for name, role in roles.items()}


def published(capacity: int = 200, **ratios: float | None) -> dict[str, Any]:
    """A cell of peers.json."""
    policies = {peer: ratio and [ratio, ratio, 1.0] for peer, ratio in ratios.items()}
    return {"capacity": capacity, "requests": 1000, "policies": policies}


def one_cell(**ratios: float | None) -> scores.Cell:
    """A cell with these peers."""
    [cell] = scores.read_cells(manifest(t="benchmark"), {"t|0.1": published(**ratios)})
    return cell


@pytest.fixture
def cells() -> list[scores.Cell]:
    """Two cells that count, one without room, one too small, one of another role."""
    rows = {
        "b|0.01": published(LRU=0.8, GDSF=0.6, LRB=None, Belady=0.5, BeladySize=0.4),
        "b|0.1": published(LRU=0.6, GDSF=0.7, LRB=0.5, Belady=0.2, BeladySize=0.3),
        "a|0.1": published(LRU=0.504, GDSF=0.503, LRB=0.502, Belady=0.5, BeladySize=0.5),
        "a|0.001": published(capacity=99, LRU=0.9, GDSF=0.8, Belady=0.1, BeladySize=0.1),
        "r|0.1": published(LRU=0.9, GDSF=0.8, Belady=0.1, BeladySize=0.1),
    }
    return scores.read_cells(manifest(a="benchmark", b="benchmark", r="regression"), rows)


def test_cells_follow_the_manifest_then_the_capacity(cells: list[scores.Cell]) -> None:
    """Whatever their order in the file."""
    assert ["a|0.001", "a|0.1", "b|0.01", "b|0.1", "r|0.1"] == [cell.key for cell in cells]


def test_only_cells_with_room_count(cells: list[scores.Cell]) -> None:
    """Room for 50 objects of mean size, and a bound 0.005 below LRU; by role."""
    assert ["b|0.01", "b|0.1"] == [cell.key for cell in scores.counted(cells)]
    assert ["r|0.1"] == [cell.key for cell in scores.counted(cells, "regression")]
    assert ["room for 50 objects", "bound 0.0040 below LRU"] == [
        cell.omission for cell in cells[:2]
    ]


def test_the_bound_is_the_lowest_of_the_oracles_and_the_best_peer() -> None:
    """Oracles are no peers; a peer can be below both of them."""
    cell = one_cell(LRU=0.8, GDSF=0.3, Belady=0.5, BeladySize=0.4)
    assert ("GDSF", 0.3, 0.3) == (cell.best_peer, cell.best, cell.bound)
    assert 0.4 == one_cell(LRU=0.8, GDSF=0.6, Belady=0.5, BeladySize=0.4).bound


def test_the_first_peer_by_name_stands_for_several() -> None:
    """A tie does not depend on the order in the file."""
    assert "ARC" == one_cell(LRU=0.5, MQ=0.4, ARC=0.4, Belady=0.3).best_peer


def test_the_score_is_over_the_means_of_seeds(cells: list[scores.Cell]) -> None:
    """Gap closed, wins and regret by hand; the worst seed on its own."""
    values = {"b|0.01": [0.58, 0.60, 0.62], "b|0.1": [0.5, 0.53], "a|0.1": [0.0]}
    found = scores.score("auto", values, scores.counted(cells))
    expected = [(0.8 - 0.6) / 0.4, (0.6 - 0.515) / 0.4]
    assert pytest.approx(sum(expected) / 2) == found.gap_mean
    assert pytest.approx(min(expected)) == found.gap_min
    assert 0.5 == found.wins
    assert pytest.approx(0.015) == found.regret
    assert pytest.approx(0.03) == found.regret_worst_seed
    assert (2, 0) == (found.cells, found.missing)


def test_a_peer_that_did_not_finish_is_scored_where_it_did(cells: list[scores.Cell]) -> None:
    """The cells without a result are counted."""
    counted = scores.counted(cells)
    found = scores.score("LRB", scores.peer_values(counted, "LRB"), counted)
    assert (1, 1, 1.0) == (found.cells, found.missing, found.wins)


def test_a_policy_without_results_has_no_score(cells: list[scores.Cell]) -> None:
    """Nothing is claimed of it."""
    with pytest.raises(ValueError, match="auto has no result in any of the 2 cells"):
        scores.score("auto", {}, scores.counted(cells))


def test_cells_above_the_best_peer_are_named_by_excess(cells: list[scores.Cell]) -> None:
    """The largest first; a tie is no shortfall."""
    counted = scores.counted(cells)
    falls = scores.shortfalls({"b|0.01": [0.601], "b|0.1": [0.52]}, counted)
    assert ["b|0.1", "b|0.01"] == [fall.cell.key for fall in falls]
    assert [] == scores.shortfalls({"b|0.01": [0.6 + 1e-12]}, counted)


def test_the_published_peers_score_as_the_design_says() -> None:
    """GDSF 0.21, S3FIFO 0.17, TwoQ 0.17, ARC 0.16 over 28 cells."""
    try:
        shared = inputs.Shared.find()
    except SystemExit:
        pytest.skip("the shared traces are not here")
    counted = scores.counted(scores.read_cells(shared.manifest, shared.peers))
    expected = {"GDSF": 0.21, "S3FIFO": 0.17, "TwoQ": 0.17, "ARC": 0.16, "LRU": 0.0}
    found = {
        peer: round(scores.score(peer, scores.peer_values(counted, peer), counted).gap_mean, 2)
        for peer in expected
    }
    assert 28 == len(counted)
    assert expected == found


def test_a_cut_trace_knows_no_later_access(tmp_path: Path) -> None:
    """What would come after the cut is no next access; the footprint is of the last sizes."""
    rows = [(0, 7, 10, 2), (1, 8, 20, 3), (2, 7, 30, -1), (3, 8, 40, -1)]
    path = tmp_path / "trace"
    path.write_bytes(b"".join(struct.pack("<IQIq", *row) for row in rows))
    assert (70, 2) == inputs.footprint(path)
    records = inputs.np.fromfile(path, inputs.RECORD)
    first = inputs.cut(records, 3)
    assert [2, -1, -1] == first["nx"].tolist()
    assert 3 == records["nx"][1]


def test_instructions_are_counted_by_the_file_of_their_lines() -> None:
    """Two levels of modules in the engine; what is not ours is elsewhere."""
    profile = """desc: x
cmd: x
events: Ir
fl=/somewhere/crates/augury-core/src/guard/shadows.rs
fn=a
12 100
13 5
fl=crates/augury-core/src/guard/mod.rs
fn=b
1 20
fl=crates/augury-replay/src/trace/reader.rs
fn=c
2 7
fl=/rustc/library/core/src/slice/mod.rs
fn=d
3 30
summary: 162
"""
    total, modules = overhead.by_module(profile)
    assert 162 == total
    assert {"guard/shadows": 105, "guard": 20, "replay: trace": 7, "elsewhere": 30} == modules


def test_per_resident_is_a_slope_and_the_rest_is_fixed() -> None:
    """Two points make a line; the strictest reading divides everything."""
    half = {"resident": 500, "beyond": 1000 + 40 * 500}
    full = {"resident": 1000, "beyond": 1000 + 40 * 1000, "peak": 60_000, "store_peak": 10_000}
    found = memory.slope(half, full)
    assert (40, 1000, 41, 50) == tuple(
        found[name] for name in ("per_resident", "fixed", "all_per_resident", "peak_per_resident")
    )


def test_a_ratio_is_of_medians_and_its_spread_of_rounds() -> None:
    """One bad round does not move it, but shows."""
    found = processes.ratio([2.0, 2.0, 9.0], [1.0, 1.0, 1.0])
    assert {"median": 2.0, "min": 2.0, "max": 9.0, "runs": 3} == found


def test_a_measured_process_answers_with_its_last_line() -> None:
    """Its CPU time comes from the kernel."""
    run = processes.measured([sys.executable, "-c", "print('noise'); print('{\"a\": 1}')"])
    assert {"a": 1} == run.answer
    assert run.cpu_seconds > 0


def test_a_process_that_fails_or_takes_too_long_is_no_measurement() -> None:
    """It is ended, and said so."""
    with pytest.raises(RuntimeError, match="ended with 3"):
        processes.measured([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(processes.TooLongError):
        processes.measured([sys.executable, "-c", "while True: pass"], limit_seconds=0)


def speed_row(objects: int, lru: float, auto: float, lrb: float | None = None) -> dict[str, Any]:
    """A cell of speed.json with ratios that do not spread."""
    flat = {
        "peer LRU / lru": lru,
        "peer LRU 2^20 / lru": lru,
        "lru / auto": auto,
        **({"peer LRB / auto": lrb, "peer LRB / peer LRU": 50.0} if lrb else {}),
    }
    ratios = {
        name: {"median": value, "min": value, "max": value, "runs": 5}
        for name, value in flat.items()
    }
    seconds = {"lru": {"median": 0.1, "min": 0.1, "max": 0.1, "runs": 5}}
    row = {"trace": "t", "capacity": "1%", "objects": objects}
    return {**row, "ratios": ratios, "cpu_seconds": seconds}


@pytest.fixture
def parts() -> dict[str, dict[str, Any]]:
    """One small result of each part."""
    rows = {
        "auto": [[0.55, 0.5], [0.57, 0.5]],
        "lru": [[0.8, 0.7]],
        "gdsf": [[0.6, 0.6]],
        "belady": [[0.5, 0.5]],
    }
    worse = {**rows, "auto": [[0.52, 0.5]]}
    cells = {
        "b|0.01": {"capacity": 200, "requests": 1000, "policies": rows},
        "b|0.1": {"capacity": 200, "requests": 1000, "policies": worse},
    }
    learnt = {
        "trace": "b", "role": "benchmark", "capacity": "1%", "requests": 1000, "objects": 100,
        "lru": 0.8, "auto": 0.5, "auto_worst": 0.5, "bound": 0.4,
    }  # fmt: skip
    held = {
        "capacity": 1000, "resident": 1000, "store": 40_000, "auto": 80_000, "beyond": 40_000,
        "new": 0, "peak": 90_000, "store_peak": 40_000, "own_count": 80_000, "requests": 1000,
    }  # fmt: skip
    slope = {"per_resident": 49.0, "fixed": 0, "all_per_resident": 50, "peak_per_resident": 50}
    worked = {
        "trace": "b", "capacity": "1%", "objects": 100,
        "instructions": {"none": 10.0, "lru": 110.0, "survival": 310.0, "auto": 510.0},
        "modules": {"guard": 100.0, "hash": 0.5},
        "cpu_seconds": {"lru": {"median": 1.0}, "auto": {"median": 4.0}},
    }  # fmt: skip
    chosen = {
        "workload": "shift", "capacity": 500, "best": "heat", "best_ratio": 0.5,
        "regret": {"leader": -0.01, "LeCaR": 0.1},
        "regret_worst_seed": {"leader": 0.02, "LeCaR": 0.2},
    }  # fmt: skip
    recorded = {"leader": {"b|0.01": [0.58], "b|0.1": [0.5]}}
    near = {
        "costs": [
            {"contestant": "`Cache.get`", "rounds": [100.0], "nanoseconds": 100.0},
            {"contestant": "near cache, hit", "rounds": [120.0], "nanoseconds": 120.0},
            {"contestant": "redis-py, GET", "rounds": [5_000.0], "nanoseconds": 5_000.0},
        ],
        "workload": [
            {"contestant": name, "operations": 10, "requests": 9, "p50_us": p50, "p99_us": 1.0,
             "cpu_us": 1.0}
            for name, p50 in (("redis-py", 100.0), ("near cache", 1.0))
        ],
        "ratios": {"requests": 10, "near": 0.7, "replay": 0.71},
        "checker": {
            "operations": 10, "hits": 5, "seconds": 1.0, "faults": {"node killed": 1}, "lapses": 1,
            "losses": 1, "stale": {"a": 0, "b": 0, "c": 1}, "lost_writes": 0, "behind_lost": 0,
            "stale_plain": 0,
        },
    }  # fmt: skip
    content: dict[str, dict[str, Any]] = {
        "nearcache": near,
        "bandit": {"cells": [chosen], "recorded": recorded},
        "miss_ratios": {"absent": ["lfu"], "cells": cells},
        "learning": {"requests": 100_000, "cells": [learnt]},
        "speed": {
            "rounds": 5,
            "start": {},
            "cells": [speed_row(20_000, 1.2, 0.6), speed_row(100, 0.9, 0.3, 25.0)],
        },
        "memory": {"cells": [held], **slope},
        "overhead": {"absent": [], "cells": [worked]},
    }
    return {name: {"quick": False, "machine": MACHINE, **part} for name, part in content.items()}


def test_every_target_is_judged(parts: dict[str, Any], cells: list[scores.Cell]) -> None:
    """What is met, what is not, and where it is worst."""
    found = {finding.what: finding for finding in findings.findings(parts, cells)}
    assert found["mean gap closed, 2 cells"].met is False
    assert ("50%", "b 10%") == (
        found["at or under the best peer"].value,
        found["at or under the best peer"].where,
    )
    assert found["regret, mean of seeds"].value == "0.0200"
    speeds = {finding.what: finding.met for finding in findings.judge_speed(parts["speed"])}
    assert {
        "LRU beside libCacheSim's LRU, 2 cells": False,
        "the same with 2^20 buckets in theirs (stricter than asked), 2 cells": False,
        "auto beside our LRU, 10,000 objects and more, 1 cell": True,
        "auto beside our LRU, fewer objects, 1 cell": True,
        "auto beside LRB, 1 cell": True,
    } == speeds
    assert [True, True, False] == [f.met for f in findings.judge_memory(parts["memory"])]


def test_the_near_cache_is_judged(parts: dict[str, Any]) -> None:
    """Cost of a hit beside `get` and GET, latency, hit ratio, and the checker's count."""
    found = list(findings.judge_nearcache(parts["nearcache"]))
    assert ["1.20", "42x", "100x", "0.0100", "1"] == [finding.value for finding in found]
    assert [True, False, True, False, False] == [finding.met for finding in found]


def test_results_name_what_falls_short(parts: dict[str, Any], cells: list[scores.Cell]) -> None:
    """The cell, the peer and the excess; the lower of peer and auto in bold."""
    text = render.render(parts, cells)
    assert "In 1 of the 2 cells that count auto is above the best peer:" in text
    assert "- b at 10%: 0.5200, 0.0200 above LRB (0.5000); gap closed 0.200" in text
    assert "0.6000 GDSF | **0.5600** | 0.0200 | -0.0400" in text
    assert "**0.5000** LRB | 0.5200 |" in text
    assert "Not in this engine: lfu." in text
    assert "**49.0 bytes per resident**" in text
    assert "| 10 | 110 | 310 | 510 | 39% | 39% | 4.64 | 4.00 |" in text


def test_results_are_tables_of_even_width(parts: dict[str, Any], cells: list[scores.Cell]) -> None:
    """Every row has as many columns as the head above it."""
    width = 0
    for line in render.render(parts, cells).splitlines():
        columns = line.count(" | ") if line.startswith("| ") else 0
        assert columns in (0, width) or width == 0, line
        width = columns


def test_parts_that_were_not_measured_say_so(cells: list[scores.Cell]) -> None:
    """Nothing is claimed without a measurement."""
    text = render.render({}, cells)
    assert 26 == text.count("Not measured.")
    assert "a quick run" not in text.lower()


def test_the_guards_choice_is_judged_by_regret(
    parts: dict[str, Any], cells: list[scores.Cell]
) -> None:
    """Below the best expert is below 0; the worst seed on its own; recorded cells too."""
    text = render.bandit_section(parts["bandit"], cells)
    assert "| shift, 500 | 0.5000 heat | -0.0100 | +0.1000 |" in text
    assert "| **largest, worst seed** |  | +0.0200 | +0.2000 |" in text
    assert "| leader | 0.400 | 0.250 | 100% |" in text


def test_regret_is_against_the_best_expert_of_each_seed() -> None:
    """Not against the one that is best on average, which no seed may have had."""
    by_seed = [{"a": 0.5, "b": 0.6, "rule": 0.55}, {"a": 0.7, "b": 0.5, "rule": 0.52}]
    assert pytest.approx([0.05, 0.02]) == bandit.regrets(by_seed, "rule", ["a", "b"])


def test_a_quick_run_is_no_result(parts: dict[str, Any], cells: list[scores.Cell]) -> None:
    """It says so at the top."""
    parts["memory"]["quick"] = True
    assert "**A quick run**" in render.render(parts, cells)


def test_learning_counts_ties_as_behind() -> None:
    """To beat is to be below."""
    row = {"trace": "b", "role": "benchmark", "capacity": "1%", "lru": 0.5, "auto": 0.5}
    [finding] = findings.judge_learning({"requests": learning.REQUESTS, "cells": [row]})
    assert (False, "b 1%") == (finding.met, finding.where)


def test_fractions_read_as_capacities() -> None:
    """The label of a capacity names its share."""
    assert ["0.1%", "1%", "10%"] == [inputs.percent(fraction) for fraction in inputs.FRACTIONS]
    assert math.isclose(0.001, float(inputs.FRACTIONS[0]))


def refreshed(workload: str, **removed: float) -> dict[str, Any]:
    """A row of freshness.json with straight curves."""
    at = dict.fromkeys(freshness.SWEEPS, 0.1) | removed
    curves = {name: [[1.0, 0.1, value], [2.0, 0.3, value]] for name, value in at.items()}
    budgeted = {"spent": 0.08, "removed": 0.5}
    return {"workload": workload, "at": at, "curves": curves, "budgeted": budgeted}


def test_what_is_removed_for_a_price_is_between_the_points_around_it() -> None:
    """A dearer point that removes less does not count; nothing is had for nothing."""
    curve = [[3.0, 0.2, 0.6], [1.0, 0.05, 0.3], [2.0, 0.08, 0.2]]
    assert pytest.approx(0.4) == freshness.removed_at(0.14, curve)
    assert pytest.approx(0.3) == freshness.removed_at(0.06, curve)
    assert pytest.approx(0.06) == freshness.removed_at(0.01, curve)
    assert pytest.approx(0.6) == freshness.removed_at(0.9, curve)


def test_refresh_ahead_is_judged_by_the_better_baseline(tmp_path: Path) -> None:
    """The worst workload, and the periodic one; what falls short is bold."""
    rows = [
        refreshed("ttl-periodic", planned=0.95, xfetch=0.3, **{"most-recent": 0.6}),
        refreshed("ttl-poisson", planned=0.66, xfetch=0.55, **{"most-recent": 0.5}),
    ]
    part = {"quick": False, "cells": rows}
    beside, periodic = findings.judge_freshness(part)
    assert ("1.20", False, "ttl-poisson") == (beside.value, beside.met, beside.where)
    assert ("95.0%", True) == (periodic.value, periodic.met)
    text = freshness_section.freshness_section(part)
    assert "| 1.58 | 1.67, 0.17 | 0.500 at +8.0% |" in text
    assert "| **1.20** |" in text
    assert "](results/freshness.svg)" in text
    drawn = [tmp_path / name for name in ("one.svg", "two.svg")]
    for path in drawn:
        freshness_chart.draw(rows, path)
    one, two = (path.read_text() for path in drawn)
    assert one == two
    assert "ttl-poisson" in one


def test_memoized_contestants_call_once() -> None:
    """Whoever is timed at a call that is known knows it; theine too, of both kinds of function."""
    calls: list[int] = []

    def plain(number: int) -> int:
        calls.append(number)
        return number + 1

    async def coroutine(number: int) -> int:
        return plain(number)

    async def twice(function: Any) -> list[int]:
        return [await function(number) for number in (1, 2, 1, 2)]

    of_plain, of_coroutine = library.memoizers(plain), library.memoizers(coroutine)
    assert {"augury", "cachebox", "theine"} == of_coroutine.keys()
    assert of_coroutine.keys() | {"functools", "cachetools"} == of_plain.keys()
    for function in of_plain.values():
        assert [2, 3, 2, 3] == [function(number) for number in (1, 2, 1, 2)]
    for function in of_coroutine.values():
        assert [2, 3, 2, 3] == asyncio.run(twice(function))
    assert [1, 2] * (len(of_plain) + len(of_coroutine)) == calls


def foreseen(trace: str, ratio: float, **changes: Any) -> dict[str, Any]:
    """A cell of the part on sequence models: 0.5 without prefetch, 0.3 by successors."""
    outcomes = {
        name: {"ratio": one, "extra": 0.01, "accuracy": 0.5, "coverage": 0.1}
        for name, one in {"successor": 0.3, "mithril": 0.4, "sequence": ratio}.items()
    }
    row = {
        "trace": trace, "fraction": "0.01", "role": "benchmark", "counts": True, "sessions": False,
        "without": 0.5, "continuations": [10, 2], "variants": {"10%": outcomes, "50%": outcomes},
    }  # fmt: skip
    return row | changes


def test_the_section_on_sequence_models_tells_who_wins_and_what_is_left_out() -> None:
    """Wins are the lowest ratios alone; a cell that cannot be trained on is named."""
    left_out = foreseen("c", 0.1) | {"omission": "too little"}
    level = foreseen("b", 0.3)
    text = sequence_section.sequence_section({"cells": [foreseen("a", 0.2), level, left_out]})
    assert "the model is the lowest in 1 of 2 cells" in text
    assert "sequence 0.2500" in text
    assert "| a 1% | 0.5000 | 0.3000 | 0.4000 | **0.2000** | +1.0% | 0.50 |" in text
    assert "Left out: c 1%: too little." in text
    assert "Not measured." in sequence_section.sequence_section(None)


def test_the_section_on_the_server_sets_ours_beside_valkey() -> None:
    """The last column is the share of valkey's time; entries are told with what was asked."""
    spent = {"augury": 700.0, "augury lru": 600.0, "augury 2 threads": 750.0, "valkey": 1_000.0}
    costs = [
        {"command": "get", "pipeline": 16, "bytes": 64, "server": name, "nanoseconds": each,
         "milliseconds": each / 1_000, "per_second": 1e9 / each}
        for name, each in spent.items()
    ]  # fmt: skip
    part = {
        "costs": costs,
        "entries": [{"server": "augury", "entries": 1_000, "bytes": 66.25}],
        "watched": [
            {"server": name, "nanoseconds": each, "beside": each / 700}
            for name, each in {"augury": 700.0, "augury watched": 721.0}.items()
        ],
    }
    text = serving_section.server_section(part)
    assert "| get, batches of 16, 64 bytes | 700 | 600 | 750 | 1,000 | 0.70 |" in text
    assert "| get, batches of 16, 64 bytes | 0.70 | 0.60 | 0.75 | 1.00 | 0.70 |" in text
    assert "| augury watched | 721 | 1.030 |" in text
    assert "Not measured." in serving_section.server_section(None)


def test_placement_is_judged_by_the_cluster_and_the_forecast() -> None:
    """Met where the busiest node is within the limit and nothing has failed."""
    errors = {"slots": 64, "smape": 0.1, "wape": 0.2}
    told = [
        {"series": "tenants", "method": name, "mase": mase, **errors}
        for name, mase in {"theta": 0.8, "seasonal naive": 1.0, "naive": 3.0}.items()
    ]
    row = {
        "nodes": 3, "requests": 1_000, "failures": 0, "wrong_answers": 0, "even": [1, 2, 6],
        "placed": [3, 3, 3], "even_imbalance": 2.0, "placed_imbalance": 1.12, "stored_bytes": 10**6,
        "expected_imbalance": 1.0, "moved_slots": 4, "moved_bytes": 10**5, "fewest_bytes": 10**5,
        "moving_seconds": 1.0,
    }  # fmt: skip
    way = {"way": "forecast", "days": 8, "mean": 1.05, "worst": 1.1, "plans": 2, "bytes": 10**6}
    part = {"forecasts": told, "drift": [way], "cluster": row}
    assert [False, True, True] == [one.met for one in findings.judge_placement(part)]
    text = placement_section.placement_section(part)
    assert "| tenants | 64 | **0.800** | 1.000 | 3.000 |" in text
    assert "| forecast | 1.050 | 1.100 | 2 of 8 | 1.0 |" in text
    assert "| plan | 3 | 3 | 3 | 1.120 | 0.10 of 1.00 |" in text
    assert "Not measured." in placement_section.placement_section(None)


def test_the_proxys_part_is_rendered() -> None:
    """A row a server and size, and a law that is not kept in bold."""
    rows = [
        {"server": "augury", "bytes": 1000, "microseconds": 70.4, "per_second": 2612.0},
        {"server": "nginx", "bytes": 1000, "microseconds": 9.4, "per_second": 21546.0},
    ]
    laws = [{"section": "4.2.1", "what": "max-age", "augury": True, "hishel": False}]
    text = web_section({"hits": rows, "laws": laws})
    assert "| augury | 1,000 | 70 | 2,612 |" in text
    assert "### Laws: augury 1 of 1, hishel 0 of 1" in text
    assert "| 4.2.1 | max-age | yes | **no** |" in text
    assert "Not measured." in web_section(None)


def test_the_proxys_laws_are_kept() -> None:
    """Each of those that are listed, by the proxy."""
    assert [] == [law.what for law in LAWS if not kept_by("augury", law)]
