"""The sections of RESULTS.md about trained models: worth, harm, and the cost of training."""

from typing import Any

from benchmarks import harm, models, training
from benchmarks.inputs import percent
from benchmarks.markdown import method, table

__all__ = ["harm_section", "models_section", "training_section"]


def models_section(part: dict[str, Any] | None) -> str:
    """Worth by cell and kind."""
    text = f"## Trained models\n\n{method(models)}"
    if part is None:
        return f"{text}\n\nNot measured."
    kinds = sorted(part["means"], key=lambda kind: -part["means"][kind])
    rows = [
        [
            f"{row['trace']} {percent(row['fraction'])}",
            f"{row['auto']:.4f}",
            *(signed(row["auto"] - row["models"][kind]) for kind in kinds),
        ]
        for row in part["worth"]
    ]
    rows.append(["**mean**", "", *(signed(part["means"][kind]) for kind in kinds)])
    worst = [min(row["auto"] - row["models"][kind] for row in part["worth"]) for kind in kinds]
    rows.append(["**worst**", "", *map(signed, worst)])
    return (
        f"{text}\n\nBy how much each kind lowers the object miss ratio of the second half:\n\n"
        f"{table(['cell', 'auto', *kinds], rows)}"
    )


def harm_section(part: dict[str, Any] | None) -> str:
    """By how much bad models raise the miss ratio."""
    text = f"## Bad models\n\n{method(harm)}"
    if part is None:
        return f"{text}\n\nNot measured."
    rows = [
        [
            f"{row['trace']} {percent(row['fraction'])}",
            f"{row['auto']:.4f}",
            *(signed(row["excess"][word]) for word in ("random", "inverted")),
        ]
        for row in part["cells"]
    ]
    return f"{text}\n\n{table(['cell', 'auto', 'random', 'inverted'], rows)}"


def training_section(part: dict[str, Any] | None) -> str:
    """Seconds, memory, and microseconds per answer."""
    text = f"## Training\n\n{method(training)}"
    if part is None:
        return f"{text}\n\nNot measured."
    rows = [
        [
            what,
            f"{part[what]['rows']:,}",
            f"{part[what]['build_seconds']:.1f}",
            f"{part[what]['seconds']:.1f}",
            f"{part[what]['peak_bytes'] / 2**30:.2f}",
        ]
        for what in ("lightgbm", "forest")
    ]
    head = ["what", "rows", "seconds to build", "seconds in all", "peak GiB"]
    found = part["lightgbm"]
    answers = [
        ["ours, one row at a time", f"{found['single_us']:.2f}"],
        ["ours, batches", f"{found['batch_us']:.2f}"],
        ["LightGBM, batches", f"{found['lightgbm_us']:.2f}"],
    ]
    return f"{text}\n\n{table(head, rows)}\n\n{table(['answers', 'us per row'], answers)}"


def signed(value: float) -> str:
    """A difference, with its sign; nothing where there is none."""
    return f"{value:+.4f}" if abs(value) >= 0.00005 else "0"
