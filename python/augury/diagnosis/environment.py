"""Versions of augury, the interpreter and the system, and the optional packages."""

import platform
import sys
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from augury.diagnosis.finding import Finding, State

__all__ = ["EXTRAS", "environment"]

OLDEST_PYTHON = (3, 11)
#: The package that each extra is for, by the name under which it is imported, and what it gives.
EXTRAS = {
    "learn": ("sklearn", "train, evaluate, adapt"),
    "report": ("matplotlib", "reports and plots"),
    "record": ("redis", "recordings of Redis and Valkey"),
    "save": ("msgpack", "saved caches"),
    "peers": ("libcachesim", "libCacheSim's policies beside ours"),
    "pandas": ("pandas", "results as pandas data frames"),
    "polars": ("polars", "results as polars data frames"),
    "arrow": ("pyarrow", "results as Arrow tables"),
    "django": ("django", "Django's cache"),
    "dogpile": ("dogpile.cache", "dogpile.cache's backend"),
    "hishel": ("hishel", "HTTP caching for httpx and ASGI"),
    "flask": ("flask_caching", "Flask-Caching's backend"),
    "fastapi": ("fastapi", "a cache for FastAPI"),
    "adapters": ("dogpile.cache", "all of these frameworks"),
    "proxy": ("uvicorn", "the caching proxy"),
    "cluster": ("hiredis", "near caches before Redis and Valkey"),
    "placement": ("statsmodels", "forecasts and plans of a cluster"),
    "ray": ("ray", "training on the workers of a Ray"),
    "docs": ("sphinx", "the site of the documents"),
}


def environment() -> Iterator[Finding]:
    """Everything but the machine."""
    yield from versions()
    yield extension()
    for extra, (module, use) in EXTRAS.items():
        yield package(extra, module, use)


def versions() -> Iterator[Finding]:
    """Of augury, Python and the system."""
    from augury import __version__

    yield Finding("augury", State.OK, f"{__version__} in {Path(__file__).parents[1]}")
    is_new = sys.version_info >= OLDEST_PYTHON
    oldest = ".".join(map(str, OLDEST_PYTHON))
    threads = "free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    yield Finding(
        "Python",
        State.OK if is_new and not threads else State.NOTE if is_new else State.PROBLEM,
        f"{platform.python_implementation()} {platform.python_version()} {threads}".strip(),
        "" if is_new and not threads else "free-threaded interpreters are untested"
        if is_new else f"augury needs Python {oldest} or newer",
    )  # fmt: skip
    is_linux = sys.platform == "linux"
    yield Finding(
        "system",
        State.OK if is_linux else State.NOTE,
        f"{platform.system()} {platform.release()} on {platform.machine()}",
        "" if is_linux else "augury is tested on Linux only",
    )


def extension() -> Finding:
    """Whether the engine can be loaded, and is of this version."""
    try:
        from augury import Cache, _core

        cache: Cache[str, str] = Cache(2)
        cache["key"] = "value"
    except Exception as error:
        return Finding(
            "extension",
            State.PROBLEM,
            f"{type(error).__name__}: {error}",
            "reinstall it: pip install --force-reinstall augury; in a checkout: make build",
        )
    return Finding("extension", State.OK, f"{_core.__version__}, works")


def package(extra: str, module: str, use: str) -> Finding:
    """An optional package."""
    about = f"extra {extra}"
    try:
        is_there = find_spec(module) is not None
    except (ImportError, ValueError):
        is_there = False
    if not is_there:
        return Finding(about, State.NOTE, f"not installed: {use}", f"pip install 'augury[{extra}]'")
    return Finding(about, State.OK, f"{module} {version_of(module)}")


def version_of(module: str) -> str:
    """The version of the distribution that a module comes from."""
    top = module.partition(".")[0]
    names = metadata.packages_distributions().get(top, [module])
    wanted = module if module in names else names[0]
    try:
        return metadata.version(wanted)
    except metadata.PackageNotFoundError:
        return "of an unknown version"
