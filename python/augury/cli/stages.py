"""A progress bar of named stages, on standard error if that is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from sys import stderr

__all__ = ["stages"]


@contextmanager
def stages() -> Iterator[Callable[[float, str], None] | None]:
    """What to tell the share done and what is being done; None where nobody watches."""
    if not stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = [TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=1.0)
        yield lambda share, what: bar.update(task, completed=share, description=what)
