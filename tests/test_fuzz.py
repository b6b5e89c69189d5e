"""The fuzz targets: the workspace that builds them lists each of them, once."""

import tomllib
from pathlib import Path

FUZZ = Path(__file__).parents[1] / "fuzz"


def test_every_target_is_built() -> None:
    """A file of fuzz_targets/ and a binary of fuzz/Cargo.toml go together."""
    manifest = tomllib.loads((FUZZ / "Cargo.toml").read_text(encoding="utf-8"))
    built = {binary["name"]: binary["path"] for binary in manifest["bin"]}
    assert len(built) == len(manifest["bin"])
    written = {path.stem: f"fuzz_targets/{path.name}" for path in FUZZ.glob("fuzz_targets/*.rs")}
    assert written
    assert built == written


def test_the_locked_versions_are_those_that_are_tested() -> None:
    """What the targets are built with is in the workspace's lock file too."""
    locked = tomllib.loads((FUZZ / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    names = {package["name"] for package in locked}
    assert {"augury-core", "augury-replay", "augury-server", "libfuzzer-sys"} <= names
