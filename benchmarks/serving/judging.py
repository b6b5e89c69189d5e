"""What the server was to reach beside its peers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.finding import Finding
from benchmarks.serving.section import ENTRY_BYTES, by_load

__all__ = ["judge_endurance", "judge_equal_memory", "judge_server"]

PAUSE_SECONDS = 0.01
#: What learning may take beside none, of CPU time and of the latency of one in a thousand.
LEARNING_CPU, LEARNING_LATENCY = 1.1, 1.1
WATCHING_CPU = 1.02
LAG_MILLISECONDS = 100.0


def judge_server(part: Mapping[str, Any]) -> Iterator[Finding]:
    """Costs beside Valkey's and beside no learning, the worst load; bytes per entry."""
    costs = part["costs"]
    for command in dict.fromkeys(row["command"] for row in costs):
        mine = [row for row in costs if row["command"] == command]
        of = f"of {command.upper()} beside valkey's"
        yield worst_beside(f"CPU {of}", mine, "nanoseconds", ("augury", "valkey"), 1)
        yield worst_beside(f"p99.9 {of}", mine, "milliseconds", ("augury", "valkey"), 1)
    learning = ("augury", "augury lru")
    about = "with learning beside none (lru)"
    yield worst_beside(f"CPU {about}", costs, "nanoseconds", learning, LEARNING_CPU)
    yield worst_beside(f"p99.9 {about}", costs, "milliseconds", learning, LEARNING_LATENCY)
    # Slower is what takes more: so the throughput of one beside that of two.
    threads = ("augury", "augury 2 threads")
    yield worst_beside(
        "commands per second, one thread beside two", costs, "per_second", threads, 1
    )
    beside = {row["server"]: row["beside"] for row in part["watched"]}
    ratio = beside["augury watched"]
    yield Finding(
        "server, CPU of GET while the page and metrics are watched", f"<= {WATCHING_CPU}x",
        f"{ratio:.3f}x", ratio <= WATCHING_CPU,
    )  # fmt: skip
    [entry] = [row for row in part["entries"] if row["server"] == "augury"]
    yield Finding(
        f"server, bytes per entry beyond key and value at {entry['entries']:,}",
        f"<= {ENTRY_BYTES}", f"{entry['bytes']:.1f}", entry["bytes"] <= ENTRY_BYTES,
    )  # fmt: skip


def worst_beside(
    about: str,
    rows: Sequence[Mapping[str, Any]],
    what: str,
    servers: tuple[str, str],
    limit: float,
) -> Finding:
    """One server beside another, at the load where that is worst."""
    loads = by_load(rows, what).items()
    ratios = {load: by[servers[0]] / by[servers[1]] for load, by in loads}
    worst = max(ratios, key=lambda load: ratios[load])
    command, pipeline, size = worst
    return Finding(
        f"server, {about}", f"<= {limit}x", f"{ratios[worst]:.2f}x", ratios[worst] <= limit,
        f"{command.upper()}, batches of {pipeline}, {size} bytes",
    )  # fmt: skip


def judge_equal_memory(part: Mapping[str, Any]) -> Iterator[Finding]:
    """Misses beside the best of the others, in the cell where that is nearest."""
    apart = {}
    for cell in part["cells"]:
        ratios = {name: it["misses"] / it["requests"] for name, it in cell["servers"].items()}
        ours = ratios.pop("augury")
        apart[f"{cell['trace']} {cell['fraction']:.0%}"] = ours - min(ratios.values())
    worst = max(apart, key=lambda name: apart[name])
    yield Finding(
        f"server, misses at equal memory beside the best of four, {len(apart)} cells", "< 0",
        f"{apart[worst]:+.4f}", apart[worst] < 0, worst,
    )  # fmt: skip


def judge_endurance(part: Mapping[str, Any]) -> Iterator[Finding]:
    """Memory under churn, pauses and lags of expiry."""
    churn, pause = part["churn"], part["pause"]
    yield Finding(
        f"server, resident memory in {churn['seconds']} s of churn",
        f"<= {churn['allowed'] / 2**20:.0f} MiB", f"{churn['largest'] / 2**20:.0f} MiB",
        churn["largest"] <= churn["allowed"],
    )  # fmt: skip
    yield Finding(
        f"server, longest pause while {pause['keys']:,} keys end within a second",
        f"<= {PAUSE_SECONDS * 1000:.0f} ms", f"{pause['during'] * 1000:.1f} ms",
        pause["during"] <= PAUSE_SECONDS,
    )  # fmt: skip
    lag = part["lag"]["milliseconds"]["p99"]
    yield Finding(
        f"server, lag of expiry, p99, {part['lag']['keys']:,} keys",
        f"<= {LAG_MILLISECONDS:.0f} ms", f"{lag:.1f} ms", lag <= LAG_MILLISECONDS,
    )  # fmt: skip
