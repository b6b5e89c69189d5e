"""The rules about who may know whom, as a checker of sources; tests/test_layers.py applies it.

A rule looks at one crate or folder and yields one line per breach: ``path:line: what``.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

__all__ = ["breaches"]

CRATES = ("augury-core", "augury-replay", "augury-page", "augury-server", "augury-py")
#: What a crate may depend on of ours: those before it.
ALLOWED = {crate: set(CRATES[:place]) for place, crate in enumerate(CRATES)}
#: Words that the engine must not contain, and why.
FOREIGN_TO_CORE = {
    r"\bpyo3\b": "the engine knows no Python",
    r"\bstd::net\b": "the engine knows no sockets",
    r"\btokio\b": "the engine knows no event loop",
    r"\bSystemTime\b|\bInstant\b": "the engine knows no wall clock; the clock is an argument",
}
#: Modules of the engine that do not know each other.
STRANGERS = (("store", "policy"), ("policy", "store"))
COMMENT = re.compile(r"//.*")
#: A block or an impl; what `unsafe fn` asks of its caller stands in its documentation.
UNSAFE = re.compile(r"\bunsafe\b(?!\s+fn\b)")


def breaches(root: Path) -> Iterator[str]:
    """Every breach in the repository at ``root``."""
    for crate in CRATES:
        folder = root / "crates" / crate
        yield from dependencies(folder, crate)
        for path in sorted(folder.rglob("*.rs")):
            text = path.read_text(encoding="utf-8")
            place = path.relative_to(root)
            yield from (f"{place}:{line}: {what}" for line, what in faults(crate, path, text))


def dependencies(folder: Path, crate: str) -> Iterator[str]:
    """Crates of ours that come later in the flow, and foreign ones in the wrong crate."""
    manifest = tomllib.loads((folder / "Cargo.toml").read_text(encoding="utf-8"))
    named = set(manifest.get("dependencies", {})) | set(manifest.get("dev-dependencies", {}))
    for other in sorted(named & set(CRATES) - ALLOWED[crate]):
        yield f"{crate}/Cargo.toml: {crate} must not depend on {other}"
    if "pyo3" in named and crate != "augury-py":
        yield f"{crate}/Cargo.toml: only augury-py names pyo3"
    if "tokio" in named and crate != "augury-server":
        yield f"{crate}/Cargo.toml: tokio belongs in the server"


def faults(crate: str, path: Path, text: str) -> Iterator[tuple[int, str]]:
    """The faults of one source file, by line."""
    # What tests of the engine need beside it is not the engine.
    is_engine = crate == "augury-core" and "src" in path.parts
    if is_engine:
        yield from acquaintances(path, COMMENT.sub("", text))
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        code = COMMENT.sub("", line)
        if is_engine:
            for word, why in FOREIGN_TO_CORE.items():
                if re.search(word, code):
                    yield number, why
        elif crate != "augury-py" and re.search(r"\bpyo3\b", code):
            yield number, "only augury-py names pyo3"
        if UNSAFE.search(code) and not has_proof(lines, number):
            yield number, "unsafe without a SAFETY comment"


def acquaintances(path: Path, code: str) -> Iterator[tuple[int, str]]:
    """Mentions of a module that the file's own must not know, alone or in a group."""
    module = path.parts[path.parts.index("src") + 1].removesuffix(".rs")
    for one, other in STRANGERS:
        if module == one:
            for found in re.finditer(rf"\bcrate::(?:\{{[^;]*?\b)?{other}\b", code):
                line = code.count("\n", 0, found.end()) + 1
                yield line, f"{one} and {other} do not know each other"


def has_proof(lines: list[str], number: int) -> bool:
    """Whether the comment block right above the line, or the line itself, holds a proof."""
    if "SAFETY:" in lines[number - 1]:
        return True
    above = number - 2
    while above >= 0 and lines[above].lstrip().startswith(("//", "#[", "///")):
        if "SAFETY:" in lines[above] or "# Safety" in lines[above]:
            return True
        above -= 1
    return False
