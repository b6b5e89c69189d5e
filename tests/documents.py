"""What the documents say of the repository, as checkers; tests/test_documents.py applies them.

Each yields one line per fault: ``file: what``.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["missing_commands", "missing_links", "missing_paths", "strange_tables"]

DOCUMENTS = ("*.md", "docs/**/*.md", "benchmarks/*.md")
#: Headings of ARCHITECTURE.md whose tables list modules: of a crate, of the package.
CRATE = re.compile(r"^### `(crates/[\w-]+)`$")
PACKAGE = re.compile(r"^### `(python/\w+)`$")
BESIDE = "### Beside them"
ROW = re.compile(r"^\| `([^`]+)` \|(.*)\|$")
#: A module in the last column, and the reason in brackets that one below the row must have.
ALLOWED = re.compile(r"`(\w+)`( \()?")
NOT_MODULES = {"lib.rs", "__init__.py", "__main__.py", "py.typed", "__pycache__"}
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:benchmarks|crates|docs|fuzz|python|tests)/[\w./-]*)`")


def documents(root: Path) -> list[Path]:
    """Every document of the repository."""
    return sorted(path for pattern in DOCUMENTS for path in root.glob(pattern))


def missing_links(root: Path) -> Iterator[str]:
    """Links to files, folders and headings that are not there."""
    for path in documents(root):
        for target in LINK.findall(FENCED.sub("", path.read_text(encoding="utf-8"))):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, heading = target.partition("#")
            linked = path.parent / file if file else path
            if not linked.exists():
                yield f"{path.name}: links to {target}, which is not there"
            elif heading and heading not in anchors(linked):
                yield f"{path.name}: links to {target}, which has no such heading"


def anchors(path: Path) -> set[str]:
    """The headings of a document as links name them."""
    lines = FENCED.sub("", path.read_text(encoding="utf-8")).splitlines()
    headings = [line.lstrip("#").strip().lower() for line in lines if line.startswith("#")]
    return {re.sub(r"[^\w -]", "", heading).replace(" ", "-") for heading in headings}


def missing_paths(root: Path, invented: str) -> Iterator[str]:
    """Paths in backticks that are not there, but for those with ``invented`` in their name."""
    for path in documents(root):
        for named in PATH.findall(path.read_text(encoding="utf-8")):
            # Rendered by a benchmark, which takes an hour: it may not have been yet.
            is_excused = invented in named or named == "benchmarks/RESULTS.md"
            if not is_excused and not (root / named).exists():
                yield f"{path.name}: names {named}, which is not there"


def missing_commands(root: Path, targets: set[str], options: dict[str, set[str]]) -> Iterator[str]:
    """Make targets, subcommands and options in the documents that are none.

    ``options`` has the options of every subcommand of ``augury``.
    """
    for path in documents(root):
        if "decisions" in path.parts:
            continue
        for command in commands(path.read_text(encoding="utf-8")):
            yield from (f"{path.name}: {fault}" for fault in faults(command, targets, options))


def commands(text: str) -> Iterator[list[str]]:
    """The commands in a document: on indented lines and in backticks."""
    text = FENCED.sub("", text)
    for line in re.findall(r"^ {4}(\S.*)$", text, re.MULTILINE) + re.findall(r"`([^`\n]+)`", text):
        words = line.split()
        if words[0] == "make" or words[0].rpartition("/")[2] == "augury":
            yield [words[0].rpartition("/")[2], *words[1:]]


def faults(command: list[str], targets: set[str], options: dict[str, set[str]]) -> Iterator[str]:
    """What is wrong with one command."""
    tool, *words = command
    if tool == "make":
        yield from (f"there is no make {word}" for word in words if word not in targets)
    elif words:
        if words[0] not in options:
            yield f"there is no augury {words[0]}"
            return
        if any(name.startswith(f"{words[0]} ") for name in options) and words[1:]:
            words = [" ".join(words[:2]), *words[2:]]
            if words[0] not in options:
                yield f"there is no augury {words[0]}"
                return
        flags = [word.partition("=")[0] for word in words if word.startswith("-") and word != "-"]
        unknown = [flag for flag in flags if flag not in options[words[0]]]
        yield from (f"augury {words[0]} has no option {flag}" for flag in unknown)


def strange_tables(root: Path) -> Iterator[str]:
    """Where ARCHITECTURE.md and the code disagree about modules and who uses whom."""
    listed: set[str] = set()
    for heading, rows in sections(root).items():
        if heading == BESIDE:
            yield from beside(root, rows)
        elif found := CRATE.match(heading) or PACKAGE.match(heading):
            listed.add(found[1])
            yield from modules(root, root / found[1], rows)
    there = {f"crates/{path.name}" for path in (root / "crates").iterdir() if path.is_dir()}
    there |= {f"python/{path.name}" for path in (root / "python").iterdir() if path.is_dir()}
    yield from (f"{name}: has no section" for name in sorted(there - listed))
    yield from (f"{name}: has a section and is not there" for name in sorted(listed - there))


def sections(root: Path) -> dict[str, dict[str, str]]:
    """The rows of each table: heading, name in the first column, rest of the row."""
    found: dict[str, dict[str, str]] = {}
    heading = ""
    for line in (root / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line
        elif row := ROW.match(line):
            found.setdefault(heading, {})[row[1]] = row[2]
    return found


def beside(root: Path, rows: dict[str, str]) -> Iterator[str]:
    """Top-level folders that are not listed, or listed and gone."""
    ignored = {line.strip("/\n") for line in (root / ".gitignore").read_text().split()}
    there = {
        path.name
        for path in root.iterdir()
        if path.is_dir() and not path.name.startswith((".", "__")) and path.name not in ignored
    }
    yield from differences("the repository", there - {"crates", "python"}, names(rows))


def modules(root: Path, folder: Path, rows: dict[str, str]) -> Iterator[str]:
    """Modules and folders of a crate or package against its table."""
    is_crate = folder.parent.name == "crates"
    source = folder / "src" if is_crate else folder
    suffix = ".rs" if is_crate else ".py"
    there = {str(path.relative_to(source)) for path in source.iterdir() if path.suffix == suffix}
    there |= {str(path.relative_to(source)) for path in source.rglob("*/")}
    there = {name for name in there if not NOT_MODULES & set(Path(name).parts)}
    stub = {name for name in names(rows) if name.endswith(".pyi")}
    yield from differences(folder.name, there, names(rows) - stub)
    yield from (
        f"{folder.name}: {name} is not there" for name in stub if not (source / name).exists()
    )
    above: set[str] = set()
    for name, row in rows.items():
        module = name.strip("/").removesuffix(".pyi").removesuffix(suffix)
        if "/" in module:
            continue
        allowed = dict(ALLOWED.findall(row.rpartition("|")[2]))
        early = {other for other, reason in allowed.items() if not reason}
        for other in sorted(early - above):
            yield f"{folder.name}: {module} may know {other}, which is not above it"
        for other in sorted(acquaintances(source, name, is_crate) - set(allowed) - {module}):
            yield f"{folder.name}: {module} uses {other}, which its row does not allow"
        above.add(module)


def names(rows: dict[str, str]) -> set[str]:
    """The first column, without the slash that marks a folder."""
    return {name.strip("/") for name in rows}


def differences(where: str, there: set[str], listed: set[str]) -> Iterator[str]:
    """What is in one set only."""
    yield from (f"{where}: {name} is not in ARCHITECTURE.md" for name in sorted(there - listed))
    yield from (f"{where}: {name} is not there" for name in sorted(listed - there))


def acquaintances(source: Path, name: str, is_crate: bool) -> set[str]:
    """The modules of the same crate or package that a module uses, its tests apart."""
    path = source / name
    paths = path.rglob("*.rs" if is_crate else "*.py") if path.is_dir() else [path]
    texts = [one.read_text(encoding="utf-8") for one in paths if one.exists()]
    known = {one.stem if one.is_file() else one.name for one in source.iterdir()}
    used = set[str]().union(*map(of_rust if is_crate else of_python, texts))
    return used & known


def of_rust(text: str) -> set[str]:
    """First steps of the paths that begin at the crate."""
    code = re.sub(r"//.*", "", text).partition("#[cfg(test)]\nmod ")[0]
    found = set(re.findall(r"\bcrate::(\w+)", code))
    for group in re.findall(r"\bcrate::\{(.*?)\};", code, re.DOTALL):
        found |= set(re.findall(r"(?:^|,)\s*(\w+)", re.sub(r"\{[^{}]*\}", "", group)))
    return found


def of_python(text: str) -> set[str]:
    """Second steps of the imports that begin with the package."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            whole = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in whole if name.startswith("augury.")}
    return found
