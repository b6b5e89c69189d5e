"""Who executes tasks: this process, one after the other, or the workers of a Ray cluster.

Where it stands: under training on many traces, which hands over a function and a list of tasks.
Results come in the order of the tasks and depend on nothing else, so it does not matter who
executes. A worker that dies costs its task a new attempt, elsewhere. It must not know models.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from augury.errors import AuguryError, ConfigError
from augury.extras import require

__all__ = ["Executor", "here", "on_ray"]

Task = TypeVar("Task")
Result = TypeVar("Result")
#: Attempts after the first one where a worker dies.
RETRIES = 3


class Executor(Protocol):
    """Applies a function to every task; told the number of those that are done."""

    def __call__(
        self,
        work: Callable[[Task], Result],
        tasks: Sequence[Task],
        done: Callable[[int], object] = ...,
    ) -> list[Result]:
        """The results, in the order of the tasks; what a task raises is raised."""


def here(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    done: Callable[[int], object] = lambda _: None,
) -> list[Result]:
    """One task after the other.

    >>> here(abs, [3, -4])
    [3, 4]
    """
    found = []
    for task in tasks:
        found.append(work(task))
        done(len(found))
    return found


@contextmanager
def on_ray(address: str | None = None, workers: int | None = None) -> Iterator[Executor]:
    """An executor on Ray, for as long as the block runs.

    Args:
        address: Of a cluster, as ``ray.init`` takes it; a Ray of one's own on this machine if
            None. One that the program has begun already is used as it is.
        workers: Of a Ray of one's own; one per processor if None.

    Raises:
        ConfigError: Ray is not installed, or there is none at the address.
    """
    # Ray would send a report of its use, and say so at length.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray = require("ray", "ray")
    is_ours = not ray.is_initialized()
    if is_ours:
        begin(ray, address, workers)
    try:
        yield executor_of(ray)
    finally:
        if is_ours:
            ray.shutdown()


def begin(ray: Any, address: str | None, workers: int | None) -> None:
    """Begin a Ray, or join one."""
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        settings |= {
            "num_cpus": workers or len(os.sched_getaffinity(0)),
            "include_dashboard": False,
        }
    else:
        settings["address"] = address
    try:
        ray.init(**settings)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        where = address or "this machine"
        raise ConfigError(f"no Ray at {where}: {error}") from error


def executor_of(ray: Any) -> Executor:
    """The executor of a Ray that has begun."""

    def execute(
        work: Callable[[Task], Result],
        tasks: Sequence[Task],
        done: Callable[[int], object] = lambda _: None,
    ) -> list[Result]:
        remote = ray.remote(max_retries=RETRIES, retry_exceptions=False)(work)
        asked = [remote.remote(task) for task in tasks]
        waiting = list(asked)
        try:
            while waiting:
                ready, waiting = ray.wait(waiting, num_returns=1)
                # Raises what the task has raised, before the others have ended.
                ray.get(ready)
                done(len(asked) - len(waiting))
            found: list[Result] = ray.get(asked)
        except ray.exceptions.RayTaskError as error:
            cause = getattr(error, "cause", None)
            raise (cause if isinstance(cause, AuguryError) else error) from None
        except ray.exceptions.RayError as error:
            raise ConfigError(
                f"a task was lost {RETRIES + 1} times, so it is likely not the workers' fault: "
                f"{type(error).__name__}: {error}"
            ) from error
        finally:
            for one in waiting:
                ray.cancel(one, force=False)
        return found

    return execute
