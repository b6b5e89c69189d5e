"""Pages of the reference that are printed are what the code prints now."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """The script that prints them."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_the_command_is_up_to_date(generate: ModuleType) -> None:
    """Else: ``python docs/generate.py``."""
    assert (DOCS / "reference" / "cli.md").read_text(encoding="utf-8") == generate.cli()


def test_the_page_of_the_metrics_is_up_to_date(generate: ModuleType) -> None:
    """A server has the metrics of the page, and no others."""
    page = (DOCS / "reference" / "metrics.md").read_text(encoding="utf-8")
    assert page == generate.metrics(generate.answered())
