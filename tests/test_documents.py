"""What the documents name is there, and ARCHITECTURE.md lists what there is."""

import re
import shutil
from pathlib import Path

import pytest
import typer

from augury.cli.app import app
from documents import missing_commands, missing_links, missing_paths, strange_tables

ROOT = Path(__file__).parents[1]
#: The policy that CONTRIBUTING.md adds as its example, and that is not in the repository.
EXAMPLE = "second_chance"
MOST_LINES_OF_A_DECISION = 45
PARTS = ("## Context", "## Decision", "## Measured")
LAST_PART = ("## Tried and dropped", "## Weighed and dropped")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The documents and sources, to be spoilt."""
    folders = (
        "crates",
        "python",
        "docs",
        "tests",
        "benchmarks",
        "examples",
        "deploy",
        "fuzz",
        "notebooks",
    )
    for folder in folders:
        ignored = shutil.ignore_patterns("target", "*.so", "__pycache__", "corpus")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    for path in [*ROOT.glob("*.md"), ROOT / "LICENSE", ROOT / "Makefile", ROOT / ".gitignore"]:
        shutil.copy(path, tmp_path)
    return tmp_path


def targets() -> set[str]:
    """What make knows."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE)) - {"ifneq"}


def options() -> dict[str, set[str]]:
    """The options of every subcommand; those of a group also under both names, as one."""
    found: dict[str, set[str]] = {}

    def note(prefix: str, group: object) -> None:
        for name, command in getattr(group, "commands", {}).items():
            given = (one.opts + one.secondary_opts for one in command.params)
            found[prefix + name] = {"-h", "--help"}.union(*given)
            note(f"{prefix}{name} ", command)

    note("", typer.main.get_command(app))
    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    names = re.findall(r"^\| `([\w-]+)` \|", settings, re.MULTILINE)
    found["serve"] |= {"--config", *(f"--{name}" for name in names)}
    return found


def test_architecture_lists_what_there_is() -> None:
    """Every crate, module and folder has its row, every row its module, and no use is foreign."""
    assert [] == list(strange_tables(ROOT))


def test_links_lead_somewhere() -> None:
    """Files and headings that documents link to exist."""
    assert [] == list(missing_links(ROOT))


def test_paths_are_there() -> None:
    """So do the paths that they name, but for those of the example."""
    assert [] == list(missing_paths(ROOT, EXAMPLE))


def test_commands_exist() -> None:
    """Make targets, subcommands and their options are those of the Makefile and the command."""
    assert [] == list(missing_commands(ROOT, targets(), options()))


def test_decisions_are_numbered_and_short() -> None:
    """0001, 0002, ...: each with its parts in order, and linked from ARCHITECTURE.md."""
    architecture = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [path.name[:5] for path in decisions]
    assert [f"{number:04}-" for number in range(1, len(decisions) + 1)] == numbers
    for path in decisions:
        lines = path.read_text(encoding="utf-8").splitlines()
        headings = [line for line in lines if line.startswith("## ")]
        assert (*PARTS, headings[-1]) == tuple(headings), path.name
        assert headings[-1] in LAST_PART, path.name
        assert lines[0].startswith(f"# {path.name[:4]} "), path.name
        assert len(lines) <= MOST_LINES_OF_A_DECISION, path.name
        assert f"docs/decisions/{path.name}" in architecture, path.name


def test_decisions_that_the_code_cites_exist() -> None:
    """`docs/decisions/NNNN` in a comment is one of them."""
    written = {path.name[:4] for path in (ROOT / "docs" / "decisions").glob("*.md")}
    sources = [*(ROOT / "crates").rglob("*.rs"), *(ROOT / "python").rglob("*.py")]
    cited = {
        number
        for path in sources
        for number in re.findall(r"docs/decisions/(\d{4})", path.read_text(encoding="utf-8"))
    }
    assert set() == cited - written


def test_the_example_is_added_where_contributing_says() -> None:
    """The lines that the walk-through puts its own beside are there to be found."""
    core, replay = ROOT / "crates" / "augury-core", ROOT / "crates" / "augury-replay"
    anchors = [
        (core / "src/policy/eviction/mod.rs", "pub mod sieve;"),
        (core / "src/policy/eviction/list.rs", "fn move_to_front"),
        (core / "tests/conformance.rs", "every_policy! {"),
        (core / "tests/policy_models.rs", "fn agree<"),
        (core / "src/policy/ranking.rs", "rankings! {"),
        (replay / "src/replay/policy.rs", "PolicyName::Sieve => with.with("),
    ]
    assert [] == [str(path) for path, line in anchors if line not in path.read_text("utf-8")]


def test_a_new_module_is_missed(copy: Path) -> None:
    """A file or folder without a row is found."""
    (copy / "crates/augury-core/src/helpers.rs").write_text("")
    (copy / "crates/augury-replay/src/trace/deep").mkdir()
    (copy / "notes").mkdir()
    found = list(strange_tables(copy))
    assert 3 == len(found)
    assert all("is not in ARCHITECTURE.md" in fault for fault in found)


def test_a_module_that_is_gone_is_missed(copy: Path) -> None:
    """A row without its file is found."""
    (copy / "crates/augury-core/src/random.rs").unlink()
    assert ["augury-core: random.rs is not there"] == list(strange_tables(copy))


@pytest.mark.parametrize("use", ["use crate::store::Store;", "use crate::{clock, store};"])
def test_a_use_that_no_row_allows_is_found(copy: Path, use: str) -> None:
    """In Rust: alone or in a group."""
    with (copy / "crates/augury-core/src/metrics.rs").open("a") as source:
        source.write(f"{use}\n")
    found = set(strange_tables(copy))
    assert "augury-core: metrics uses store, which its row does not allow" in found


def test_an_import_that_no_row_allows_is_found(copy: Path) -> None:
    """In Python: wherever it stands."""
    with (copy / "python/augury/errors.py").open("a") as source:
        source.write("def late():\n    from augury import laboratory\n")
    expected = ["augury: errors uses laboratory, which its row does not allow"]
    assert expected == list(strange_tables(copy))


def test_dead_references_are_found(copy: Path) -> None:
    """A link, a heading, a path, a target, a subcommand and an option that are none."""
    (copy / "README.md").write_text(
        "[a](docs/none.md) [b](#none) `tests/none.py`\n\n    make none\n\n"
        "`augury none` and `augury replay TRACE --none=3`\n"
    )
    assert 2 == len(list(missing_links(copy)))
    assert ["README.md: names tests/none.py, which is not there"] == [*missing_paths(copy, EXAMPLE)]
    assert [
        "README.md: there is no make none",
        "README.md: there is no augury none",
        "README.md: augury replay has no option --none",
    ] == list(missing_commands(copy, targets(), options()))
