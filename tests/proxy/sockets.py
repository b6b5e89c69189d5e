"""Real servers on free ports of the loopback: the proxy, nginx, and origins that misbehave."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from augury.proxy import Proxy, Settings
from augury.proxy.serving import listening, serve

PATIENCE = 30.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
    return port


def wait_for_port(port: int, process: "subprocess.Popen[Any]") -> None:
    """Until somebody listens there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert process.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, "the server does not listen"
            threading.Event().wait(0.02)


class Program:
    """`augury proxy` as a process."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, admin: int) -> None:
        self.process, self.port, self.admin = process, port, admin

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Tell it to end; its exit code and what it has printed."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err


@contextmanager
def program(origin: str, *options: str, **environment: str) -> Iterator[Program]:
    """The proxy in front of an origin."""
    port, admin = free_port(), free_port()
    command = [sys.executable, "-m", "augury", "proxy", "--origin", origin]
    command += ["--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin}", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    try:
        wait_for_port(port, process)
        wait_for_port(admin, process)
        yield Program(process, port, admin)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@contextmanager
def running(origin: str, **settings: Any) -> Iterator[tuple[int, int]]:
    """The proxy in a thread of this process; its port, and that of health and metrics."""
    front, back = listening("127.0.0.1:0"), listening("127.0.0.1:0")
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    proxy = Proxy(Settings(origin=origin, **settings))
    serving = serve(proxy, front, back, ready.set, stop)
    thread = threading.Thread(target=loop.run_until_complete, args=(serving,), daemon=True)
    thread.start()
    try:
        assert ready.wait(PATIENCE), "the proxy has not started"
        yield front.getsockname()[1], back.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the proxy has not ended"
        loop.close()


@contextmanager
def scripted(talk: Callable[[socket.socket, int], object]) -> Iterator[int]:
    """An origin that does with its connections what it is told; the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    port, stopped = listener.getsockname()[1], threading.Event()

    def one(connection: socket.socket, number: int) -> None:
        with connection:
            connection.settimeout(PATIENCE)
            try:
                talk(connection, number)
            except OSError:
                return

    def accept() -> None:
        number = 0
        while not stopped.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            number += 1
            threading.Thread(target=one, args=(connection, number), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        stopped.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(PATIENCE)


def head_of(connection: socket.socket) -> bytes:
    """A request up to the end of its head, and what came with it; empty where none came."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65_536)
        if not more:
            return b""
        data += more
    return data


def talk(port: int, data: bytes) -> bytes:
    """Send bytes, and read until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        # The other side may end the connection before it has read all that is sent: that
        # shows in the sending or in the reading, whichever of them is at work then.
        with suppress(ConnectionError):
            connection.sendall(data)
        found = b""
        with suppress(ConnectionError):
            while more := connection.recv(65_536):
                found += more
    return found


NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log {folder}/access.log; types {{ text/plain txt; text/css css; }} gzip on;
  gzip_min_length 100; gzip_types text/css; gzip_proxied any; gzip_vary on;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {before}
  server {{
    listen 127.0.0.1:{port}; root {folder}/www;
    location / {{ expires 60s; }}
    location /slow/ {{ expires -1; }}
    {more}
  }}
}}
"""


@contextmanager
def nginx(folder: Path, before: str = "", more: str = "") -> Iterator[int]:
    """Nginx serving the files under `www` of a folder, fresh for a minute; the port."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found is None:
        pytest.skip("no nginx: on Debian, apt-get install nginx")
    port = free_port()
    (folder / "www").mkdir(exist_ok=True)
    # Its files may be read by whom it becomes, where it is started as root.
    for place in (folder, folder / "www"):
        place.chmod(0o755)
    config = folder / "nginx.conf"
    user = "user root; " if os.geteuid() == 0 else ""
    text = NGINX.format(folder=folder, port=port, before=before, more=more)
    config.write_text(user + text, encoding="utf-8")
    process = subprocess.Popen(
        [found, "-e", folder / "error.log", "-p", folder, "-c", config],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for_port(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)
