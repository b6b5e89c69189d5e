"""Training on many traces on the command line: by whom, and what ``augury train`` shows of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from augury.cli.judgement import plain_table
from augury.errors import ConfigError

if TYPE_CHECKING:
    from augury.learn import Executor, ManyTraining

__all__ = ["check_single", "executor", "many_page"]

#: Of the table of shards: two of the model's probabilities, and the miss ratios of three replays.
HEAD = ("on later data", "ROC AUC", "log loss", "lru", "auto", "with the model")


def check_single(given: Mapping[str, Any]) -> None:
    """Refuse options that training on one trace alone has."""
    for option, value in given.items():
        if value:
            raise ConfigError(
                f"{option} is for one trace without --ray and --shards: leave it out, or train on "
                "one"
            )


@contextmanager
def executor(ray: bool, address: str | None, workers: int | None) -> "Iterator[Executor]":
    """Who executes: Ray if asked for, else this process."""
    from augury.learn import here, on_ray

    if not ray:
        yield here
        return
    with on_ray(address, workers) as execute:
        yield execute


def many_page(found: "ManyTraining") -> RenderableType:
    """What was trained on what, and the judgement by each shard."""
    card = found.artifact.card
    seen = card["trained_on"]
    parts: list[RenderableType] = [
        Text(f"{card['description']} for {card['trace']} at {card['capacity']}", style="bold"),
        Text(
            f"trained on {seen['rows']:,} rows of {seen['requests']:,} requests, the first "
            f"{seen['share']:.0%} of each of {len(card['residence'])} shards; reuse within "
            f"{card['horizon']:,} requests ({seen['unresolved_rows']:,} rows too late to tell)"
        ),
        Text(
            f"miss ratio of auto lowered by {card['tried']['gain']:+.4f} on the last quarters, on "
            "average"
        ),
        Text(),
    ]
    if not found.judgements:
        parts.append(Text("The whole traces were trained on: nothing is left to judge by."))
        return Group(*parts)
    table = plain_table()
    for place, name in enumerate(HEAD):
        table.add_column(name, justify="right" if place else "left")
    for label, judged in found.judgements:
        if judged is None:
            table.add_row(label, "too little to judge by")
            continue
        scores, ratios = judged["probabilities"], judged["replays"]["object_miss_ratios"]
        area = scores["roc_auc"]
        table.add_row(
            label,
            "" if area is None else f"{area:.3f}",
            f"{scores['log_loss']:.4f}",
            *(f"{ratios[name]:.4f}" for name in ("lru", "auto", "learned")),
        )
    return Group(*parts, table)
