"""Options that the commands on a cluster share."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from augury.cli.durations import read_duration
from augury.errors import ConfigError
from augury.extras import require

__all__ = ["URL", "AsJson", "Horizon", "Load", "Season", "Series", "connected", "read_history"]

#: Where redis-cli and valkey-cli look for a password.
PASSWORD = "REDISCLI_AUTH"
#: Windows that are looked back at: four weeks of hours, a week and a half of quarters.
LOOKED_AT = 1_000

URL = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help="Of any node: redis://USER:PASSWORD@HOST:PORT (all but the host may be absent), "
        f"rediss:// for TLS, valkey:// for the same. {PASSWORD} has the password if the URL has "
        "none.",
    ),
]
Series = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="What augury cluster watch has collected.")
]
Load = Annotated[
    str,
    typer.Option(
        "--load",
        metavar="NAME",
        help="cpu (microseconds per second), bytes (in and out), or requests (a node's, split over "
        "its slots by CPU time).",
    ),
]
Horizon = Annotated[
    int, typer.Option("--horizon", metavar="WINDOWS", help="How many windows to look ahead.")
]
Season = Annotated[
    str | None,
    typer.Option(
        "--season",
        metavar="TIME",
        help="In which load returns: 1h, 24h, 168h. A day if absent and two of them were watched.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


def connected(url: str) -> Any:
    """Connections to the nodes of the cluster, to be closed.

    Raises:
        ConfigError: the URL is none, or a package is missing.
    """
    require("statsmodels", "placement")
    from augury.placement import Nodes

    return Nodes(url, os.environ.get(PASSWORD))


def read_history(folder: Path, season: str | None) -> tuple[Any, float | None]:
    """What was watched, as arrays, and the season in seconds.

    Raises:
        ConfigError: there is nothing, or a package is missing.
    """
    require("statsmodels", "placement")
    from augury.placement import history_of, read_windows

    seconds = read_duration(season)
    if seconds is not None and seconds <= 0:
        raise ConfigError(f"season {season!r}: expected a time above 0")
    return history_of(read_windows(folder, LOOKED_AT), LOOKED_AT), seconds
