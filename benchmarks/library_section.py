"""The section of RESULTS.md on the library."""

from collections.abc import Mapping
from statistics import mean
from typing import Any

from benchmarks import library
from benchmarks.markdown import method, table

#: An operation, whom it is compared with, and how many times as long it may take.
LIMITS = (
    ("hit", "cachebox", 1.2),
    ("miss", "cachebox", 1.2),
    ("insert", "cachebox", 1.5),
    ("memoized", "functools", 2.0),
    ("coroutine", "cachebox", 1.0),
)
CONTENDERS = (*library.CACHES, "functools")


def library_section(part: dict[str, Any] | None) -> str:
    """What was asked, what was reached, and the tables behind it."""
    text = f"## Library\n\n{method(library)}"
    if part is None:
        return f"{text}\n\nNot measured."
    return "\n\n".join(
        [
            text,
            targets(part),
            f"### CPU nanoseconds per operation\n\n{operation_table(part['operations'])}",
            f"### Bytes per entry, a million entries\n\n{memory_table(part['bytes_per_entry'])}",
            f"### Zipf\n\n{zipf_table(part)}",
        ]
    )


def targets(part: Mapping[str, Any]) -> str:
    """One line for each thing that was asked."""
    lines = []
    for operation, peer, limit in LIMITS:
        of = part["operations"][operation]
        share = of["augury"]["median"] / of[peer]["median"]
        lines.append(
            line(f"{operation}, beside {peer}", share, limit, f"{share:.2f}x", f"{limit}x")
        )
    for shape, of in part["bytes_per_entry"].items():
        ours, peer = of["augury"]["full"], of["cachebox"]["full"]
        lines.append(line(f"bytes per entry, {shape}", ours, peer, f"{ours:.1f}", f"{peer:.1f}"))
    own = part["small"]
    lines += [
        line("Cache(128), KiB", own["cache_kib"], 64, f"{own['cache_kib']:.1f}", "64"),
        line(
            "10,000 memoized functions, each called once, MiB",
            own["called_mib"],
            200,
            f"{own['called_mib']:.0f} ({own['declared_mib']:.0f} before)",
            "200",
        ),
    ]
    of = part["threads"]
    gain = of["augury"]["2"] / of["augury"]["1"]
    lines.append(line("two threads over one", -gain, -0.95, f"{gain:.2f}x", "0.95x", "least"))
    ours, theirs = of["augury"]["2"], of["cachebox"]["2"]
    shown = f"{ours:.1f} million gets/s", f"cachebox's {theirs:.1f}"
    lines.append(line("two threads", -ours, -theirs, *shown, "least"))
    zipf = {name: mean(run["hit_ratio"] for run in runs) for name, runs in part["zipf"].items()}
    spent = {name: mean(run["cpu_seconds"] for run in runs) for name, runs in part["zipf"].items()}
    below, faster = part["perfect_lfu"] - zipf["augury"], spent["theine"] / spent["augury"]
    shown = f"{zipf['augury']:.4f}", f"theine's {zipf['theine']:.4f}"
    lines += [
        line("Zipf, hit ratio", -zipf["augury"], -zipf["theine"], *shown, "least"),
        line("Zipf, below perfect LFU", below, 0.005, f"{below:.4f}", "0.005"),
        line("Zipf, speed beside theine", -faster, -5, f"{faster:.1f}x", "5x", "least"),
    ]
    return "\n".join(lines)


def line(what: str, value: float, limit: float, shown: str, asked: str, bound: str = "most") -> str:
    """Whether a value is at most its limit."""
    word = "met" if value <= limit else "**not met**"
    return f"- {what}: {shown}, at {bound} {asked} was asked: {word}."


def operation_table(operations: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Medians by operation and contender."""
    rows = [
        [operation, *(f"{of[name]['median']:.0f}" if name in of else "" for name in CONTENDERS)]
        for operation, of in operations.items()
    ]
    return table(["operation", *CONTENDERS], rows)


def memory_table(memory: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """By shape and contender: full, and after evictions."""
    names = [name for name in library.CACHES if name != "theine"]
    rows = [
        [shape, *(f"{of[name]['full']:.0f} / {of[name]['evicting']:.0f}" for name in names)]
        for shape, of in memory.items()
    ]
    return table(["full / evicting", *names], rows)


def zipf_table(part: Mapping[str, Any]) -> str:
    """Hit ratio and time by contender."""
    rows = [
        [
            name,
            f"{mean(run['hit_ratio'] for run in runs):.4f}",
            f"{mean(run['cpu_seconds'] for run in runs):.1f}",
        ]
        for name, runs in part["zipf"].items()
    ]
    rows.append(["perfect LFU", f"{part['perfect_lfu']:.4f}", ""])
    return table(["cache", "hit ratio", "CPU seconds"], rows)
