"""A plugin of pytest: Django as its own tests want it, with a database in memory.

The tests are Django's own `tests/cache/tests.py`, found in the current folder, which is that of its
source.
"""

import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings

sys.path.insert(0, str(Path.cwd() / "tests"))
settings.configure(
    DATABASES={
        alias: {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        for alias in ("default", "other")
    },
    INSTALLED_APPS=["cache"],
    SECRET_KEY="of the tests",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    USE_TZ=False,
)
django.setup()

_databases: list[Any] = []


def pytest_sessionstart() -> None:
    """The tables of the tests' models."""
    from django.test.utils import setup_databases, setup_test_environment

    setup_test_environment()
    _databases.append(setup_databases(verbosity=0, interactive=False))


def pytest_sessionfinish() -> None:
    """And away with them."""
    from django.test.utils import teardown_databases, teardown_test_environment

    teardown_databases(_databases.pop(), verbosity=0)
    teardown_test_environment()
