"""The picture of the page in the guides: ``python docs/watching.py``.

A server under a made-up load, in Debian's Chromium, as the tests of the page drive it. It takes
half a minute, as the charts have to have something to show.
"""

import io
import random
import sys
import time
from pathlib import Path

import redis
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "server"))

from browser import chromium, visiting  # noqa: E402
from process import serving  # noqa: E402

PICTURE = ROOT / "docs" / "_static" / "watching.png"
SECONDS = 40.0
SIZE = {"width": 1120, "height": 860}
#: Colours that a page of text and lines needs.
COLOURS = 64


def load(client: "redis.Redis", dice: random.Random, begin: int) -> int:
    """A skewed stream with scans in it, each key set where it was missed; where the scan is."""
    keys = [f"user:{int(dice.paretovariate(0.6)) % 400_000}" for _ in range(900)]
    keys += [f"scan:{number}" for number in range(begin, begin + 100)]
    pipe = client.pipeline(transaction=False)
    for key in keys:
        pipe.get(key)
    for key, value in zip(keys, pipe.execute(), strict=True):
        if value is None:
            pipe.set(key, "x" * (100 + hash(key) % 400))
    pipe.execute()
    return begin + 100


def main() -> None:
    """Draws it."""
    arguments = ("--memory", "16mb", "--simulate", "yes", "--http-port", "0")
    with serving(*arguments, protocols=("redis", "http")) as served, chromium() as browser:
        url = f"http://127.0.0.1:{served.ports['http']}/"
        client = redis.Redis(port=served.port)
        dice, place = random.Random(1), 0
        with visiting(browser, url, viewport=SIZE) as visit:
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                for _ in range(10):
                    place = load(client, dice, place)
                visit.page.wait_for_timeout(50)
            taken = visit.page.screenshot()
    picture = Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLOURS)
    picture.save(PICTURE, optimize=True)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
