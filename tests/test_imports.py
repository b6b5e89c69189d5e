"""What `import augury` costs and offers."""

import json
import pkgutil
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

import augury

HEAVY = {
    "django", "dogpile", "fastapi", "flask", "flask_caching", "glide", "glide_sync", "hiredis",
    "hishel", "http_sf", "httpcore", "lightgbm", "libcachesim", "matplotlib", "msgpack", "numpy",
    "pandas", "polars", "prometheus_client", "pyarrow", "redis", "rich", "scipy", "sklearn", "ssl",
    "statsmodels", "typer", "uvicorn", "valkey",
}  # fmt: skip
#: Milliseconds of CPU time that `import augury` may take.
MOST_MILLISECONDS = 50
#: Of the standard library, what takes longer than the package itself.
SLOW = {
    "argparse", "asyncio", "concurrent", "csv", "dataclasses", "http", "inspect", "json", "logging",
    "re", "socket", "statistics", "subprocess", "tempfile", "typing", "urllib",
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


def test_import_is_quick() -> None:
    """CPU time, as the least of several: a busy machine makes it longer, none makes it shorter."""
    code = "import time; a = time.process_time(); import augury; print(time.process_time() - a)"
    took = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5)]
    assert 1_000 * min(took) < MOST_MILLISECONDS


def test_import_loads_what_it_uses_alone() -> None:
    """A name brings its module when it is first used; until then next to nothing is there."""
    # Without site, whose .pth files of other packages load what they like.
    code = (
        f"import sys; sys.path[:0] = {sys.path[1:]!r}; before = set(sys.modules); import augury; "
        "after = set(sys.modules); import json; print(json.dumps(sorted(after - before)))"
    )
    printed = subprocess.check_output([sys.executable, "-S", "-c", code], text=True)
    loaded = set(json.loads(printed))
    assert {"augury", "augury._core", "augury.late"} == {
        name for name in loaded if name.startswith("augury")
    }
    assert set() == SLOW & {name.partition(".")[0] for name in loaded}


@pytest.mark.parametrize("name", ["augury", "augury.recording"])
def test_what_is_loaded_late_is_what_is_offered(name: str) -> None:
    """Each name that a package offers has its module, and others are missed as they always are."""
    package: ModuleType = import_module(name)
    late = {name for names in package.SOURCES.values() for name in names.split()}
    modules = {"probability", "traces"} if name == "augury" else set()
    assert set(package.__all__) == late | modules | ({"__version__"} & set(package.__all__))
    assert set(package.__all__) <= {*dir(package)} | modules
    assert all(getattr(package, name) is not None for name in package.__all__)
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'nosuch'"):
        _ = package.nosuch


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
    for name in augury.__all__:
        getattr(augury, name)
    modules = {name.split(".")[1] for name in MODULES} | {"traces"}
    own = {"SOURCES", "TYPE_CHECKING"}
    public = {name for name in vars(augury) if not name.startswith("_")}
    assert public - modules - own == set(augury.__all__) - {"__version__", "probability", "traces"}


def test_every_error_is_an_augury_error() -> None:
    """The tree has one root, and each error is also the nearest builtin."""
    from augury import errors

    tree = [getattr(errors, name) for name in errors.__all__]
    assert all(issubclass(error, augury.AuguryError) for error in tree)
    for error in (augury.ConfigError, augury.CapacityError, augury.TraceError):
        assert issubclass(error, ValueError)
