"""What the server was to reach beside its peers."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.finding import Finding
from benchmarks.serving.section import ENTRY_BYTES

__all__ = ["judge_endurance", "judge_equal_memory", "judge_server"]

PAUSE_SECONDS = 0.01
LAG_MILLISECONDS = 100.0


def judge_server(part: Mapping[str, Any]) -> Iterator[Finding]:
    """CPU time per command beside Valkey's, the worst load; bytes per entry."""
    spent: dict[tuple[str, int, int], dict[str, float]] = {}
    for row in part["costs"]:
        load = (row["command"], row["pipeline"], row["bytes"])
        spent.setdefault(load, {})[row["server"]] = row["nanoseconds"]
    ratios = {load: by["augury"] / by["valkey"] for load, by in spent.items()}
    for command in dict.fromkeys(command for command, _, _ in ratios):
        mine = [load for load in ratios if load[0] == command]
        worst = max(mine, key=lambda load: ratios[load])
        yield Finding(
            f"server, CPU of {command.upper()} beside valkey's", "<= 1x", f"{ratios[worst]:.2f}x",
            ratios[worst] <= 1, f"batches of {worst[1]}, {worst[2]} bytes",
        )  # fmt: skip
    [entry] = [row for row in part["entries"] if row["server"] == "augury"]
    yield Finding(
        f"server, bytes per entry beyond key and value at {entry['entries']:,}",
        f"<= {ENTRY_BYTES}", f"{entry['bytes']:.1f}", entry["bytes"] <= ENTRY_BYTES,
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
