"""Where the values of a near cache come from: its loaders, and who is asked where it is silent.

A value that the protocol vouches for was read on a tracking connection and may be kept. Where it
does not, the client is asked, and nobody shares that or keeps it: the key is dropped before the
client is asked, which takes away the permit of this load and sends whoever comes later to ask for
himself.
"""

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from augury.cache import Cache
from augury.errors import ConfigError, NotFound
from augury.near.memory import Memory
from augury.near.origins import Origin
from augury.near.slots import key_bytes, slot_of
from augury.near.topology import Address

if TYPE_CHECKING:
    from augury.near.driver import Driver

__all__ = ["Source", "checked"]

#: Keys in one MGET at most: a server answers nobody else while it works on one.
MOST_KEYS = 256


def checked(key: object) -> bytes:
    """The key as the server knows it.

    Raises:
        ConfigError: It is neither text nor bytes, or text that is no UTF-8.
    """
    known = key_bytes(key)
    if known is None:
        raise ConfigError(f"key {key!r:.60}: a near cache has text and bytes as keys")
    return known


class Source:
    """Loads for one near cache.

    Args:
        origin: The client.
        drive: Makes what reads on tracking connections, before this memory.
    """

    memory: Memory

    def __init__(self, origin: Origin, drive: "Callable[[Memory], Driver]") -> None:
        self.origin = origin
        self._drive = drive
        self.begin()
        #: Keys that were read by the client, as nobody vouched for them.
        self.plain = 0

    def begin(self) -> None:
        """With nobody who drives it: at first, and in the child of a fork."""
        self._driver: Driver | None = None
        self._lock = threading.Lock()

    @property
    def driver(self) -> "Driver":
        """What reads on tracking connections, started when it is first wanted."""
        driver = self._driver
        if driver is None:
            with self._lock:
                driver = self._driver = self._driver or self._drive(self.memory)
        return driver

    def stop(self) -> None:
        """Let go of the connections."""
        if self._driver is not None:
            self._driver.stop()

    def disown(self) -> None:
        """In the child of a fork: nobody reads the parent's connections here."""
        driver = self._driver
        self.begin()
        if driver is not None:
            driver.disown()

    def ask(self, key: Any, default: Any, session: Any, was_missed: bool) -> Any:
        """The value of a key that is no hit; not even looked for, where hits may not be served."""
        self.refuse_asyncio("aget")
        try:
            if was_missed:
                return self._cache.reader.load(self._cache, key, None, None, None, None, None)
            if self.vouches_for(key):
                return self._cache.get_or_load(key, session=session)
            return self.read(key)
        except NotFound:
            return default

    async def aask(self, key: Any, default: Any, session: Any, was_missed: bool) -> Any:
        """As :meth:`ask`, in a task."""
        cache = self._cache
        try:
            if was_missed:
                return await cache.reader.load_in_task(cache, key, None, None, None, None, None)
            if self.vouches_for(key):
                return await cache.aget_or_load(key, session=session)
            return await self.aread(key)
        except NotFound:
            return default

    def vouches_for(self, key: Any) -> bool:
        """Whether what is in memory under the key may be served now."""
        return self.driver.coherence.vouches_for(checked(key), self.driver.now())

    def owners(self, keys: Iterable[Any]) -> dict[bytes, Address | None]:
        """Keys that are about to be written, and whom the client will ask to, if that is known."""
        is_cluster, owner_of = self.origin.is_cluster, self.origin.owner_of
        return {
            known: owner_of(slot_of(known)) if is_cluster else None for known in map(checked, keys)
        }

    def wrote(self, key: bytes, owner: Address | None) -> None:
        """The key was written, or may have been, and this was its owner to the client before."""
        driver = self.driver
        if owner is not None and self.origin.owner_of(slot_of(key)) != owner:
            owner = None
        driver.coherence.wrote(key, driver.now(), owner)
        self.memory.drop(key)

    def split(self, keys: list[Any], is_vouched: bool) -> tuple[list[Any], list[Any]]:
        """Keys that may be served from memory, and the others; all of them may, if so."""
        if is_vouched:
            return keys, []
        vouched = [key for key in keys if self.vouches_for(key)]
        return vouched, [key for key in keys if key not in set(vouched)]

    def refuse_asyncio(self, verb: str) -> None:
        """Say which verb a task would use."""
        if self.origin.is_async:
            raise ConfigError(f"the client is asyncio's: await {verb} instead, in a task")

    @property
    def _cache(self) -> Cache[Any, Any]:
        return self.memory.cache

    def load(self, key: Any) -> Any:
        """The value of one key.

        Raises:
            NotFound: There is none.
        """
        known = checked(key)
        values = self.driver.read((known,)).result()
        if values is not None:
            return self._found(key, values[0])
        self.memory.drop(known)
        return self.read(key)

    async def aload(self, key: Any) -> Any:
        """As :meth:`load`, in a task."""
        from asyncio import wrap_future

        known = checked(key)
        values = await wrap_future(self.driver.read((known,)))
        if values is not None:
            return self._found(key, values[0])
        self.memory.drop(known)
        return await self.aread(key)

    def load_many(self, keys: list[Any]) -> dict[Any, Any]:
        """The values of those that there are: an MGET for each slot, all sent at once."""
        asked = [(group, self._ask(group)) for group in self._groups(keys)]
        found: dict[Any, Any] = {}
        refused: list[Any] = []
        for group, future in asked:
            self._sort(group, future.result(), found, refused)
        return found | self.read_many(refused)

    async def aload_many(self, keys: list[Any]) -> dict[Any, Any]:
        """As :meth:`load_many`, in a task."""
        from asyncio import wrap_future

        asked = [(group, self._ask(group)) for group in self._groups(keys)]
        found: dict[Any, Any] = {}
        refused: list[Any] = []
        for group, future in asked:
            self._sort(group, await wrap_future(future), found, refused)
        return found | await self.aread_many(refused)

    def read(self, key: Any) -> Any:
        """What the client has.

        Raises:
            NotFound: Nothing.
        """
        self.plain += 1
        return found_or_not(key, self.origin.client.get(key))

    async def aread(self, key: Any) -> Any:
        """As :meth:`read`, in a task."""
        self.plain += 1
        return found_or_not(key, await self.awaited(self.origin.client.get, key))

    def read_many(self, keys: list[Any]) -> dict[Any, Any]:
        """What the client has of these."""
        self.plain += len(keys)
        return without_none(keys, self.origin.read_many(keys)) if keys else {}

    async def aread_many(self, keys: list[Any]) -> dict[Any, Any]:
        """As :meth:`read_many`, in a task."""
        self.plain += len(keys)
        return without_none(keys, await self.awaited(self.origin.read_many, keys)) if keys else {}

    async def awaited(self, verb: Any, *arguments: Any, **options: Any) -> Any:
        """What a verb of the client returns, whichever kind of client it is."""
        if self.origin.is_async:
            return await verb(*arguments, **options)
        from asyncio import to_thread

        return await to_thread(verb, *arguments, **options)

    def _groups(self, keys: Iterable[Any]) -> list[list[Any]]:
        """What one command can ask for."""
        groups: dict[int, list[Any]] = {}
        for key in keys:
            known = checked(key)
            groups.setdefault(slot_of(known) if self.origin.is_cluster else 0, []).append(key)
        return [
            group[start : start + MOST_KEYS]
            for group in groups.values()
            for start in range(0, len(group), MOST_KEYS)
        ]

    def _ask(self, group: list[Any]) -> Any:
        return self.driver.read(tuple(map(checked, group)))

    def _sort(
        self,
        group: list[Any],
        values: list[bytes | None] | None,
        found: dict[Any, Any],
        refused: list[Any],
    ) -> None:
        """Values that may be kept, and keys that the client has to be asked for."""
        if values is None:
            for key in group:
                self.memory.drop(checked(key))
            refused += group
            return
        for key, value in zip(group, values, strict=True):
            if value is not None:
                found[key] = self.origin.decode(value)

    def _found(self, key: Any, value: bytes | None) -> Any:
        if value is None:
            raise NotFound(key)
        return self.origin.decode(value)


def found_or_not(key: Any, value: Any) -> Any:
    """The value, or an error for what is not there."""
    if value is None:
        raise NotFound(key)
    return value


def without_none(keys: list[Any], values: list[Any]) -> dict[Any, Any]:
    """Those that are there."""
    return {key: value for key, value in zip(keys, values, strict=True) if value is not None}
