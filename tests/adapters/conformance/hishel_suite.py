"""A plugin of pytest: augury's storages where hishel's own tests make those on SQLite.

The tests are found in the current folder, which is that of hishel's source. They travel in time
from the first day of 2026 on, and so does the storages' clock. Redis has storages of hishel's own,
which are not asked: what the tests import for them is a name without content.
"""

import sys
import time
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import hishel
import pytest
from hishel._core._storages import _async_sqlite, _sync_sqlite
from time_machine import escape_hatch

from augury.adapters.hishel import AsyncAuguryStorage, AuguryStorage

for name in ("fakeredis", "fakeredis.aioredis"):
    sys.modules[name] = ModuleType(name)
sys.modules["fakeredis"].aioredis = sys.modules["fakeredis.aioredis"]  # type: ignore[attr-defined]


BEGINNING = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def timer() -> float:
    """Seconds since the beginning of the test's journey; none before and after it."""
    return time.time() - BEGINNING if escape_hatch.is_travelling() else 0.0


def arguments(options: dict[str, Any]) -> dict[str, Any]:
    """Those of augury's storages for the suite's."""
    for name in ("connection", "database_path", "soft_delete_ttl"):
        options.pop(name, None)
    capacity = options.pop("max_size", None) or 10_000_000
    return {"capacity": capacity, "timer": timer, **options}


class Storage(AuguryStorage):
    """As the suite makes it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**arguments(options))


class AsyncStorage(AsyncAuguryStorage):
    """As the suite makes it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**arguments(options))


hishel.SqliteStorage = Storage  # type: ignore[misc,assignment]
hishel.AsyncSqliteStorage = AsyncStorage  # type: ignore[misc,assignment]
_sync_sqlite.SqliteStorage = Storage  # type: ignore[misc,assignment]
_async_sqlite.AsyncSqliteStorage = AsyncStorage  # type: ignore[misc,assignment]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The helpers that count a storage's rows count augury's entries."""
    for module in {item.getparent(pytest.Module).obj for item in items}:  # type: ignore[union-attr]
        for name in ("rows", "chunk_rows"):
            if hasattr(module, name):
                is_async = "_async" in module.__name__
                setattr(module, name, acounted if is_async else counted)


def counted(storage: Storage) -> int:
    """Entries."""
    return len(storage.augury)


async def acounted(storage: AsyncStorage) -> int:
    """Entries."""
    return len(storage.augury)
