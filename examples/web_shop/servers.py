"""What runs: the shop in a thread of this process, the proxy in front of it as another process."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from augury.proxy.serving import listening
from examples.query_cache.postgres import free_port

__all__ = ["fronted", "served"]

PATIENCE_SECONDS = 30.0


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The URL of an application while it is served."""
    listener = listening("127.0.0.1:0")
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield url(listener)
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)


@contextmanager
def fronted(origin: str, *options: str) -> Iterator[str]:
    """The URL of a proxy in front of it, as a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "augury", "proxy", "--origin", origin, *options]
    process = subprocess.Popen(
        [*command, "--listen", f"127.0.0.1:{port}"], stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        # The line that it prints once it listens, or why it does not.
        line = process.stderr.readline()
        if f"127.0.0.1:{port}" not in line:
            raise RuntimeError(f"the proxy has not started: {line}{process.stderr.read()}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


def url(listener: Any) -> str:
    """Where it listens."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"
