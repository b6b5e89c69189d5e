"""The two judgements of a model, for people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from augury.learn import Judgement, Replays, Scores

__all__ = ["folds_table", "judgement_of", "plain_table"]

BAR = 30
#: What each replay is.
WORDS = {
    "lru": "least recently used",
    "auto": "learns while it runs, without the model",
    "learned": "auto with the model among its experts",
    "model-alone": "the model without the guard",
    "belady": "knows the future",
    "beladysize": "knows the future, and minds sizes",
}


def judgement_of(found: "Judgement") -> RenderableType:
    """Both judgements."""
    return Group(
        Text("Probabilities on later data", style="bold"),
        probabilities(found.scores),
        Text(),
        calibration(found.scores),
        Text(),
        Text("Replay of later data", style="bold"),
        replays(found.replays),
        verdict(found.replays),
    )


def plain_table() -> Table:
    """A table without lines."""
    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")


def probabilities(scores: "Scores") -> Table:
    """The scores, with what each is compared with."""
    table = plain_table()
    table.show_header = False
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column(style="dim")
    auc = "-" if scores.roc_auc is None else f"{scores.roc_auc:.3f}"
    table.add_row("rows", f"{scores.rows:,}", f"of which reused {scores.reused:.1%}")
    table.add_row("ROC AUC", auc, "0.5 tells nothing apart, 1 everything")
    base = f"{scores.base_log_loss:.4f} by the share reused alone"
    table.add_row("log loss", f"{scores.log_loss:.4f}", base)
    table.add_row(
        "calibration error", f"{scores.calibration_error:.4f}", "mean distance of told and seen"
    )
    return table


def calibration(scores: "Scores") -> Table:
    """Told and seen, for tenths of the rows."""
    table = plain_table()
    table.add_column("told", justify="right")
    table.add_column("seen", justify="right")
    table.add_column("share reused, of each tenth of the rows by prediction", style="cyan")
    for told, seen in scores.calibration:
        table.add_row(f"{told:.1%}", f"{seen:.1%}", "█" * round(BAR * seen))
    return table


def replays(found: "Replays") -> Table:
    """Miss ratios, the model beside what is known."""
    table = plain_table()
    table.add_column("policy")
    table.add_column("misses", justify="right")
    table.add_column("object miss ratio", justify="right")
    table.add_column("", style="dim")
    for outcome in found.outcomes:
        style = "bold" if outcome.policy == "learned" else None
        ratio = f"{outcome.object_miss_ratio:.4f}"
        table.add_row(
            outcome.policy, f"{outcome.misses:,}", ratio, WORDS[outcome.policy], style=style
        )
    return table


def verdict(found: "Replays") -> Text:
    """What the model brings, and how much of the time it ruled."""
    share = sum(
        share for name, share in found.of("learned").ruled.items() if name.startswith("learned")
    )
    gain = found.gain
    word = "lowers" if gain > 0 else "raises"
    if not share:
        return Text("The guard never let the model rule; any difference is the guard's own.")
    if abs(gain) < 0.0005:
        return Text(f"The model changes nothing; it ruled {share:.0%} of the requests.")
    return Text(
        f"The model {word} the object miss ratio of auto by {abs(gain):.4f}; it ruled "
        f"{share:.0%} of the requests."
    )


def folds_table(folds: Sequence["Scores"]) -> Table:
    """Cross-validation, a line per fold."""
    table = plain_table()
    for name in ("fold", "rows", "reused", "ROC AUC", "log loss", "calibration error"):
        table.add_column(name, justify="right")
    for number, fold in enumerate(folds, 1):
        auc = "-" if fold.roc_auc is None else f"{fold.roc_auc:.3f}"
        table.add_row(
            str(number), f"{fold.rows:,}", f"{fold.reused:.1%}", auc,
            f"{fold.log_loss:.4f}", f"{fold.calibration_error:.4f}",
        )  # fmt: skip
    return table
