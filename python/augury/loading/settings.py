"""How a cache loads, from the arguments of a new one."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from augury.capacity import Capacity
from augury.errors import ConfigError
from augury.loading.load import Order

__all__ = ["Settings", "check_seconds"]

#: Seconds.
LONGEST = 2**32 - 1
#: Additional loads, as a share of those on demand.
MOST_EXTRA = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """What :class:`augury.Cache` documents under the same names; seconds.

    Raises:
        ConfigError: One cannot be.
        CapacityError: ``negative_capacity`` cannot be.
    """

    loader: Callable[[Any], Any] | None = None
    bulk_loader: Callable[[list[Any]], Any] | None = None
    stale: float = 0.0
    stale_if_error: float = 0.0
    load_timeout: float | None = None
    negative_ttl: float | None = None
    negative_capacity: int | str | Capacity = "1 MB"
    early_refresh: float = 0.0
    prefetch: float | None = None
    refresh_ahead: float | None = None

    def __post_init__(self) -> None:
        for name in ("loader", "bulk_loader"):
            function = getattr(self, name)
            if function is not None and not callable(function):
                raise ConfigError(f"{name} {function!r}: expected a function, or None")
        for name in ("stale", "stale_if_error", "early_refresh"):
            check_seconds(name, getattr(self, name), is_zero_fine=True)
        for name in ("load_timeout", "negative_ttl"):
            if getattr(self, name) is not None:
                check_seconds(name, getattr(self, name))
        _ = self.negative_bytes
        for name in ("prefetch", "refresh_ahead"):
            budget = getattr(self, name)
            if budget is None:
                continue
            check_budget(name, budget)
            if not self.loads_items:
                raise ConfigError(
                    f"{name} {budget!r}: there is nothing to load with; make the cache with "
                    f"Cache(..., loader=...) or bulk_loader=, or without {name}"
                )

    @property
    def negative_bytes(self) -> int:
        """Bytes for absences."""
        return Capacity.parse(self.negative_capacity).for_cache()

    @property
    def kept(self) -> float:
        """Seconds that an entry is kept after its TTL."""
        return max(self.stale, self.stale_if_error)

    @property
    def loads_items(self) -> bool:
        """Whether the cache has a loader of its own."""
        return self.loader is not None or self.bulk_loader is not None

    def order(
        self,
        loader: Callable[[Any], Any] | None,
        ttl: float | None,
        tags: Iterable[Hashable] | None,
        namespace: str | None,
    ) -> Order:
        """What to load one key with: the loader given, else the cache's own."""
        if loader is not None or self.loader is not None:
            return order(loader or self.loader, False, ttl, tags, namespace)
        return order(self.bulk_loader, True, ttl, tags, namespace)

    def bulk_order(
        self,
        bulk_loader: Callable[[list[Any]], Any] | None,
        ttl: float | None,
        tags: Iterable[Hashable] | None,
        namespace: str | None,
    ) -> Order:
        """What to load several keys with: the bulk loader, else the loader for each."""
        if bulk_loader is not None or self.bulk_loader is not None:
            return order(bulk_loader or self.bulk_loader, True, ttl, tags, namespace)
        return order(self.loader, False, ttl, tags, namespace)


def order(
    loader: Callable[[Any], Any] | None,
    is_bulk: bool,
    ttl: float | None,
    tags: Iterable[Hashable] | None,
    namespace: str | None,
) -> Order:
    """Refuse what cannot be before anything is loaded."""
    if loader is None:
        raise ConfigError(
            "there is no loader: pass one, or make the cache with Cache(..., loader=...)"
        )
    if not callable(loader):
        raise ConfigError(f"loader {loader!r}: expected a function")
    if ttl is not None:
        check_seconds("ttl", ttl)
    if isinstance(tags, str):
        raise ConfigError(f"tags {tags!r}: expected several names; one is (name,)")
    return Order(loader, is_bulk, ttl, None if tags is None else tuple(tags), namespace)


def check_budget(name: str, share: object) -> None:
    """Refuse what is no share of additional loads."""
    is_number = isinstance(share, int | float) and not isinstance(share, bool)
    if not is_number or not 0 <= share <= MOST_EXTRA:  # type: ignore[operator]
        raise ConfigError(
            f"{name} {share!r}: expected a share of additional loads from 0 to {MOST_EXTRA}, or "
            "None for off; for 10% write 0.1"
        )


def check_seconds(name: str, number: object, is_zero_fine: bool = False) -> None:
    """Refuse what is no number above 0, or from 0."""
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if is_number and number == float("inf") and name == "ttl":
        return
    least = 0 if is_zero_fine else 1e-9
    if not is_number or not least <= number <= LONGEST:  # type: ignore[operator]
        bound = "from 0" if is_zero_fine else "above 0"
        raise ConfigError(f"{name} {number!r}: expected a number {bound} to {LONGEST:,}")
