"""Clients that people have, against the live server: the table of docs/clients.md."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients import TRIALS, Trial, page
from process import Served, executable, serving

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A server for Redis and memcached clients."""
    if executable() is None:
        pytest.skip("no augury-server was built")
    with serving(
        "--memory", "64mb", "--memcached-port", "0", protocols=("redis", "memcached")
    ) as started:
        yield started


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.run.__name__)
def test_a_client_works(served: Served, trial: Trial) -> None:
    """What the table says of a client is tried with it."""
    trial.run(served)


def test_the_page_has_the_rows_that_are_tried() -> None:
    """docs/clients.md is of these trials; versions are those of the day it was written."""
    written = (ROOT / "docs" / "clients.md").read_text()
    rows = re.sub(r"^(\| [^|]+ \|) [^|]+ \|", r"\1 - |", written, flags=re.MULTILINE)
    expected = re.sub(
        r"^(\| [^|]+ \|) [^|]+ \|", r"\1 - |", page(lambda _: "-"), flags=re.MULTILINE
    )
    assert expected == rows
