"""Operating a server: settings, their change, snapshots, restarts, metrics, the bound of memory."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from process import Served, executable, ready, serving
from redis.backoff import NoBackoff
from redis.retry import Retry

pytestmark = pytest.mark.skipif(executable() is None, reason="needs cargo build -p augury-server")

DEADLINE = 20.0
QUIET = ("--log-level", "warning")


def client(served: Served) -> redis.Redis:
    """A client that neither retries nor decodes."""
    once = Retry(NoBackoff(), 0)
    return redis.Redis(port=served.port, protocol=2, socket_timeout=DEADLINE, retry=once)


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A server that is expected to end by itself."""
    return subprocess.run(
        [str(executable()), "--port", "0", *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env=os.environ | environment,
        check=False,
    )


def until(holds: Callable[[], object], what: str) -> None:
    """Wait for a condition, at most for the deadline."""
    end = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.002)


def end(served: Served) -> int:
    """Ask the server to end; its exit status."""
    served.process.send_signal(signal.SIGTERM)
    return served.process.wait(timeout=DEADLINE)


def fill(server: redis.Redis, count: int, size: int = 100) -> None:
    """Keys ``0`` to ``count - 1`` with values of their own, in batches."""
    for begin in range(0, count, 1000):
        pipe = server.pipeline(transaction=False)
        for number in range(begin, min(begin + 1000, count)):
            pipe.set(str(number), str(number).ljust(size, "."))
        pipe.execute()


def test_later_sources_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag wins over a variable, a variable over the file, the file over the default."""
    toml = tmp_path / "augury.toml"
    toml.write_text('memory = "101mb"\ntimeout = 11\nmax-clients = 12\n')
    monkeypatch.setenv("AUGURY_TIMEOUT", "21")
    monkeypatch.setenv("AUGURY_MAX_CLIENTS", "22")
    with serving("--config", str(toml), "--max-clients", "32") as served:
        found = client(served).config_get("max*", "timeout", "memory")
    assert (str(101 << 20), str(101 << 20)) == (found["maxmemory"], found["memory"])
    assert ("21", "32") == (found["timeout"], found["maxclients"])


def test_a_redis_conf_is_read_and_warned_about(tmp_path: Path) -> None:
    """Known directives count; what has no effect is named with its line."""
    conf = tmp_path / "redis.conf"
    conf.write_text("# from a server of before\nmaxmemory 77mb\nappendonly yes\nnosuch thing\n")
    log = tmp_path / "log"
    with serving(str(conf), "--log-file", str(log)) as served:
        assert client(served).config_get("maxmemory") == {"maxmemory": str(77 << 20)}
    text = log.read_text()
    assert "line 3: appendonly" in text
    assert "line 4: nosuch" in text


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--memory", "50%"], ["--memory", "50%", "64mb"]),
        (["--policy", "lrruu"], ["--policy", "lrruu", "s3fifo"]),
        (["--memroy", "1gb"], ["--memroy", "--memory"]),
        (["--config", "/nowhere/at/all"], ["/nowhere/at/all"]),
    ],
)
def test_wrong_settings_are_refused(arguments: list[str], parts: list[str]) -> None:
    """The error names the place, the value and the way out; the exit status is 2."""
    done = run(*arguments)
    assert done.returncode == 2
    assert all(part in done.stderr for part in parts), done.stderr


def test_an_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    """Of a TOML file, with its line."""
    toml = tmp_path / "augury.toml"
    toml.write_text('port = 0\nmemroy = "1gb"\n')
    done = run("--config", str(toml))
    assert done.returncode == 2
    assert "line 2" in done.stderr
    assert "did you mean memory?" in done.stderr


def test_config_set_changes_all_or_nothing() -> None:
    """Several settings are changed at once; one that is wrong leaves the others."""
    with serving("--memory", "64mb") as served:
        server = client(served)
        assert server.execute_command("CONFIG", "SET", "maxmemory", "80mb", "timeout", "9")
        with pytest.raises(redis.ResponseError, match="related to argument 'maxclients'"):
            server.execute_command("CONFIG", "SET", "maxmemory", "90mb", "maxclients", "x")
        with pytest.raises(redis.ResponseError, match="immutable config"):
            server.config_set("port", 1)
        with pytest.raises(redis.ResponseError, match="Unknown option or number of arguments"):
            server.config_set("nosuch", 1)
        found = server.config_get("[mt]*o*")
        assert (str(80 << 20), "9") == (found["maxmemory"], found["timeout"])
        server.config_set("maxmemory", 0)
        assert server.config_get("maxmemory") == {"maxmemory": str(64 << 20)}


def test_a_lower_bound_evicts_in_steps() -> None:
    """CONFIG SET maxmemory shrinks what is stored, and nobody waits for all of it."""
    with serving("--memory", "64mb", "--http-port", "0", protocols=("redis", "http")) as served:
        server = client(served)
        fill(server, 60_000, size=300)
        before = metric(served, "augury_memory_bytes", kind="entries")
        server.config_set("maxmemory", "8mb")
        until(
            lambda: metric(served, "augury_memory_bytes", kind="entries") <= 8 << 20,
            "what is stored fits into the lower bound",
        )
        assert before > 16 << 20
        assert metric(served, "augury_removals_total", cause="evicted") > 0


def test_config_rewrite_keeps_what_was_changed(tmp_path: Path) -> None:
    """The file has the new value, and its comments; without a file it is refused."""
    conf = tmp_path / "redis.conf"
    conf.write_text("# mine\ntimeout 5\n")
    with serving("--config", str(conf)) as served:
        server = client(served)
        server.config_set("timeout", 7)
        server.config_set("slowlog-max-len", 3)
        assert server.config_rewrite()
    assert conf.read_text() == "# mine\ntimeout 7\nslowlog-max-len 3\n"
    with serving() as served, pytest.raises(redis.ResponseError, match="without a config file"):
        client(served).config_rewrite()


def zipf(seed: int, count: int) -> list[int]:
    """Popularities that a cache can make use of."""
    drawn = random.Random(seed)
    return [int(40_000 ** drawn.random()) for _ in range(count)]


def hit_ratio(server: redis.Redis, keys: list[int]) -> float:
    """Share of reads that were answered; what was missed is stored."""
    hits = 0
    for begin in range(0, len(keys), 200):
        asked = keys[begin : begin + 200]
        pipe = server.pipeline(transaction=False)
        for key in asked:
            pipe.get(str(key))
        missed = [key for key, found in zip(asked, pipe.execute(), strict=True) if found is None]
        hits += len(asked) - len(missed)
        pipe = server.pipeline(transaction=False)
        for key in missed:
            pipe.set(str(key), b"." * 500)
        pipe.execute()
    return hits / len(keys)


def test_a_restart_keeps_keys_and_hit_ratio(tmp_path: Path) -> None:
    """After SIGTERM and a start the same traffic finds what it found before."""
    arguments = ("--memory", "4mb", "--dir", str(tmp_path), *QUIET)
    with serving(*arguments) as served:
        server = client(served)
        cold = hit_ratio(server, zipf(1, 20_000))
        hit_ratio(server, zipf(2, 20_000))
        server.set("kept", b"\x00\xff")
        warm = hit_ratio(server, zipf(3, 20_000))
        assert end(served) == 0
    with serving(*arguments) as served:
        server = client(served)
        assert server.get("kept") == b"\x00\xff"
        again = hit_ratio(server, zipf(4, 20_000))
    assert cold < warm - 0.05
    assert again > warm - 0.02


def test_what_was_restored_is_in_use_once(tmp_path: Path) -> None:
    """INFO tells of as much after a restart as before it, and of little once that is gone."""
    arguments = ("--memory", "64mb", "--dir", str(tmp_path), *QUIET)
    used = []
    for _ in range(2):
        with serving(*arguments) as served:
            server = client(served)
            if not used:
                server.mset({f"key:{number}": b"." * 1_000 for number in range(10_000)})
            used.append(server.info("memory")["used_memory"])
            if len(used) == 2:
                server.flushall()
                used.append(server.info("memory")["used_memory"])
            assert end(served) == 0
    before, after, emptied = used
    assert 10_000_000 < before
    assert 0.7 < after / before < 1.3
    assert emptied < before / 3


def test_shutdown_saves_or_not(tmp_path: Path) -> None:
    """SHUTDOWN NOSAVE leaves no file, SHUTDOWN SAVE does; both end with status 0."""
    for word, is_there in (("NOSAVE", False), ("SAVE", True)):
        with serving("--dir", str(tmp_path), *QUIET) as served:
            client(served).set("a", 1)
            with pytest.raises(redis.ConnectionError):
                client(served).execute_command("SHUTDOWN", word)
            assert served.process.wait(timeout=DEADLINE) == 0
        assert (tmp_path / "augury.snapshot").exists() is is_there
    with serving() as served:
        with pytest.raises(redis.ResponseError, match="syntax error"):
            client(served).execute_command("SHUTDOWN", "SAVE", "NOSAVE")
        with pytest.raises(redis.ResponseError, match="No shutdown in progress"):
            client(served).execute_command("SHUTDOWN", "ABORT")


def test_saves_are_told(tmp_path: Path) -> None:
    """SAVE answers when the file is there, others are served, and LASTSAVE moves."""
    with serving("--dir", str(tmp_path), *QUIET) as served:
        server = client(served)
        server.set("a", 1)
        assert server.execute_command("SAVE") in (b"OK", True)
        assert (tmp_path / "augury.snapshot").stat().st_mode & 0o777 == 0o600
        begun = server.execute_command("LASTSAVE")
        assert server.execute_command("BGSAVE")
        with pytest.raises(redis.ResponseError, match="syntax error"):
            server.execute_command("BGSAVE", "NOW")
        assert begun is not None


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    """SAVE answers an error, the server goes on, and the end is no success."""
    folder = tmp_path / "there"
    folder.mkdir()
    with serving("--dir", str(folder), "--log-level", "nothing") as served:
        server = client(served)
        folder.rmdir()
        with pytest.raises(redis.ResponseError, match="could not be written"):
            server.execute_command("SAVE")
        assert server.ping()
        assert end(served) == 1


def test_a_schedule_writes_snapshots(tmp_path: Path) -> None:
    """Every --snapshot-interval seconds, without being asked."""
    with serving("--dir", str(tmp_path), "--snapshot-interval", "1", *QUIET) as served:
        client(served).set("a", 1)
        until((tmp_path / "augury.snapshot").exists, "a snapshot by the schedule")


def test_killed_while_it_writes_the_old_snapshot_stays(tmp_path: Path) -> None:
    """A kill -9 during a snapshot leaves the one before it, whole."""
    snapshot, beside = tmp_path / "augury.snapshot", tmp_path / "augury.snapshot.tmp"
    arguments = ("--memory", "256mb", "--dir", str(tmp_path), *QUIET)
    with serving(*arguments) as served:
        server = client(served)
        server.set("old", "1")
        server.execute_command("SAVE")
        before = snapshot.read_bytes()
        fill(server, 60_000, size=2_000)
        server.execute_command("BGSAVE")
        until(beside.exists, "the new snapshot is begun")
        served.process.kill()
        served.process.wait()
    assert snapshot.read_bytes() == before, "the new snapshot was written too soon for this test"
    with serving(*arguments) as served:
        assert client(served).get("old") == b"1"
        assert client(served).get("1") is None
        assert end(served) == 0
    assert not beside.exists()


@pytest.mark.parametrize("place", [3, 9, 30, -30, None])
def test_a_damaged_snapshot_is_refused(tmp_path: Path, place: int | None) -> None:
    """One wrong byte, or a missing one: the server says so, begins empty and keeps the file."""
    snapshot, log = tmp_path / "augury.snapshot", tmp_path / "log"
    arguments = ("--dir", str(tmp_path), "--log-file", str(log))
    with serving(*arguments) as served:
        fill(client(served), 100)
        assert end(served) == 0
    damaged = bytearray(snapshot.read_bytes())
    if place is None:
        damaged.pop()
    else:
        damaged[place] ^= 1
    snapshot.write_bytes(damaged)
    with serving(*arguments) as served:
        assert client(served).get("1") is None
        assert (tmp_path / "augury.snapshot.damaged").read_bytes() == damaged
        assert end(served) == 0
    assert "the snapshot is refused and kept aside" in log.read_text()
    with serving(*arguments) as served:
        assert client(served).ping()


def test_clients_are_served_while_a_snapshot_is_written(tmp_path: Path) -> None:
    """No answer waits for the whole of it: the slowest of many is far from its duration."""
    with serving("--memory", "256mb", "--dir", str(tmp_path), *QUIET) as served:
        server = client(served)
        fill(server, 60_000, size=1_000)
        server.execute_command("BGSAVE")
        waits = []
        while not (tmp_path / "augury.snapshot").exists():
            begin = time.perf_counter()
            server.get("1")
            waits.append(time.perf_counter() - begin)
        assert len(waits) > 5, "it was written before anybody could ask"
        assert sorted(waits)[len(waits) // 2] < 0.05


def page(served: Served, path: str) -> tuple[int, str]:
    """Status and text of a page."""
    url = f"http://127.0.0.1:{served.ports['http']}{path}"
    with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
        return answer.status, answer.read().decode()


def metric(served: Served, name: str, **labels: str) -> float:
    """One sample, by the parser of Prometheus's own client where it is installed."""
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    text = page(served, "/metrics")[1]
    for family in parser.text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    raise AssertionError(f"no {name} {labels} in {text}")


def test_metrics_and_health() -> None:
    """Counters are those of the traffic; the server is alive and ready."""
    with serving("--http-port", "0", *QUIET, protocols=("redis", "http")) as served:
        server = client(served)
        server.set("a", 1)
        for key in ("a", "a", "b"):
            server.get(key)
        assert (2, 1) == (
            metric(served, "augury_hits_total"),
            metric(served, "augury_misses_total"),
        )
        assert metric(served, "augury_keys", db="0") == 1
        assert metric(served, "augury_memory_bytes", kind="bound") == 64 << 20
        assert metric(served, "augury_build_info", version="0.1.0", policy="auto") == 1
        assert (200, "ok\n") == page(served, "/healthz")
        assert (200, "ready\n") == page(served, "/readyz")
        server.config_resetstat()
        assert metric(served, "augury_hits_total") == 0


def test_logs_are_json_and_keep_secrets(tmp_path: Path) -> None:
    """Every line is an object; a password is in none."""
    log = tmp_path / "log"
    arguments = ("--log-format", "json", "--log-file", str(log), "--log-level", "debug")
    with serving(*arguments, "--dir", str(tmp_path), "--acl-log-max-len", "7") as served:
        client(served).config_set("requirepass", "a secret of length")
        assert end(served) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert any(line["message"] == "a snapshot is written" for line in lines)
    assert "secret" not in log.read_text()


def test_the_manager_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manager, systemd, learns that the server is ready, and that it stops."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(DEADLINE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        with serving(*QUIET) as served:
            assert manager.recv(100) == b"READY=1\n"
            assert end(served) == 0
        assert manager.recv(100) == b"STOPPING=1\n"


def test_the_python_command_serves() -> None:
    """``augury serve`` takes the same flags, and ends on SIGINT and SIGTERM with status 0."""
    command = [sys.executable, "-m", "augury", "serve", "--port", "0", "--log-level", "warning"]
    # Where another thread runs it serves in the process as it is.
    thread = (
        "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"
    )
    program = f"{thread}; import runpy; runpy.run_module('augury', run_name='__main__')"
    here = [command[0], "-c", program, *command[3:]]
    for number in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen([*here, "--memory", "32mb"], stdout=subprocess.PIPE) as process:
            try:
                ready(process, ("redis",))
                process.send_signal(number)
                assert process.wait(timeout=DEADLINE) == 0
            finally:
                process.kill()
    for number in (signal.SIGTERM, signal.SIGINT):
        process = subprocess.Popen([*command, "--memory", "32mb"], stdout=subprocess.PIPE)
        with process:
            try:
                served = Served(process, ready(process, ("redis",)))
                server = client(served)
                assert server.set("a", 1)
                assert server.get("a") == b"1"
                assert server.config_get("maxmemory") == {"maxmemory": str(32 << 20)}
                # All of it is for entries: nothing but the server is in the process.
                assert server.info("augury")["used_bytes"] < 4096
                process.send_signal(number)
                assert process.wait(timeout=DEADLINE) == 0
            finally:
                process.kill()
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert "--snapshot-interval <SECONDS>" in shown.stdout
    wrong = subprocess.run([*command, "--memroy", "1"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "--memory" in wrong.stderr


def churn(server: redis.Redis, drawn: random.Random, largest: int) -> None:
    """A batch of values from 10 bytes to ``largest``, as many small ones as large ones."""
    pipe = server.pipeline(transaction=False)
    for _ in range(200):
        size = int(10 * (largest / 10) ** drawn.random())
        pipe.set(str(drawn.randrange(2_000_000)), b"." * size)
    pipe.execute()


def test_memory_stays_within_its_bound() -> None:
    """However sizes shift, the resident set is within 1.05 times --memory and 32 MiB and buffers.

    A minute of it with ``AUGURY_CHURN_SECONDS=60``.
    """
    memory = 256 << 20
    seconds = float(os.environ.get("AUGURY_CHURN_SECONDS", "4"))
    arguments = ("--memory", "256mb", "--http-port", "0", *QUIET)
    with serving(*arguments, protocols=("redis", "http")) as served:
        server = client(served)
        drawn = random.Random(1)
        begin, worst = time.monotonic(), 0.0
        while (spent := time.monotonic() - begin) < seconds:
            # The distribution shifts: small values, then ever larger ones, and back.
            phase = int(spent / seconds * 8) % 4
            for _ in range(10):
                churn(server, drawn, (40, 400, 4_000, 20_000)[phase])
            statm = Path(f"/proc/{served.process.pid}/statm").read_text().split()
            worst = max(worst, int(statm[1]) * os.sysconf("SC_PAGE_SIZE"))
        buffers = metric(served, "augury_memory_bytes", kind="client_buffers")
        assert worst <= 1.05 * memory + (32 << 20) + buffers
        assert metric(served, "augury_memory_bytes", kind="entries") > 0.5 * min(worst, memory)
