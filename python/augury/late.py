"""Names of a package that are loaded when they are first used: `__getattr__` of PEP 562.

A program that imports the package pays for what it uses alone. Type checkers do not see any of it:
they read the imports that stand beside it under `TYPE_CHECKING`.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType

__all__ = ["late"]


def late(package: str, sources: Mapping[str, str]) -> Callable[[str], object]:
    """The `__getattr__` of a package, whose names, spaces between them, are found in `sources`.

    Any other public name is that of a module of the package.

    >>> late("augury", {"augury.errors": "LoadError NotFound"})("LoadError").__name__
    'LoadError'
    >>> late("augury", {})("erors")
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

    return load


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
