"""The site builds from what is here, without a warning and without a network."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
DEADLINE = 600
#: What a page loads by itself, as against what a reader may follow.
LOADED = re.compile(
    r"<(?:script|img|source|iframe)[^>]*\ssrc=\"(https?:)?//|<link[^>]*\shref=\"https?://"
)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with warnings as errors; the notebooks are executed on the way."""
    folder = tmp_path_factory.mktemp("site")
    options = ["--quiet", "-W", "--keep-going", "-j", "auto", "-c", "docs"]
    options += ["-d", str(folder / "doctrees")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, ".", str(folder / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return folder / "html"


def test_every_document_has_its_page(site: Path) -> None:
    """And the address of the site leads to the first."""
    documents = [*(ROOT / "docs").rglob("*.md"), *NOTEBOOKS]
    pages = {site / path.relative_to(ROOT).with_suffix(".html") for path in documents}
    assert set() == {page for page in pages if not page.exists()}
    assert "docs/index.html" in (site / "index.html").read_text()


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    """No script, style, font or picture of another host."""
    assert [] == [path.name for path in site.rglob("*.html") if LOADED.search(path.read_text())]


def test_chinese_pages_say_so(site: Path) -> None:
    """To browsers, screen readers and search engines."""
    pages = sorted((site / "docs" / "zh").rglob("*.html"))
    assert pages
    assert [] == [page for page in pages if ' lang="zh-CN"' not in page.read_text()[:400]]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_a_picture_on_its_page(site: Path, path: Path) -> None:
    """It was executed, and what it draws can be seen."""
    page = (site / "notebooks" / f"{path.stem}.html").read_text()
    assert '<img alt="' in page
    assert "cell_output" in page


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    """Outputs are made by executing it; a picture in a repository grows old unseen."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert [] == [cell for cell in code if cell["outputs"] or cell["execution_count"]]


def test_reference_has_what_the_package_exports(site: Path) -> None:
    """Every public name of the package is on a page of the reference."""
    import augury

    pages = (site / "docs" / "reference" / "python").glob("*.html")
    found = {one for page in pages for one in re.findall(r'id="augury\.(\w+)"', page.read_text())}
    modules = {"__version__", "probability", "traces"}
    errors = {name for name in augury.__all__ if name.endswith("Error") or name == "NotFound"}
    assert set() == set(augury.__all__) - found - modules - errors
