"""A plugin of pytest: augury's backends where dogpile's own tests name those in memory.

The tests are found in the current folder, which is that of dogpile's source.
"""

from collections.abc import Mapping
from typing import Any

from dogpile.cache.backends import memory
from dogpile.cache.region import _backend_loader
from dogpile.testing import fixtures

from augury.adapters.dogpile import AuguryBackend, AuguryBytesBackend


class Mock(AuguryBackend):
    """In place of the suite's mock: it takes any argument and hands out a mutex."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self.arguments = arguments
        super().__init__({})

    def get_mutex(self, key: str) -> Any:
        return fixtures.MockMutex(key)


class AnyArguments(AuguryBackend):
    """The suite hands over arguments of other backends too."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        super().__init__({})


class AnyArgumentsBytes(AnyArguments, AuguryBytesBackend):
    """As bytes."""


fixtures.MockBackend = Mock
memory.MemoryBackend = AnyArguments
memory.MemoryPickleBackend = AnyArgumentsBytes
assert _backend_loader.load("dogpile.cache.memory") is AnyArguments
