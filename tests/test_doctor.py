"""`augury doctor`: what a machine has and has not, and how to get it."""

import json
import re
import socket
import threading
import tomllib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from augury.diagnosis import Finding, State, examine
from augury.diagnosis.environment import EXTRAS, package
from augury.diagnosis.limits import limits
from augury.diagnosis.reaching import port, server
from augury.errors import ConfigError
from small_traces import Run

ROOT = Path(__file__).parents[1]


def states(found: list[Finding]) -> dict[str, State]:
    """By what they are about."""
    return {one.about: one.state for one in found}


def test_a_machine_that_runs_the_tests_is_well() -> None:
    """Nothing that tests need is a problem."""
    found = states(examine(ports=[]))
    assert State.OK == found["extension"] == found["augury"]
    assert {f"extra {name}" for name in EXTRAS} <= set(found)


def test_extras_are_those_of_the_package() -> None:
    """Each that can be installed is looked for, under its own name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = set(project["optional-dependencies"]) - {"dev"}
    assert listed == set(EXTRAS)


def test_a_missing_extra_says_how_to_get_it() -> None:
    """By the command, quoted for shells."""
    found = package("learn", "no_such_module", "training")
    assert (State.NOTE, "pip install 'augury[learn]'") == (found.state, found.way_out)


def machine(root: Path, **texts: str) -> list[Finding]:
    """A machine whose system files say so, and a server of 64 MiB."""
    files = {
        "meminfo": "proc/meminfo", "cgroup": "proc/self/cgroup",
        "least": "sys/fs/cgroup/a/memory.max",
        "outer": "sys/fs/cgroup/memory.max", "old": "sys/fs/cgroup/memory/b/memory.limit_in_bytes",
        "pages": "sys/kernel/mm/transparent_hugepage/enabled",
        "overcommit": "proc/sys/vm/overcommit_memory",
    }  # fmt: skip
    for name, text in texts.items():
        path = root / files[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(limits(64 << 20, root))


@pytest.mark.parametrize(
    ("texts", "about", "state"),
    [
        ({}, "memory", State.OK),
        ({"meminfo": "MemTotal: 9 kB\nMemAvailable:  1000000 kB\n"}, "memory", State.OK),
        ({"meminfo": "MemAvailable:  1000 kB\n"}, "memory", State.PROBLEM),
        ({"cgroup": "0::/a/c\n", "least": "67108864\n"}, "memory", State.PROBLEM),
        ({"cgroup": "0::/a/c\n", "least": "max\n", "outer": "1000\n"}, "memory", State.PROBLEM),
        ({"cgroup": "0::/a/c\n", "least": "max\n"}, "memory", State.OK),
        ({"cgroup": "5:cpu,memory:/b\n", "old": "1000"}, "memory", State.PROBLEM),
        ({"cgroup": "5:memory:/b\n", "old": "9223372036854771712"}, "memory", State.OK),
        ({"pages": "[always] madvise never\n"}, "huge pages", State.NOTE),
        ({"pages": "always [madvise] never\n"}, "huge pages", State.OK),
        ({"overcommit": "2\n"}, "overcommit", State.NOTE),
        ({"overcommit": "0\n"}, "overcommit", State.OK),
    ],
)
def test_limits_of_machines(
    tmp_path: Path, texts: dict[str, str], about: str, state: State
) -> None:
    """Memory that is there, the least limit of all control groups, and the kernel's settings."""
    found = {one.about: one for one in machine(tmp_path, **texts)}
    assert state == found[about].state
    assert (state is State.OK) == (found[about].way_out == "")


def test_ports_free_taken_and_none() -> None:
    """A port that somebody listens on is told, with what to do."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        assert State.NOTE == port(number).state
    assert State.OK == port(number).state
    assert State.PROBLEM == port(99_999).state


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """A server that gives these answers in turn, whatever is asked; its port."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with closing(connection):
                for answer in answers:
                    if not connection.recv(4096):
                        return
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


INFO = b"$38\r\n# Server\r\nredis_version:7.0.1\r\nport:1\r\n\r\n"


@pytest.mark.parametrize(
    ("answers", "state", "word"),
    [
        ([b"+PONG\r\n", INFO], State.OK, "redis 7.0.1"),
        ([b"+PONG\r\n", b"-ERR no\r\n"], State.OK, "unknown version"),
        ([b"-NOAUTH Authentication required.\r\n"], State.NOTE, "password"),
        ([b"HTTP/1.1 400 Bad Request\r\n"], State.PROBLEM, "HTTP"),
        ([b""], State.PROBLEM, "cannot be reached"),
    ],
)
def test_servers(answers: list[bytes], state: State, word: str) -> None:
    """What they are, and what else answers there."""
    with answering(*answers) as number:
        found = server(f"redis://127.0.0.1:{number}", {})
    assert state == found.state
    assert word in found.found


def test_a_password_is_given_and_never_said() -> None:
    """From the URL or the environment; a refusal does not repeat it."""
    for url, environment in (
        ("redis://:secret@127.0.0.1:{}", {}),
        ("redis://127.0.0.1:{}", {"REDISCLI_AUTH": "secret"}),
    ):
        with answering(b"-WRONGPASS no\r\n") as number:
            found = server(url.format(number), environment)
        assert State.PROBLEM == found.state
        assert "refuses the password" in found.found
        assert "secret" not in f"{found}"
    with pytest.raises(ConfigError) as raised:
        server("http://:secret@host")
    assert "secret" not in str(raised.value)


def test_the_command(augury: Run) -> None:
    """Exit code 1 where something will not work; the same as JSON."""
    done = augury("doctor", "--server", "redis://127.0.0.1:1", "--port", "0")
    assert (1, "") == (done.returncode, done.stderr)
    assert "augury serve --port 1" in done.stdout
    assert re.search(r"[1-9] problems", done.stdout)
    found = json.loads(augury("doctor", "--json", "--memory", "900TB").stdout)
    assert "problem" == {one["about"]: one["state"] for one in found}["memory"]
    assert 2 == augury("doctor", "--server", "nonsense").returncode
    assert 2 == augury("doctor", "--memory", "1%").returncode
