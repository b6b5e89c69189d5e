"""What was to be reached, and whether the measurements reach it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks import freshness, scores
from benchmarks.finding import Finding
from benchmarks.freshness_section import PERIODIC, RATIO
from benchmarks.inputs import percent
from benchmarks.nearcache.section import APART, GET_FACTOR, HIT_FACTOR, LATENCY_FACTOR
from benchmarks.placement.section import FORECAST_SERIES, LIMIT
from benchmarks.scores import SAME, Cell
from benchmarks.serving.judging import judge_endurance, judge_equal_memory, judge_server
from benchmarks.speed import LRB_FACTOR
from benchmarks.together.section import NEAR, SOONER

KIB = 1024
MIB = 1024 * KIB
#: Bytes that histories, ghosts and shadows may take for each resident.
PER_RESIDENT = 48


def findings(parts: Mapping[str, dict[str, Any]], cells: Sequence[Cell]) -> list[Finding]:
    """Every target that the measured parts say something about."""
    judges = {
        "miss_ratios": lambda part: judge_miss_ratios(part, cells),
        "learning": judge_learning,
        "speed": judge_speed,
        "memory": judge_memory,
        "prefetch": judge_prefetch,
        "freshness": judge_freshness,
        "models": judge_models,
        "harm": judge_harm,
        "training": judge_training,
        "server": judge_server,
        "equal_memory": judge_equal_memory,
        "endurance": judge_endurance,
        "placement": judge_placement,
        "nearcache": judge_nearcache,
        "together": judge_together,
    }
    found = [judge(parts[name]) for name, judge in judges.items() if name in parts]
    return [finding for each in found for finding in each]


def judge_miss_ratios(part: Mapping[str, Any], cells: Sequence[Cell]) -> Iterator[Finding]:
    """Gap closed, wins and regret of ``auto``."""
    values = {
        key: [row[0] for row in cell["policies"]["auto"]]
        for key, cell in part["cells"].items()
        if "auto" in cell["policies"]
    }
    ran = [cell for cell in cells if cell.key in values]
    counted = scores.counted(ran)
    if counted:
        score = scores.score("auto", values, counted)
        falls = scores.shortfalls(values, counted)
        worst = name(falls[0].cell) if falls else None
        over = f"{score.cells} cells"
        yield Finding(
            f"mean gap closed, {over}", ">= 0.42", f"{score.gap_mean:.3f}", score.gap_mean >= 0.42
        )
        yield Finding(
            "at or under the best peer", ">= 90%", f"{score.wins:.0%}", score.wins >= 0.9, worst
        )
        yield Finding(
            "regret, mean of seeds", "<= 0.010", f"{score.regret:.4f}", score.regret <= 0.01, worst
        )
        worst_seed = score.regret_worst_seed
        yield Finding("regret, worst seed", "<= 0.010", f"{worst_seed:.4f}", worst_seed <= 0.01)
    regression = scores.counted(ran, "regression")
    if regression:
        regret = scores.score("auto", values, regression).regret
        falls = scores.shortfalls(values, regression)
        yield Finding(
            f"regret on the regression traces, {len(regression)} cells",
            "<= 0.03",
            f"{regret:.4f}",
            regret <= 0.03,
            name(falls[0].cell) if falls else None,
        )


def name(cell: Cell) -> str:
    """A cell in words."""
    return f"{cell.trace} {percent(cell.fraction)}"


def judge_learning(part: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether ``auto`` beats LRU early."""
    rows = [row for row in part["cells"] if row["role"] == "benchmark"]
    behind = [row for row in rows if row["auto"] >= row["lru"] - SAME]
    where = ", ".join(f"{row['trace']} {row['capacity']}" for row in behind)
    yield Finding(
        f"beats LRU within {part['requests']:,} requests where Belady leaves room",
        "every cell",
        f"{len(rows) - len(behind)} of {len(rows)}",
        not behind,
        where,
    )


def at(row: Mapping[str, Any]) -> str:
    """Trace and capacity of a row."""
    return f"{row['trace']} {percent(row['fraction'])}"


def judge_prefetch(part: Mapping[str, Any]) -> Iterator[Finding]:
    """Never much worse, within its budget, and below Belady."""
    rows = [row for row in part["cells"] if row["counts"] or row["trace"] == "corda_vault"]
    excess = {at(row): row["variants"]["default"]["ratio"] - row["without"] for row in rows}
    extra = {at(row): row["variants"]["default"]["extra"] for row in rows}
    worst, most = max(excess, key=excess.__getitem__), max(extra, key=extra.__getitem__)
    above = f"{excess[worst]:+.4f}"
    yield Finding(
        "prefetch: above the same without", "<= 0.002", above, excess[worst] <= 0.002, worst
    )
    more = f"{extra[most]:+.1%}"
    yield Finding("prefetch: extra origin requests", "<= 10%", more, extra[most] <= 0.10, most)
    counted = [row for row in rows if row["counts"] and row["role"] == "benchmark"]
    below = sum(row["variants"]["half"]["ratio"] < row["belady"] for row in counted)
    of = f"{below} of {len(counted)} cells"
    enough = below >= 0.25 * len(counted)
    yield Finding("prefetch at +50%: below Belady", ">= 25% of the cells", of, enough)


def judge_freshness(part: Mapping[str, Any]) -> Iterator[Finding]:
    """Expiry misses removed at +10% loads, beside the better baseline and on periodic keys."""
    reached = {row["workload"]: freshness.ratio(row) for row in part["cells"]}
    worst = min(reached, key=reached.__getitem__)
    yield Finding(
        f"refresh-ahead beside the better of XFetch and most recent, {len(reached)} workloads",
        f">= {RATIO}", f"{reached[worst]:.2f}", reached[worst] >= RATIO, worst,
    )  # fmt: skip
    for row in part["cells"]:
        if row["workload"] == "ttl-periodic":
            removed = row["at"]["planned"]
            yield Finding(
                "refresh-ahead, periodic keys: expiry misses removed", f">= {PERIODIC:.0%}",
                f"{removed:.1%}", removed >= PERIODIC,
            )  # fmt: skip


def judge_placement(part: Mapping[str, Any]) -> Iterator[Finding]:
    """Balance on a cluster, and the forecast beside the seasonal naive one."""
    row = part["cluster"]
    reached = row["placed_imbalance"]
    yield Finding(
        f"busiest node after a plan, where even slots give {row['even_imbalance']:.2f}",
        f"<= {LIMIT:.2f}", f"{reached:.3f}", reached <= LIMIT,
    )  # fmt: skip
    lost = row["failures"] + row["wrong_answers"]
    yield Finding("requests failed while slots move", "0", f"{lost}", lost == 0)
    errors = {
        one["method"]: one["mase"] for one in part["forecasts"] if one["series"] == FORECAST_SERIES
    }
    beside = errors["theta"] / errors["seasonal naive"]
    yield Finding(
        "forecast of load beside seasonal naive (MASE)", "< 1", f"{beside:.2f}", beside < 1
    )


def judge_models(part: Mapping[str, Any]) -> Iterator[Finding]:
    """Worth of the best kind."""
    best = max(part["means"], key=lambda kind: part["means"][kind])
    mean = part["means"][best]
    what = f"trained models: mean gain of the best kind ({best})"
    yield Finding(what, ">= 0.003", f"{mean:.4f}", mean >= 0.003)
    losses = {
        f"{at(row)} {kind}": ratio - row["auto"]
        for row in part["worth"]
        for kind, ratio in row["models"].items()
    }
    worst = max(losses, key=losses.__getitem__)
    lost = f"{losses[worst]:.4f}"
    yield Finding(
        "trained models: worse than none by", "<= 0.002", lost, losses[worst] <= 0.002, worst
    )


def judge_harm(part: Mapping[str, Any]) -> Iterator[Finding]:
    """The worst of bad models."""
    harm = {
        f"{at(row)} {word}": excess
        for row in part["cells"]
        for word, excess in row["excess"].items()
    }
    worst = max(harm, key=harm.__getitem__)
    lost = f"{harm[worst]:.4f}"
    yield Finding("random and inverted models: harm", "<= 0.010", lost, harm[worst] <= 0.010, worst)


def judge_training(part: Mapping[str, Any]) -> Iterator[Finding]:
    """Seconds, memory, microseconds."""
    large, forest = part["lightgbm"], part["forest"]
    rows = f"{large['rows']:,} rows and LightGBM"
    seconds, peak = large["seconds"], large["peak_bytes"] / 2**30
    yield Finding(f"training: {rows}", "<= 60 s", f"{seconds:.0f} s", seconds <= 60)
    yield Finding(f"training: {rows}, memory", "<= 2 GiB", f"{peak:.2f} GiB", peak <= 2)
    seconds = forest["seconds"]
    yield Finding(
        f"training: a forest on {forest['rows']:,} rows",
        "<= 60 s",
        f"{seconds:.0f} s",
        seconds <= 60,
    )
    single, batch, theirs = large["single_us"], large["batch_us"], large["lightgbm_us"]
    yield Finding("a native answer, one row", "<= 3 us", f"{single:.2f} us", single <= 3)
    ratio = f"{batch / theirs:.2f}x"
    yield Finding("a native answer beside LightGBM's batch", "<= 1x", ratio, batch <= theirs)


def judge_speed(part: Mapping[str, Any]) -> Iterator[Finding]:
    """The three ratios."""
    rows = part["cells"]
    yield from lowest("LRU beside libCacheSim's LRU", 1.0, "peer LRU / lru", rows)
    yield from lowest(
        "the same with 2^20 buckets in theirs (stricter than asked)",
        1.0,
        "peer LRU 2^20 / lru",
        rows,
    )
    large = [row for row in rows if row["objects"] >= 10_000]
    small = [row for row in rows if row["objects"] < 10_000]
    yield from lowest("auto beside our LRU, 10,000 objects and more", 0.5, "lru / auto", large)
    yield from lowest("auto beside our LRU, fewer objects", 0.25, "lru / auto", small)
    slow = [
        row
        for row in rows
        if row["ratios"].get("peer LRB / peer LRU", {"median": 0})["median"] >= LRB_FACTOR
    ]
    yield from lowest("auto beside LRB", 20, "peer LRB / auto", slow)


def lowest(
    what: str, limit: float, ratio: str, rows: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    """The lowest of a ratio over the cells."""
    if rows:
        worst = min(rows, key=lambda row: row["ratios"][ratio]["median"])
        value = worst["ratios"][ratio]["median"]
        where = f"{worst['trace']} {worst['capacity']}"
        what = f"{what}, {len(rows)} {'cell' if len(rows) == 1 else 'cells'}"
        yield Finding(what, f">= {limit:g}x", f"{value:.2f}x", value >= limit, where)


def judge_memory(part: Mapping[str, Any]) -> Iterator[Finding]:
    """Fixed and per resident; of a small cache no more than the limit is taken as residents'."""
    fixed, each = part["fixed"], part["per_resident"]
    rows = part["cells"]
    small = [
        (row["beyond"] - min(each, PER_RESIDENT) * row["resident"], row)
        for row in rows
        if row["capacity"] <= 1_000
    ]
    if small:
        most, worst = max(small, key=lambda pair: pair[0])
        yield Finding(
            "fixed memory of caches up to 1,000 entries",
            "<= 64 KiB",
            f"{most / KIB:.1f} KiB (with the residents' part {worst['beyond'] / KIB:.1f})",
            most <= 64 * KIB,
            f"capacity {worst['capacity']:,}",
        )
    largest = f"at {rows[-1]['resident']:,} residents"
    yield Finding(f"fixed memory {largest}", "<= 2 MiB", f"{fixed / MIB:.2f} MiB", fixed <= 2 * MIB)
    yield Finding(
        f"bytes per resident {largest}, beyond the store",
        f"<= {PER_RESIDENT}",
        f"{each:.1f}",
        each <= PER_RESIDENT,
    )


def judge_nearcache(part: Mapping[str, Any]) -> Iterator[Finding]:
    """What hits cost, what they spare, and whether anything stale was read."""
    cost = {row["contestant"]: row["nanoseconds"] for row in part["costs"]}
    hit, local, plain = cost["near cache, hit"], cost["`Cache.get`"], cost["redis-py, GET"]
    yield Finding(
        "near-cache hit beside `Cache.get`, CPU", f"{HIT_FACTOR}", f"{hit / local:.2f}",
        hit <= HIT_FACTOR * local,
    )  # fmt: skip
    yield Finding(
        "near-cache hit below a GET, CPU", f"{GET_FACTOR}x", f"{plain / hit:.0f}x",
        plain >= GET_FACTOR * hit,
    )  # fmt: skip
    p50 = {row["contestant"]: row["p50_us"] for row in part["workload"]}
    ratio = p50["redis-py"] / p50["near cache"]
    yield Finding(
        "near cache on a cluster, p50 below redis-py's", f"{LATENCY_FACTOR}x", f"{ratio:.0f}x",
        ratio >= LATENCY_FACTOR,
    )  # fmt: skip
    apart = abs(part["ratios"]["near"] - part["ratios"]["replay"])
    yield Finding(
        "near cache's hit ratio beside the replay's", f"{APART}", f"{apart:.4f}", apart <= APART
    )
    stale = sum(part["checker"]["stale"].values())
    what = f"stale reads in {part['checker']['operations']:,} operations under faults"
    yield Finding(what, "0", str(stale), stale == 0)


def judge_together(part: Mapping[str, Any]) -> Iterator[Finding]:
    """How near sharing comes to having been given a model, and how soon; the worst workload."""
    short, later = {}, {}
    for row in part["rows"]:
        name = f"{row['workload']}, {row['capacity']:,}"
        final, reached = row["final"], row["reached"]
        short[name] = final["given the tables"] - final["together"]
        if reached["together"] and reached["alone"]:
            later[name] = reached["together"] / reached["alone"]
    worst = max(short, key=lambda name: short[name])
    yield Finding(
        "together, hit ratio below that of a model given from the start", f"{NEAR}",
        f"{short[worst]:.4f}", short[worst] <= NEAR, worst,
    )  # fmt: skip
    if later:
        worst = max(later, key=lambda name: later[name])
        yield Finding(
            "together, requests to 95% of the gain over those of learning alone", f"{SOONER}",
            f"{later[worst]:.2f}", later[worst] <= SOONER, worst,
        )  # fmt: skip
