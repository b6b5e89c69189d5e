"""TLS: with and without clients' certificates, and what is not TLS."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
from certificates import make
from process import Served, executable, serving
from raw import Raw
from redis.backoff import NoBackoff
from redis.retry import Retry

pytestmark = [
    pytest.mark.skipif(executable() is None, reason="augury-server is not built"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make certificates"),
]

PROTOCOLS = ("redis", "tls")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, and what it has signed: certificates of a server and of a client."""
    return make(tmp_path_factory.mktemp("tls"))


def arguments(folder: Path, auth_clients: str) -> list[str]:
    """What makes a server speak TLS."""
    return [
        "--tls-port", "0", "--tls-cert-file", f"{folder}/server.crt",
        "--tls-key-file", f"{folder}/server.key", "--tls-ca-cert-file", f"{folder}/ca.crt",
        "--tls-auth-clients", auth_clients,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def strict(folder: Path) -> Iterator[Served]:
    """A server that asks clients for a certificate."""
    with serving(*arguments(folder, "yes"), "--threads", "2", protocols=PROTOCOLS) as server:
        yield server


def client(server: Served, folder: Path, **more: Any) -> "redis.Redis":
    """A client that checks the server's certificate."""
    port = server.ports["tls"]
    return redis.Redis(port=port, protocol=2, ssl=True, ssl_ca_certs=f"{folder}/ca.crt", **more)


def own_certificate(folder: Path) -> dict[str, Any]:
    """A client's certificate."""
    return {"ssl_certfile": f"{folder}/client.crt", "ssl_keyfile": f"{folder}/client.key"}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_values_of_any_length_pass(strict: Served, folder: Path, version: ssl.TLSVersion) -> None:
    """Longer than a record, and than what a socket takes at once, in a pipeline too."""
    own = own_certificate(folder)
    with closing(client(strict, folder, ssl_min_version=version, **own)) as one:
        for length in (0, 1, 16_383, 16_384, 16_385, 5_000_000):
            value = b"v" * length
            assert one.set("k", value)
            assert value == one.get("k")
        one.set("k", b"v" * 100_000)
        with one.pipeline(transaction=False) as pipeline:
            for _ in range(100):
                pipeline.get("k")
            assert {100_000} == {len(value) for value in pipeline.execute()}


def test_who_has_no_certificate_is_refused(strict: Served, folder: Path) -> None:
    """Where one is asked for."""
    once = Retry(NoBackoff(), 0)
    with (
        closing(client(strict, folder, retry=once)) as one,
        pytest.raises(redis.exceptions.ConnectionError),
    ):
        one.ping()


def test_a_certificate_may_be_optional(folder: Path) -> None:
    """Then both are served; without any question too."""
    for auth_clients in ("optional", "no"):
        with serving(*arguments(folder, auth_clients), protocols=PROTOCOLS) as server:
            with closing(client(server, folder)) as one:
                assert one.ping()
            with closing(client(server, folder, **own_certificate(folder))) as one:
                assert one.ping()


def test_what_is_not_tls_is_cut_off(strict: Served) -> None:
    """And the plain port stays plain."""
    with Raw(strict.ports["tls"]) as plain, Raw(strict.port) as right:
        plain.send(b"PING\r\n" * 10)
        assert plain.is_closed()
        assert b"+PONG\r\n" == right.ask("PING")


def test_a_handshake_has_its_time(folder: Path) -> None:
    """Who does not begin one is cut off."""
    more = ("--greeting-timeout", "0.3")
    with (
        serving(*arguments(folder, "no"), *more, protocols=PROTOCOLS) as server,
        Raw(server.ports["tls"]) as silent,
        closing(client(server, folder)) as good,
    ):
        assert good.ping()
        assert silent.is_closed()
        assert good.ping()


@pytest.mark.skipif(shutil.which("redis-cli") is None, reason="no redis-cli")
def test_redis_cli_speaks_tls(strict: Served, folder: Path) -> None:
    """With a client's certificate."""
    command = [
        "redis-cli", "--tls", "-p", str(strict.ports["tls"]), "--cacert", f"{folder}/ca.crt",
        "--cert", f"{folder}/client.crt", "--key", f"{folder}/client.key", "ping",
    ]  # fmt: skip
    assert (
        "PONG" == subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()
    )


def test_a_file_that_cannot_be_used_is_named(folder: Path) -> None:
    """The server does not start without what it was told to use."""
    command = [str(executable()), "--port", "0", *arguments(folder, "yes")]
    command[command.index(f"{folder}/ca.crt")] = f"{folder}/none.crt"
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert 0 != ended.returncode
    assert f"TLS cannot use {folder}/none.crt" in ended.stderr
