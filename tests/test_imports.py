"""What `import augury` costs and offers."""

import json
import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

import augury

HEAVY = {
    "django", "dogpile", "fastapi", "flask", "flask_caching", "glide", "glide_sync", "hiredis",
    "hishel", "http_sf", "httpcore", "lightgbm", "libcachesim", "matplotlib", "msgpack", "numpy",
    "pandas", "polars", "prometheus_client", "pyarrow", "redis", "rich", "scipy", "sklearn", "ssl",
    "statsmodels", "typer", "uvicorn", "valkey",
}  # fmt: skip
#: Adapters, and what they import.
FRAMEWORKS = {
    "django": "django", "dogpile": "dogpile", "fastapi": "fastapi",
    "flask_caching": "flask_caching", "hishel": "hishel",
}  # fmt: skip
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(augury.__path__, "augury.")
    if not name.endswith(("__main__", "_core"))
]


def test_import_loads_no_framework() -> None:
    """Only the standard library and the extension come with `import augury`."""
    code = "import augury, json, sys; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code], text=True))
    assert set() == HEAVY & {name.partition(".")[0] for name in loaded}


@pytest.mark.parametrize("framework", sorted(FRAMEWORKS))
def test_an_adapter_loads_its_framework_alone(framework: str) -> None:
    """None of the others'."""
    code = f"import augury.adapters.{framework}, json, sys; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code], text=True))
    tops = {name.partition(".")[0] for name in loaded}
    assert {FRAMEWORKS[framework]} == set(FRAMEWORKS.values()) & tops


@pytest.mark.parametrize("name", ["augury", *MODULES])
def test_exports_are_sorted_and_exist(name: str) -> None:
    """Every module says what it offers, in order, and each name is there."""
    module = import_module(name)
    offered = module.__all__
    missing = [export for export in offered if not hasattr(module, export)]
    assert [] == missing
    assert sorted(offered, key=by_kind) == list(offered)


def by_kind(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, as the linter sorts them."""
    return (0 if name.isupper() else 1 if name.strip("_")[0].isupper() else 2), name


def test_the_public_names_are_those_of_all() -> None:
    """Nothing public stands beside `__all__` but the modules of the package."""
    modules = {name.split(".")[1] for name in MODULES} | {"traces"}
    public = {name for name in vars(augury) if not name.startswith("_")}
    assert public - modules == set(augury.__all__) - {"__version__", "probability", "traces"}


def test_every_error_is_an_augury_error() -> None:
    """The tree has one root, and each error is also the nearest builtin."""
    from augury import errors

    tree = [getattr(errors, name) for name in errors.__all__]
    assert all(issubclass(error, augury.AuguryError) for error in tree)
    for error in (augury.ConfigError, augury.CapacityError, augury.TraceError):
        assert issubclass(error, ValueError)
