"""Sequence models on the command line: what ``augury train`` and ``evaluate`` show of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from augury.cli.judgement import plain_table
from augury.errors import ConfigError

if TYPE_CHECKING:
    from augury.learn import Foreseen, SequenceTraining

__all__ = ["check_unused", "foreseen_page", "sequence_page"]

#: What each replay is.
WORDS = {
    "none": "without prefetch",
    "sequence": "the trained model",
    "successor": "learns successors and strides while it runs",
    "mithril": "mines associations while it runs",
}


def check_unused(given: Mapping[str, tuple[Any, Any]]) -> None:
    """Refuse options that mean nothing to a sequence model: value and default of each."""
    for option, (value, default) in given.items():
        if value != default:
            raise ConfigError(
                f"{option} means nothing to a sequence model, which has no feature rows, horizon, "
                "folds or parameters: leave it out"
            )


def sequence_page(found: "SequenceTraining") -> RenderableType:
    """What was trained on what, and how it did on later data."""
    card = found.artifact.card
    seen, known = card["trained_on"], card["continuations"]
    head = Group(
        Text(f"{card['description']}, for {card['trace']} at {card['capacity']}", style="bold"),
        Text(
            f"trained on {seen['misses']:,} misses of the first {seen['requests']:,} requests "
            f"({seen['malformed_records']:,} malformed records left out); it knows "
            f"{known['objects']:,} continuations by objects and {known['steps']:,} by distances"
        ),
        Text(),
    )
    if found.judgement is None:
        return Group(head, Text("The whole trace was trained on: nothing is left to judge by."))
    return Group(head, foreseen_page(found.judgement))


def foreseen_page(found: "Foreseen") -> RenderableType:
    """The replay of later data, with the model and beside it."""
    title = f"Replay of later data under auto, prefetch with a budget of {found.budget:.0%}"
    return Group(Text(title, style="bold"), outcomes(found), verdict(found))


def outcomes(found: "Foreseen") -> Table:
    """A row per predictor."""
    table = plain_table()
    table.add_column("predictor")
    for name in ("demand misses", "demand miss ratio", "extra", "accuracy", "coverage"):
        table.add_column(name, justify="right")
    table.add_column("", style="dim")
    for one in found.outcomes:
        accuracy = "-" if one.accuracy is None else f"{one.accuracy:.2f}"
        table.add_row(
            one.predictor, f"{one.demand_misses:,}", f"{one.demand_miss_ratio:.4f}",
            f"{found.extra(one):+.1%}", accuracy, f"{one.coverage:.2f}",
            WORDS.get(one.predictor, ""), style="bold" if one.predictor == "sequence" else None,
        )  # fmt: skip
    return table


def verdict(found: "Foreseen") -> Text:
    """What the model brings, beside the best of the others."""
    rivals = [one for one in found.outcomes if one.predictor not in ("none", "sequence")]
    best = min(rivals, key=lambda one: one.demand_miss_ratio)
    difference = best.demand_miss_ratio - found.of("sequence").demand_miss_ratio
    word = "below" if difference > 0 else "above"
    return Text(
        f"The model changes the demand miss ratio by {-found.gain:+.4f}; that is "
        f"{abs(difference):.4f} {word} {best.predictor}, which needs no training."
    )
