"""All looks, one after another."""

from collections.abc import Sequence

from augury.diagnosis.environment import environment
from augury.diagnosis.finding import Finding
from augury.diagnosis.limits import limits
from augury.diagnosis.reaching import port, server

__all__ = ["MEMORY", "PORTS", "examine"]

#: The server's own defaults.
MEMORY = 64 << 20
PORTS = (6379,)


def examine(
    *, memory: int = MEMORY, ports: Sequence[int] = PORTS, server_url: str | None = None
) -> list[Finding]:
    """Look at everything.

    Args:
        memory: Bytes of the server that is to run here.
        ports: Where it is to listen.
        server_url: A server that is to be reached; none if None.

    Raises:
        ConfigError: The URL is none of a server.

    >>> found = {one.about: str(one.state) for one in examine(ports=[])}
    >>> found["extension"]
    'ok'
    """
    found = [*environment(), *limits(memory), *map(port, ports)]
    if server_url is not None:
        found.append(server(server_url))
    return found
