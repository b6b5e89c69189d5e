"""Servers for the tests of the near cache: Valkey, Redis and our own, and a cluster."""

from collections.abc import Iterator

import pytest
from benchmarks.nearcache.cluster import Cluster
from benchmarks.nearcache.cluster import running as running_cluster
from originals import valkey
from process import executable, serving

from redis_server import executable as installed
from redis_server import running


@pytest.fixture(scope="module", params=["valkey", "redis", "augury"])
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One server, of three kinds."""
    if request.param == "augury":
        if executable() is None:
            pytest.skip("no augury-server: cargo build -p augury-server")
        with serving() as served:
            yield served.port
        return
    program = valkey() if request.param == "valkey" else installed()
    if program is None:
        pytest.skip(f"no server of {request.param}")
    with running(tmp_path_factory.mktemp("server"), program=program) as found:
        yield found


@pytest.fixture(scope="module")
def valkey_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The newest Valkey alone."""
    with running(tmp_path_factory.mktemp("valkey"), program=valkey()) as found:
        yield found


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Three primaries, a replica each."""
    with running_cluster(3, 1) as found:
        yield found
