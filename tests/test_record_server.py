"""Recording a real server: what was asked of it is in the trace, and how a recording ends."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import augury
from augury.recording import RedisMonitor
from redis_server import (
    client_of,
    executable,
    listeners_read_all,
    running,
    wait_for_listener,
)

pytestmark = pytest.mark.skipif(executable() is None, reason="no redis-server: apt-get install it")
PASSWORD = "pass word/with:signs"


@contextmanager
def recording(
    url: str, target: Path, *options: str, password: str | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """The command, running."""
    environment = dict(os.environ) | ({"REDISCLI_AUTH": password} if password else {})
    command = [sys.executable, "-m", "augury", "record", url, str(target), *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    out, error = process.communicate(timeout=60)
    return process.returncode, out, error


def test_what_is_asked_is_recorded(tmp_path: Path) -> None:
    """Operations, sizes, TTLs and keys of any bytes; with a password; other databases apart."""
    target = tmp_path / "out.csv"
    with running(tmp_path, "--requirepass", PASSWORD) as port:
        client = client_of(port, password=PASSWORD)
        elsewhere = client_of(port, password=PASSWORD, db=3)
        with recording(
            f"redis://127.0.0.1:{port}", target, "--requests", "11", password=PASSWORD
        ) as process:
            wait_for_listener(client, process)
            client.set("user:1", b"\x00\"\\'\xff" * 4, ex=60)
            client.get("user:1")
            elsewhere.set("user:1", "another object")
            client.mget(["user:1", "user:2"])
            client.eval("return redis.call('GET', KEYS[1])", 1, "user:1")
            client.hset(b"\xff\n", mapping={"field": "value"})
            client.get('a"b\\')
            client.expire("user:1", 30)
            client.exists("user:1")
            client.execute_command("AUTH", PASSWORD)
            client.delete("user:1", "user:2")
            client.incr("n")
            code, out, error = ended(process)
    assert (0, "") == (code, out)
    lines = target.read_text().splitlines()[1:]
    assert [
        "user:1,20,set,60", "user:1,20,get,0", "user:1,20,get,0", "user:2,1,get,0",
        "user:1,20,get,0", r"\xff\x0a,10,set,0", r'"a""b\\",1,get,0', "user:1,20,replace,30",
        "user:1,20,delete,0", "user:2,1,delete,0", "n,1,incr,0",
    ] == [line.partition(",")[2].rsplit(",", 2)[0] for line in lines]  # fmt: skip
    for words in ("11 requests to 5 objects", "commands in databases other than 0", "scripts"):
        assert words in error
    assert PASSWORD not in error


def test_a_recording_can_be_inspected_and_replayed(tmp_path: Path, augury: object) -> None:
    """Hidden keys, compressed, from the server to a miss ratio."""
    target = tmp_path / "out.csv.zst"
    with running(tmp_path) as port:
        client = client_of(port)
        with recording(
            f"redis://127.0.0.1:{port}/0", target, "--requests", "3000", "--anonymise"
        ) as process:
            wait_for_listener(client, process)
            pipeline = client.pipeline(transaction=False)
            for number in range(1500):
                pipeline.set(f"user:{number % 70}", "x" * 100)
                pipeline.get(f"user:{number % 70}")
            pipeline.execute()
            assert 0 == ended(process)[0]
    assert callable(augury)
    inspected = augury("inspect", target, "--json")
    assert '"objects": 70,' in inspected.stdout
    replayed = augury("replay", target, "--capacity", "50%", "--policies", "lru,belady")
    assert (0, "") == (replayed.returncode, replayed.stderr)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_keeps_what_there_is(tmp_path: Path, stop: signal.Signals) -> None:
    """Ctrl-C and a request to terminate: exit code 0, a whole file."""
    target = tmp_path / "out.csv"
    with running(tmp_path) as port:
        client = client_of(port)
        with recording(f"redis://127.0.0.1:{port}", target) as process:
            wait_for_listener(client, process)
            # More than the sockets between the two hold, so that some of it has been read.
            for number in range(4000):
                client.set(f"key:{number}", b"x" * 4096)
            while not listeners_read_all(client):
                pass
            process.send_signal(stop)
            code, out, error = ended(process)
    assert (0, "") == (code, out)
    assert "ended: interrupted" in error
    sizes = {request.size for request in augury.traces.open(target)}
    assert {4096} == sizes


def test_a_lost_connection_ends_it_and_keeps_what_there_is(tmp_path: Path) -> None:
    """All that the server said before it went; exit code 1, for it ended too early."""
    target = tmp_path / "out.oracleGeneral"
    with running(tmp_path) as port:
        client = client_of(port)
        with recording(f"redis://127.0.0.1:{port}", target) as process:
            wait_for_listener(client, process)
            for number in range(500):
                client.get(f"key:{number}")
            client.shutdown(nosave=True)
            code, _, error = ended(process)
    assert 1 == code
    assert "ended: the connection was lost" in error
    assert 500 == sum(1 for _ in augury.traces.open(target))


def test_a_user_who_may_only_listen_is_enough(tmp_path: Path) -> None:
    """An ACL user by URL; one who may not gets the server's word, and no password is shown."""
    target = tmp_path / "out.csv"
    with running(tmp_path) as port:
        client = client_of(port)
        client.execute_command("ACL", "SETUSER", "watcher", "on", ">secret1", "-@all", "+monitor")
        client.execute_command("ACL", "SETUSER", "reader", "on", ">secret2", "+@read", "~*")
        with recording(
            f"redis://watcher:secret1@127.0.0.1:{port}", target, "--requests", "1"
        ) as process:
            wait_for_listener(client, process)
            client.get("a")
            assert 0 == ended(process)[0]
        for user in ("reader:secret2", "reader:wrong"):
            with recording(f"redis://{user}@127.0.0.1:{port}", target) as process:
                code, _, error = ended(process)
            assert 1 == code
            assert "MONITOR cannot be had" in error
            assert user.partition(":")[2] not in error.replace("WRONGPASS", "")


def test_a_duration_ends_it(tmp_path: Path) -> None:
    """By the clock that is given, while nothing comes in."""
    with running(tmp_path) as port:
        client = client_of(port)
        recorder = augury.recording.Recorder(tmp_path / "out.csv")
        monitor = RedisMonitor(f"redis://127.0.0.1:{port}")
        ticks = iter([0.0, 1.0, 2.0, 3.0])

        def heard() -> object:
            for found in monitor:
                if found is None and not recorder.requests:
                    client.get("a")
                yield found

        class Source:
            """The monitor, with a request from us as soon as it listens."""

            name, is_live, ended, complete = "monitor", True, "", True
            notes: list[str] = []  # noqa: RUF012
            __iter__ = staticmethod(heard)

        found = augury.recording.record_from(
            Source(),  # type: ignore[arg-type]
            recorder,
            duration=3,
            clock=lambda: next(ticks),
        )
    assert (1, "after the time asked for") == (found.requests, found.ended)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate")
def test_tls_by_url(tmp_path: Path) -> None:
    """With the certificate named in the URL, and refused without."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-days", "2", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    options = ["--tls-cert-file", str(key.with_name("certificate.pem")), "--tls-key-file", str(key)]
    options += ["--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no"]
    with running(tmp_path, *options, tls=True) as port:
        client = client_of(port, ssl=True, ssl_ca_certs=str(certificate))
        url = f"rediss://127.0.0.1:{port}"
        target = tmp_path / "out.csv"
        with recording(f"{url}?ssl_ca_certs={certificate}", target, "--requests", "1") as process:
            wait_for_listener(client, process)
            client.get("a")
            assert 0 == ended(process)[0]
        with recording(url, target) as process:
            code, _, error = ended(process)
        assert 1 == code
        assert "certificate" in error


def test_no_server_is_an_error_that_shows_no_password(tmp_path: Path) -> None:
    """Nothing listens on the discard port; a URL that is none is the caller's fault."""
    with pytest.raises(augury.TraceError, match="MONITOR cannot be had") as refused:
        augury.record("redis://me:secret@127.0.0.1:9", tmp_path / "out.csv")
    assert "secret" not in str(refused.value)
    for url in ("http://me:secret@example.org", "redis://me:secret@127.0.0.1:port"):
        with pytest.raises(augury.ConfigError, match="is no URL of a server") as refused_url:
            augury.record(url, tmp_path / "out.csv")
        assert "secret" not in str(refused_url.value)
    assert [] == list(tmp_path.iterdir())
