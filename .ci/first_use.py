"""The first use of an installed package, as a new user has it: fails where anything is not there.

Run by the interpreter that augury is installed for, outside of the checkout. Needs nothing else.
"""

import subprocess
import sys
import tempfile
import threading
from importlib import metadata
from pathlib import Path

import augury
from augury import _core

cache: augury.Cache[int, str] = augury.Cache(100)
threads = [
    threading.Thread(target=lambda: [cache.get_or_load(key % 150, str) for key in range(3_000)])
    for _ in range(4)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(cache) <= 100, len(cache)
assert all(value == str(key) for key, value in cache.items())

ratios = {
    cell.policy: cell.object_miss_ratio
    for cell in augury.replay("synthetic:loop", policies="lru,auto,belady", capacity="10%")
}
assert ratios["belady"] <= ratios["auto"] <= ratios["lru"], ratios

assert augury.__version__ == _core.__version__ == metadata.version("augury")
assert (Path(augury.__file__).parent / "py.typed").is_file(), "no py.typed"
with tempfile.TemporaryDirectory() as elsewhere:
    told = subprocess.run(
        [sys.executable, "-m", "augury", "--version"],
        cwd=elsewhere, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
assert augury.__version__ in told, told
is_free = not getattr(sys, "_is_gil_enabled", lambda: True)()
print(f"augury {augury.__version__} works on {sys.version.split()[0]}", "without GIL" * is_free)
