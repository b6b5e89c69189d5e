"""`augury proxy` as a process, in front of a real nginx."""

import json
import re
import signal
import socket
import threading
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from augury.cli.app import app
from sockets import Program, head_of, program, scripted, talk

GET = b"GET %b HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\nbody"


def asked(site: tuple[Path, int], target: str) -> int:
    """How often nginx was asked for it."""
    return (site[0] / "access.log").read_text().count(f"GET {target} ")


def test_pages_of_nginx(client: httpx.Client, site: tuple[Path, int]) -> None:
    """Fetched once; served again with their age, in parts, and as not modified."""
    first, second = client.get("/page.txt"), client.get("/page.txt")
    assert first.text == second.text == "a page\n" * 100
    assert "augury; hit" in second.headers["cache-status"]
    assert "augury; fwd=miss" in first.headers["cache-status"]
    assert {"age", "etag", "date", "via", "last-modified"} <= set(second.headers)
    third = client.get("/page.txt", headers={"If-None-Match": first.headers["etag"]})
    assert (304, b"") == (third.status_code, third.content)
    part = client.get("/page.txt", headers={"Range": "bytes=2-5"})
    assert (206, "page") == (part.status_code, part.text)
    assert "" == client.head("/page.txt").text
    assert 1 == asked(site, "/page.txt")


def test_compressed_and_not(client: httpx.Client, site: tuple[Path, int]) -> None:
    """Nginx says that the answer varies; each client gets its own, as the bytes are."""
    for _ in range(2):
        plain = client.get("/style.css", headers={"Accept-Encoding": "identity"})
        packed = client.get("/style.css", headers={"Accept-Encoding": "gzip"})
        assert plain.text == packed.text
        assert (None, "gzip") == tuple(
            reply.headers.get("content-encoding") for reply in (plain, packed)
        )
    assert 2 == asked(site, "/style.css")


def test_nginx_validates(client: httpx.Client, site: tuple[Path, int]) -> None:
    """A forced validation is a 304 of nginx, and the whole page for the client."""
    client.get("/page.txt?v")
    reply = client.get("/page.txt?v", headers={"Cache-Control": "no-cache"})
    assert (200, "a page\n" * 100) == (reply.status_code, reply.text)
    assert reply.headers["cache-status"].endswith("fwd=request; fwd-status=304")


def test_large_files_pass_through(client: httpx.Client, front: Program) -> None:
    """16 MB are passed on, not stored, and not held in memory."""
    status = Path(f"/proc/{front.process.pid}/status")

    def resident() -> int:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1])  # type: ignore[index]

    before = resident()
    for _ in range(3):
        with client.stream("GET", "/large.txt") as reply:
            assert 16_000_000 == sum(map(len, reply.iter_raw()))
            assert "detail=size" in reply.headers["cache-status"]
    assert resident() - before < 12_000


def test_health_and_metrics(client: httpx.Client, front: Program) -> None:
    """On an address of their own; what is counted agrees with what was asked."""
    admin = f"http://127.0.0.1:{front.admin}"
    assert "ok\n" == httpx.get(f"{admin}/healthz").text
    assert 200 == httpx.get(f"{admin}/readyz").status_code
    assert 404 == httpx.get(f"{admin}/none").status_code
    assert 405 == httpx.post(f"{admin}/metrics").status_code

    def hits() -> float:
        text = httpx.get(f"{admin}/metrics").text
        return float(re.search(r'augury_proxy_answers_total\{cache="hit"\} (\S+)', text)[1])  # type: ignore[index]

    client.get("/page.txt")
    before = hits()
    client.get("/page.txt")
    assert before + 1 == hits()


def test_purge(client: httpx.Client, site: tuple[Path, int]) -> None:
    """From this machine."""
    client.get("/page.txt?p")
    assert "purged\n" == client.request("PURGE", "/page.txt?p").text
    client.get("/page.txt?p")
    assert 2 == asked(site, "/page.txt?p")


def test_the_end_waits_for_what_is_under_way() -> None:
    """A request that is being answered is answered; then the process ends with 0."""
    arrived, released = threading.Event(), threading.Event()

    def answer(connection: socket.socket, number: int) -> None:
        head_of(connection)
        arrived.set()
        released.wait(20)
        connection.sendall(OK)

    with scripted(answer) as origin, program(f"http://127.0.0.1:{origin}") as front:
        found: list[bytes] = []
        asking = threading.Thread(target=lambda: found.append(talk(front.port, GET % b"/")))
        asking.start()
        assert arrived.wait(20)
        front.process.send_signal(signal.SIGTERM)
        released.set()
        asking.join(20)
        assert found[0].endswith(b"body")
        assert 0 == front.process.wait(20)


def test_the_log(site: tuple[Path, int], tmp_path: Path) -> None:
    """A line for every request, in JSON if so wished, and nothing that breaks the line."""
    log = tmp_path / "log"
    options = ("--access-log", str(log), "--json")
    with program(f"http://127.0.0.1:{site[1]}", *options) as front:
        for target in (b"/page.txt?a", b"/page.txt?a", b"/none%0Aline"):
            talk(front.port, GET % target)
        assert 0 == front.stop()[0]
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    told = [(line["target"], line["status"], line["cache"]) for line in lines]
    # A line is written once its answer is gone, when the next one may be under way.
    page = "/page.txt?a"
    assert {(page, 200, "miss"), (page, 200, "hit"), ("/none%0Aline", 404, "pass")} == set(told)
    assert [700, 700] == [line["bytes"] for line in lines if line["status"] == 200]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "there is no origin"),
        (["--origin", "ftp://x"], "expected http://HOST"),
        (["--origin", "http://x?y"], "belongs to no origin"),
        (["--origin", "http://x", "--memory", "much"], "much"),
        (["--origin", "http://x", "--policy", "none"], "none"),
        (["--origin", "http://x", "--listen", "8080"], "expected HOST:PORT"),
        (["--origin", "http://x", "--prefetch", "99"], "expected a number from 0 to 10"),
        (["--origin", "http://x", "--origin-timeout", "0"], "expected a number from 0.001"),
        (["--origin", "http://x", "--max-object", "big"], "max_object 'big'"),
        (["--origin", "http://x", "--config", "none.toml"], "none.toml"),
        (["--origin", "https://x", "--origin-ca", "none.pem"], "none.pem"),
    ],
)
def test_what_is_asked_for_wrongly(arguments: list[str], said: str) -> None:
    """A line that names it, and exit code 2."""
    done = CliRunner().invoke(app, ["proxy", *arguments])
    assert (2, 1) == (done.exit_code, done.stderr.count("\n"))
    assert said in done.stderr


def test_an_address_that_is_taken(front: Program) -> None:
    """Exit code 1."""
    taken = f"127.0.0.1:{front.port}"
    done = CliRunner().invoke(app, ["proxy", "--origin", "http://x", "--listen", taken])
    assert (1, True) == (done.exit_code, "nobody can listen there" in done.stderr)
