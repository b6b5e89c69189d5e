"""The policies that are measured, as far as the engine at hand has them."""

from collections.abc import Iterable

from augury import ConfigError
from augury.laboratory.policies import resolve_policies

#: Their outcome depends on the seed.
SEEDED = ("auto", "survival", "hyperbolic")
FIXED = ("lru", "fifo", "lfu", "sieve", "s3fifo", "wtinylfu", "gdsf")
BOUNDS = ("belady", "beladysize", "belady-bypass")
SEEDS = (1, 2, 3)


def available(names: Iterable[str]) -> list[str]:
    """Those of the policies that the engine at hand has."""
    return [name for name in names if is_known(name)]


def is_known(name: str) -> bool:
    """Whether the engine at hand has the policy."""
    try:
        resolve_policies([name])
    except ConfigError:
        return False
    return True
