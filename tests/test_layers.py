"""Who may know whom: the repository keeps the rules, and the checker can tell when it does not."""

from pathlib import Path

import pytest

from layers import CRATES, breaches

ROOT = Path(__file__).parents[1]

GOOD = {
    "augury-core": {
        "src/store/mod.rs": "use crate::request::Tick; // never crate::policy\n",
        "src/policy/lru.rs": "use crate::slots::Slots;\n",
        "src/slots.rs": "fn f(p: *const u8) -> u8 {\n    // SAFETY: valid.\n    unsafe { *p }\n}\n",
    },
    "augury-replay": {"src/lib.rs": "use std::time::Instant;\n"},
    "augury-page": {"src/lib.rs": "use maud::html;\n"},
    "augury-server": {"src/lib.rs": "use std::net::TcpStream;\n"},
    "augury-py": {"src/lib.rs": "use pyo3::prelude::*;\n"},
}
#: What a bad file is called, what it holds, and a word of the complaint.
BAD = [
    ("augury-core/src/lib.rs", "use pyo3::Python;", "no Python"),
    ("augury-core/src/lib.rs", "use std::net::TcpStream;", "no sockets"),
    ("augury-core/src/clock.rs", "use std::time::Instant;", "no wall clock"),
    ("augury-core/src/clock.rs", "std::time::SystemTime::now()", "no wall clock"),
    ("augury-core/src/lib.rs", "use tokio::spawn;", "event loop"),
    ("augury-core/src/store/mod.rs", "use crate::policy::Policy;", "do not know each other"),
    ("augury-core/src/policy/lru.rs", "use crate::store::Store;", "do not know each other"),
    ("augury-core/src/store/a.rs", "use crate::{\n    slots, policy,\n};", "know each other"),
    ("augury-core/src/slots.rs", "unsafe { *p }", "SAFETY"),
    ("augury-replay/src/lib.rs", "use pyo3::Python;", "only augury-py"),
    ("augury-core/Cargo.toml", "[dependencies]\naugury-replay = '1'", "must not depend"),
    ("augury-replay/Cargo.toml", "[dependencies]\naugury-py = '1'", "must not depend"),
    ("augury-page/Cargo.toml", "[dependencies]\naugury-server = '1'", "must not depend"),
    ("augury-page/Cargo.toml", "[dependencies]\ntokio = '1'", "server"),
    ("augury-server/Cargo.toml", "[dependencies]\naugury-py = '1'", "must not depend"),
    ("augury-replay/Cargo.toml", "[dependencies]\npyo3 = '1'", "only augury-py"),
    ("augury-replay/Cargo.toml", "[dependencies]\ntokio = '1'", "server"),
]


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A repository that keeps all rules."""
    for crate in CRATES:
        for name, text in {"Cargo.toml": "[package]\n", **GOOD[crate]}.items():
            path = tmp_path / "crates" / crate / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return tmp_path


def test_the_repository_keeps_the_layers() -> None:
    """No crate or module knows what it must not."""
    assert [] == list(breaches(ROOT))


def test_a_good_sample_has_no_breach(sample: Path) -> None:
    """Comments, proofs and allowed words are not breaches."""
    assert [] == list(breaches(sample))


@pytest.mark.parametrize(("name", "text", "complaint"), BAD)
def test_each_breach_is_found(sample: Path, name: str, text: str, complaint: str) -> None:
    """Each rule can fail, and says where."""
    path = sample / "crates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")
    found = list(breaches(sample))
    assert 1 == len(found)
    assert complaint in found[0]
    assert path.name in found[0]
