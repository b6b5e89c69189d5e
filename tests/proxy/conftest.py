"""nginx with a few files, and the proxy in front of it, for several tests."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sockets import Program, nginx, program


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """Nginx with a few files: its folder and port."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "www").mkdir()
    (folder / "www" / "page.txt").write_text("a page\n" * 100)
    (folder / "www" / "style.css").write_text("body { color: black }\n" * 100)
    (folder / "www" / "large.txt").write_bytes(b"0123456789abcdef" * 1_000_000)
    with nginx(folder) as port:
        yield folder, port


@pytest.fixture(scope="module")
def front(site: tuple[Path, int]) -> Iterator[Program]:
    """The proxy in front of it."""
    with program(f"http://127.0.0.1:{site[1]}", "--max-object", "4 MB") as running:
        yield running


@pytest.fixture
def client(front: Program) -> Iterator[httpx.Client]:
    """A client of the proxy."""
    with httpx.Client(base_url=f"http://127.0.0.1:{front.port}", timeout=30) as made:
        yield made
