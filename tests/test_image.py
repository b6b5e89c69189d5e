"""The image without an engine that runs it: linted, and what it would run is run here.

Whole builds of it are for `docs/guides/deploy.md` to tell of.
"""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml
from process import executable, ready

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILE = DEPLOY / "docker" / "Dockerfile"
HEALTHY = DEPLOY / "docker" / "healthy"
BIN = Path(sys.executable).parent
PASSWORDS = {"AUGURY_PASSWORD": "one", "GRAFANA_PASSWORD": "two"}
#: The number of the user in the image.
USER = 10001


def last_stage() -> str:
    """What the image is made of, its lines put together."""
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    return text.rpartition("\nFROM ")[2]


def composed(**variables: str) -> "subprocess.CompletedProcess[str]":
    """The compose file as compose reads it, its own schema and variables checked."""
    return subprocess.run(
        [BIN / "docker-compose", "--file", DEPLOY / "compose.yaml", "config", "--format", "json"],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_dockerfile_is_linted() -> None:
    """There is nothing that hadolint says; the one exception has its reason beside it."""
    done = subprocess.run(
        [BIN / "hadolint", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_image_is_of_this_version_of_rust() -> None:
    """The first stage has the oldest compiler that the crates allow; what is copied is sent."""
    text = DOCKERFILE.read_text(encoding="utf-8")
    (rust,) = re.findall(r'rust-version = "([\d.]+)"', (ROOT / "Cargo.toml").read_text())
    assert f"FROM rust:{rust}-slim-" in text
    sent = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    copied = [
        line.split()[1:-1] for line in text.splitlines() if re.match(r"COPY (?!--from)", line)
    ]
    for name in (name for names in copied for name in names if not name.startswith("--")):
        assert (ROOT / name).exists()
        assert f"!{name}" in sent


@pytest.mark.skipif(executable() is None, reason="needs cargo build -p augury-server")
def test_what_the_image_runs(tmp_path: Path) -> None:
    """Its program, variables, and user where we may: healthy while it serves, else not."""
    stage = last_stage()
    (given,) = re.findall(r"^ENV (.+)$", stage, re.MULTILINE)
    variables = dict(pair.split("=") for pair in shlex.split(given))
    assert {"AUGURY_BIND", "AUGURY_DIR", "AUGURY_HTTP_PORT"} == set(variables)
    assert re.search(rf"^USER {USER}:{USER}$", stage, re.MULTILINE)
    assert 'ENTRYPOINT ["augury-server"]' in stage
    data = tmp_path / "data"
    data.mkdir()
    options: dict[str, int] = {}
    if os.geteuid() == 0:
        # Folders of tests are root's alone; what the image has is open to its user.
        for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
            folder.chmod(0o755)
        os.chown(data, USER, USER)
        options = {"user": USER, "group": USER}
    program = tmp_path / "augury-server"
    shutil.copy(str(executable()), program)
    variables |= {"AUGURY_DIR": str(data), "AUGURY_HTTP_PORT": "0", "AUGURY_PORT": "0"}
    with subprocess.Popen(
        [program], env=variables, cwd="/", stdout=subprocess.PIPE, **options
    ) as process:
        try:
            port = str(ready(process, ("redis", "http"))["http"])
            assert is_healthy(port)
        finally:
            process.terminate()
        assert process.wait(timeout=20) == 0
    assert not is_healthy(port)
    snapshot = data / "augury.snapshot"
    assert snapshot.exists()
    assert not options or snapshot.stat().st_uid == USER


def is_healthy(port: str) -> bool:
    """What the image's health check says."""
    environment = {"AUGURY_HTTP_PORT": port, "PATH": os.environ["PATH"]}
    done = subprocess.run([HEALTHY], env=environment, capture_output=True, check=False, timeout=20)
    return done.returncode == 0


def test_health_is_what_readyz_says() -> None:
    """An answer that is not 200 is not healthy, and neither is silence."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            for reply in (b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 503 Unavailable\r\n\r\n", b""):
                peer, _ = listener.accept()
                # Whole: bash may send a request line by line, and what is left unread resets.
                with peer, peer.makefile("rb") as request:
                    while request.readline().strip():
                        pass
                    peer.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        port = str(listener.getsockname()[1])
        assert [True, False, False] == [is_healthy(port) for _ in range(3)]
        thread.join()


def test_the_compose_file_is_one() -> None:
    """By compose itself: its schema, its variables, what depends on what."""
    done = composed(**PASSWORDS)
    assert done.returncode == 0, done.stderr
    project = json.loads(done.stdout)
    assert {"augury", "prometheus", "grafana"} == set(project["services"])
    for name, service in project["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert all(port["host_ip"] == "127.0.0.1" for port in service["ports"]), name
        assert not service["image"].endswith(":latest"), name
        for mount in (one for one in service["volumes"] if one["type"] == "bind"):
            assert Path(mount["source"]).exists(), mount
            assert mount["read_only"], mount
    # The server's check is in its image.
    assert {"prometheus", "grafana"} == {
        name for name, service in project["services"].items() if "healthcheck" in service
    }


def test_without_passwords_nothing_is_composed() -> None:
    """It says which variable is missing and what for."""
    done = composed(AUGURY_PASSWORD="one")
    assert done.returncode != 0
    assert "GRAFANA_PASSWORD" in done.stderr
    assert "a password" in done.stderr


def test_what_is_composed_knows_each_other() -> None:
    """Prometheus reads the server by its name, Grafana Prometheus and the dashboard's folder."""
    project = json.loads(composed(**PASSWORDS).stdout)
    prometheus = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    (job,) = prometheus["scrape_configs"]
    assert ("augury", [{"targets": ["augury:9121"]}]) == (job["job_name"], job["static_configs"])
    grafana = DEPLOY / "grafana" / "provisioning"
    (source,) = yaml.safe_load((grafana / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    assert ("prometheus", "http://prometheus:9090") == (source["type"], source["url"])
    (provider,) = yaml.safe_load((grafana / "dashboards" / "augury.yml").read_text())["providers"]
    mounts = {one["target"]: one for one in project["services"]["grafana"]["volumes"]}
    board = mounts[provider["options"]["path"] + "/augury.json"]
    assert Path(board["source"]) == DEPLOY / "grafana" / "augury.json"
    version = re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert f"augury:{version[1]}" == project["services"]["augury"]["image"]


def test_the_unit_of_systemd_is_one(tmp_path: Path) -> None:
    """By systemd itself, where it is installed; its options are the server's."""
    unit = (DEPLOY / "systemd" / "augury.service").read_text(encoding="utf-8")
    (command,) = re.findall(r"^ExecStart=(.+)$", unit, re.MULTILINE)
    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for option in re.findall(r"--([\w-]+)", command):
        assert option == "config" or f"| `{option}` |" in settings
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze")
    path = tmp_path / "augury.service"
    path.write_text(unit.replace(command.split()[0], "/bin/true"), encoding="utf-8")
    done = subprocess.run(
        [program, "verify", "--man=no", path], capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)
