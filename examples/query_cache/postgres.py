"""A PostgreSQL server of one's own: in a temporary folder, on a free port of the loopback."""

import glob
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["postgres"]

#: Debian's package keeps them here, by version, and none of them on the path.
DEBIAN = "/usr/lib/postgresql/*/bin/pg_ctl"
#: Nothing is to survive.
SETTINGS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=30"


def tools() -> Path:
    """The folder of initdb and pg_ctl.

    Raises FileNotFoundError where there are none.
    """
    found = shutil.which("pg_ctl") or max(glob.glob(DEBIAN), default="")
    if not found:
        raise FileNotFoundError("no PostgreSQL server: on Debian, apt-get install postgresql")
    return Path(found).resolve().parent


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
    return port


@contextmanager
def postgres(settings: str = "") -> Iterator[str]:
    """The URL of a running server, for SQLAlchemy with psycopg.

    ``settings`` are further options of the server, such as ``-c log_statement=all``.

    Root becomes the user postgres of the package for it, as the server refuses to run as root.
    """
    programs, password, port = tools(), secrets.token_urlsafe(16), free_port()
    with tempfile.TemporaryDirectory(prefix="augury-postgres-") as name:
        folder = Path(name)
        (folder / "password").write_text(password, encoding="utf-8")
        who: dict[str, Any] = {"cwd": folder}
        if os.geteuid() == 0:
            for path in (folder, folder / "password"):
                shutil.chown(path, "postgres", "postgres")
            who |= {"user": "postgres", "group": "postgres", "extra_groups": []}

        def run(program: str, *arguments: str) -> None:
            with (folder / "log").open("ab") as log:
                done = subprocess.run(
                    [programs / program, *arguments], stdout=log, stderr=log, check=False, **who
                )
            if done.returncode:
                said = (folder / "log").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"{program} of PostgreSQL failed: {said}")

        data = f"--pgdata={folder / 'data'}"
        run("initdb", data, "--username=augury", "--pwfile=password", "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale=C", "--no-sync")  # fmt: skip
        listen = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} {SETTINGS} {settings}"
        run("pg_ctl", "start", data, "--wait", "-o", listen)
        try:
            yield f"postgresql+psycopg://augury:{password}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "stop", data, "--wait", "--mode=immediate")
