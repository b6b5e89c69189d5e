"""A plugin of pytest: skips what suites.toml lists for the suite that AUGURY_SUITE names.

A pattern that fits no test is an error: the list says what there is.
"""

import os
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

SUITES = tomllib.loads(Path(__file__).with_name("suites.toml").read_text(encoding="utf-8"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them, each by the first pattern that fits."""
    unused: dict[str, str] = dict(SUITES[os.environ["AUGURY_SUITE"]]["skip"])
    for item in items:
        for pattern, reason in SUITES[os.environ["AUGURY_SUITE"]]["skip"].items():
            if fnmatchcase(item.nodeid, pattern):
                item.add_marker(pytest.mark.skip(reason=reason))
                unused.pop(pattern, None)
                break
    if unused:
        raise pytest.UsageError(f"suites.toml skips what there is not: {', '.join(unused)}")
