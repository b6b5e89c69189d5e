"""Build what is released into ``dist``, and use it as someone would who has no checkout.

Usage: packages.py, in the environment of the group ``packaging`` (``make packages``). In this
order: the source distribution; a wheel of it by ``pip wheel`` alone, everything compiled anew; that
wheel in a fresh environment, and its first use; what judges packages; bills of materials;
checksums. The other interpreters are compiled for and not run: there are none here.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
TOOLS = Path(sys.executable).parent
FIRST_USE = ROOT / ".ci" / "first_use.py"
#: What CPython calls itself, and whether it is free-threaded: compiled for, never run here.
UNVERIFIED = {"3.12": False, "3.13": False, "3.14": False, "3.14t": True}
MOST_MILLISECONDS_OF_IMPORT = 50


def run(*command: str | Path, **environment: str) -> str:
    """What a command prints; it is shown, and where it fails so does this."""
    print("+", *command, flush=True)
    done = subprocess.run(
        list(map(str, command)),
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    print(done.stdout, end="", flush=True)
    if done.returncode:
        sys.exit(f"failed: {command[0]}")
    return done.stdout


def fresh(folder: Path) -> Path:
    """The interpreter of an environment with nothing in it but pip."""
    venv.create(folder, with_pip=True, clear=True)
    return folder / "bin" / "python"


def source_distribution() -> Path:
    """The source distribution, with the lock of its dependencies."""
    run(TOOLS / "maturin", "sdist", "--out", DIST)
    return only("*.tar.gz")


def wheel_of(source: Path, folder: Path) -> Path:
    """The wheel that pip makes of the sources alone, in an environment and a target of its own."""
    target = os.environ.get("PACKAGES_TARGET_DIR", str(ROOT / "target" / "packages"))
    python = fresh(folder / "building")
    run(python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", DIST, source,
        CARGO_TARGET_DIR=target, PYO3_PYTHON=str(python))  # fmt: skip
    return only("*.whl")


def use(wheel: Path, folder: Path) -> Path:
    """The interpreter of an environment with the wheel and what it needs, after its first use."""
    python = fresh(folder / "using")
    run(python, "-m", "pip", "install", "--quiet", wheel)
    run(python, "-m", "pip", "check")
    run(python, FIRST_USE)
    run(python.parent / "augury", "--version")
    run(python.parent / "augury", "serve", "--version")
    timed = "import time; a = time.process_time(); import augury; print(time.process_time() - a)"
    took = 1_000 * min(float(run(python, "-c", timed)) for _ in range(5))
    print(f"import augury takes {took:.1f} ms of CPU time")
    if took > MOST_MILLISECONDS_OF_IMPORT:
        sys.exit(f"that is more than {MOST_MILLISECONDS_OF_IMPORT}")
    return python


def judge(source: Path, wheel: Path) -> None:
    """By those who know how packages have to be."""
    run(TOOLS / "twine", "check", "--strict", source, wheel)
    run(TOOLS / "check-wheel-contents", wheel)
    run(TOOLS / "validate-pyproject", "pyproject.toml")


def bill(wheel: Path, python: Path) -> None:
    """Bills of materials in CycloneDX: of Rust, which the wheel has in it, and of Python."""
    stem = wheel.name.split("-cp")[0]
    with zipfile.ZipFile(wheel) as opened:
        inside = next(name for name in opened.namelist() if name.endswith(".cyclonedx.json"))
        (DIST / f"{stem}.rust.cdx.json").write_bytes(opened.read(inside))
    run(TOOLS / "cyclonedx-py", "environment", "--pyproject", "pyproject.toml",
        "--output-reproducible", "--output-file", DIST / f"{stem}.python.cdx.json",
        python)  # fmt: skip
    for path in sorted(DIST.glob("*.cdx.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        print(f"{path.name}: CycloneDX {found['specVersion']}, {len(found['components'])} packages")


def compile_for_others(folder: Path) -> None:
    """Whether the sources compile for interpreters that are not here; nothing is run."""
    for version, is_free in UNVERIFIED.items():
        config = folder / f"pyo3-{version}.txt"
        flags = "Py_GIL_DISABLED" if is_free else ""
        config.write_text(
            "implementation=CPython\n"
            f"version={version.rstrip('t')}\n"
            "shared=true\n"
            f"build_flags={flags}\nsuppress_build_script_link_lines=true\n"
        )
        run("cargo", "check", "--package", "augury-py", "--release", "--locked", "--quiet",
            PYO3_CONFIG_FILE=str(config),
            CARGO_TARGET_DIR=str(ROOT / "target" / "others"))  # fmt: skip
        print(f"compiles for CPython {version}; not run")


def only(pattern: str) -> Path:
    """The one file of the release with such a name."""
    (found,) = DIST.glob(pattern)
    return found


def main() -> None:
    """See the module's head."""
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        source = source_distribution()
        wheel = wheel_of(source, Path(folder))
        python = use(wheel, Path(folder))
        judge(source, wheel)
        bill(wheel, python)
        compile_for_others(Path(folder))
    released = sorted(path for path in DIST.iterdir())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in released]
    (DIST / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf-8")
    print("\n".join(["", *sums]))


if __name__ == "__main__":
    main()
