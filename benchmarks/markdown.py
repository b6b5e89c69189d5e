"""Pieces of Markdown that several sections share."""

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["method", "table"]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown; all columns but the first are aligned to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def method(module: Any) -> str:
    """What the head of the measuring script says, with its lines kept."""
    return str(module.__doc__).strip().replace("``", "`")
