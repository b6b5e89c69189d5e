"""What the documents show runs as it is shown."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from snippets import commands, fences, skips

ROOT = Path(__file__).parents[1]
RUN = [
    ROOT / "README.md",
    ROOT / "docs" / "tutorial.md",
    *sorted((ROOT / "docs" / "guides").glob("*.md")),
    *sorted((ROOT / "docs" / "concepts").glob("*.md")),
]
#: Translations, whose blocks are those of the original.
TRANSLATED = {
    ROOT / "README.zh.md": ROOT / "README.md",
    ROOT / "docs" / "zh" / "tutorial.md": ROOT / "docs" / "tutorial.md",
    **{
        path: ROOT / "docs" / "concepts" / path.name
        for path in sorted((ROOT / "docs" / "zh" / "concepts").glob("*.md"))
    },
}
#: Every block that is not run, and why: a new one has to be added here.
NOT_RUN = {
    "README.md": ["builds what the others need"],
    "recording.md": ["needs a server with traffic, and ten minutes"],
    "redis.md": ["needs a server with traffic, and ten minutes"],
    "sqlalchemy.md": ["starts PostgreSQL; tests/test_example_query_cache.py runs it"],
    "tutorial.md": ["builds the package that the other commands need"],
}
#: Languages of blocks that are run, and of those that nothing could run.
LANGUAGES = {"python", "console"}
WORDS = {"text", "toml"}
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DEADLINE = 170
#: A warning is an error, but for Celery's use of what redis-py no longer likes.
WARNINGS = ["-W", "error", "-W", "ignore:Call to deprecated setex"]


def name(path: Path) -> str:
    """A document as the table above names it."""
    return path.name


@pytest.mark.parametrize("path", [path for path in RUN if LANGUAGES & {*fences(path.read_text())}],
    ids=name)  # fmt: skip
def test_a_document_runs_as_it_is_printed(path: Path) -> None:
    """Every block of it, in order, in a folder and a process of its own."""
    done = subprocess.run(
        [sys.executable, *WARNINGS, str(ROOT / "tests" / "snippets.py"), str(path)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    last = done.stdout.splitlines()[-1]
    assert f"{len(skips(path.read_text()))} skipped" == last.partition(", ")[2]


def test_what_is_not_run_is_listed() -> None:
    """With its reason, and no reason is left over."""
    found = {path.name: skips(path.read_text()) for path in RUN}
    assert NOT_RUN == {document: reasons for document, reasons in found.items() if reasons}


def test_no_block_escapes() -> None:
    """A block has a language, and it is one that is run or that nothing could run."""
    found = {(path.name, one) for path in RUN for one in fences(path.read_text())}
    assert set() == {(path, one) for path, one in found if one not in LANGUAGES | WORDS}
    bare = re.compile(r"\n\n```\n(?!\n|$)")
    assert [] == [path.name for path in RUN if bare.search(path.read_text())]


@pytest.mark.parametrize("path", TRANSLATED, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_translation_shows_the_same_blocks(path: Path) -> None:
    """What runs in the original is what the translation prints."""
    assert BLOCK.findall(TRANSLATED[path].read_text()) == BLOCK.findall(path.read_text())


def test_every_concept_is_translated() -> None:
    """Each page of the concepts has its Chinese one."""
    english = {path.name for path in (ROOT / "docs" / "concepts").glob("*.md")}
    assert english == {path.name for path in (ROOT / "docs" / "zh" / "concepts").glob("*.md")}


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ("```console\n$ echo a\nb\n```\n", "--- shown\nb"),
        ("```console\n$ false\n```\n", "ended with 1"),
        ("```python\n1 / 0\n```\n", "ZeroDivisionError"),
        ("```python\n>>> 1 + 1\n3\n```\n", "Expected"),
    ],
)
def test_a_wrong_block_fails(tmp_path: Path, document: str, fault: str) -> None:
    """Output that differs, a command that fails, an exception."""
    path = tmp_path / "wrong.md"
    path.write_text(document)
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "snippets.py"), str(path)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert 1 == done.returncode
    assert fault in done.stderr


def test_commands_are_told_from_their_output() -> None:
    """A line after ``$`` is a command, continued by a backslash; the rest is what it prints."""
    assert [("a b", "x\n"), ("c", "")] == [*commands("$ a \\\n> b\nx\n$ c\n")]
