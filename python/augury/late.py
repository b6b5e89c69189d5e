"""Names of a package that are loaded when they are first used, by PEP 562.

A program that imports the package pays for what it uses alone. Type checkers do not see any of it:
they read the imports that stand beside it under `TYPE_CHECKING`.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType

__all__ = ["late"]


def late(
    package: str, sources: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package whose names are found in `sources`, by their module.

    Between names are spaces. Any other public name is that of a module of the package.

    >>> get, names = late("augury", {"augury.errors": "LoadError NotFound"})
    >>> get("LoadError").__name__, "NotFound" in names()
    ('LoadError', True)
    >>> get("erors")
    Traceback (most recent call last):
    ...
    AttributeError: module 'augury' has no attribute 'erors'
    """
    homes = {name: module for module, names in sources.items() for name in names.split()}

    def load(name: str) -> object:
        home = homes.get(name)
        found = getattr(import_module(home), name) if home else module_of(package, name)
        setattr(sys.modules[package], name, found)
        return found

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return load, names


def module_of(package: str, name: str) -> ModuleType:
    """A module of the package; an AttributeError where there is none."""
    full = f"{package}.{name}"
    try:
        if not name.startswith("_"):
            return import_module(full)
    except ModuleNotFoundError as error:
        if error.name != full:
            raise
    raise AttributeError(f"module {package!r} has no attribute {name!r}")
