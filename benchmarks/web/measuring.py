"""The proxy beside nginx, and its rules beside hishel's.

- Hits: an nginx serves files; in front of it stand `augury proxy` and an nginx with `proxy_cache`,
  each one process. Twenty clients of one process ask for sixteen files again and again, all stored,
  over kept connections. CPU time is the user and system time of the process over the number of
  requests, which a busy machine disturbs less than throughput; requests per second are bounded by
  what the client's process can do as well. Rounds go from one to the other; medians.
- Laws: what `benchmarks/web/laws.py` lists, kept by the proxy, and by hishel's ASGI middleware over
  augury's storage.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from examples.query_cache.postgres import free_port

from benchmarks import results
from benchmarks.serving.contestants import Contestant, wait_for
from benchmarks.web.laws import LAWS, kept_by
from benchmarks.web.load import load

#: Bytes of the files.
SIZES = (1_000, 100_000)
FILES, CLIENTS = 16, 20
NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
{user}events {{ worker_connections 256; }}
http {{
  access_log off; default_type text/plain; keepalive_requests 1000000;
  client_body_temp_path {folder}/body; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; proxy_temp_path {folder}/proxy;
  proxy_cache_path {folder}/cache keys_zone=hits:8m max_size=256m;
  server {{ listen 127.0.0.1:{port}; location / {{ {what} }} }}
}}
"""
SERVES = "root {folder}/www; expires 1h;"
CACHES = "proxy_pass http://127.0.0.1:{origin}; proxy_cache hits; proxy_http_version 1.1;"


def measure(quick: bool) -> None:
    """Measure everything and keep it."""
    results.write("web", quick, {"laws": laws(), "hits": hits(2_000 if quick else 20_000, 3)})


def laws() -> list[dict[str, Any]]:
    """Who keeps which."""
    return [
        {"section": law.section, "what": law.what,
         **{name: kept_by(name, law) for name in ("augury", "hishel")}}
        for law in LAWS
    ]  # fmt: skip


@contextmanager
def started(name: str, port: int, command: list[str]) -> Iterator[Contestant]:
    """A process that listens."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield Contestant(name, port, process)
    finally:
        process.terminate()
        process.wait()


def nginx(folder: Path, what: str, port: int) -> list[str]:
    """The command of an nginx."""
    folder.mkdir(parents=True, exist_ok=True)
    user = "user root; " if os.geteuid() == 0 else ""
    text = NGINX.format(folder=folder, port=port, what=what, user=user)
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    program = "/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else "nginx"
    return [program, "-e", f"{folder}/error.log", "-p", str(folder), "-c", f"{folder}/nginx.conf"]


def hits(count: int, rounds: int) -> list[dict[str, Any]]:
    """CPU microseconds and requests per second of hits, by size and server."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="augury-web-") as name, ExitStack() as running:
        folder = Path(name)
        files = folder / "origin" / "www"
        files.mkdir(parents=True)
        for size in SIZES:
            for number in range(FILES):
                (files / f"{size}-{number}").write_bytes(b"x" * size)
        origin = free_port()
        serving = nginx(folder / "origin", SERVES.format(folder=folder / "origin"), origin)
        running.enter_context(started("origin", origin, serving))
        port = free_port()
        ours = [sys.executable, "-m", "augury", "proxy", "--origin", f"http://127.0.0.1:{origin}"]
        ours += ["--listen", f"127.0.0.1:{port}"]
        fronts = [running.enter_context(started("augury", port, ours))]
        port = free_port()
        caching = nginx(folder / "front", CACHES.format(origin=origin), port)
        fronts.append(running.enter_context(started("nginx", port, caching)))
        for size in SIZES:
            targets = [f"/{size}-{number}" for number in range(FILES)]
            found: dict[str, list[tuple[float, float]]] = {front.name: [] for front in fronts}
            for front in fronts:
                load(front.port, targets, 2 * FILES * CLIENTS, CLIENTS)
            for _ in range(rounds):
                for front in fronts:
                    before = front.cpu_seconds
                    seconds = load(front.port, targets, count, CLIENTS)
                    spent = (front.cpu_seconds - before) / count * 1e6
                    found[front.name].append((spent, count / seconds))
            for server, taken in found.items():
                row = {
                    "server": server, "bytes": size, "rounds": taken,
                    "microseconds": median(spent for spent, _ in taken),
                    "per_second": median(rate for _, rate in taken),
                }  # fmt: skip
                rows.append(row)
                print(f"web: {server} {size} B: {row['microseconds']:.0f} us CPU a hit")
    return rows
