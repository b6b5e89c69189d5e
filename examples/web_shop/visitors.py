"""The shop's visitors: few products are looked at by most, now and then one is changed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from examples.query_cache.shop import PRODUCTS

__all__ = ["Visit", "visits"]

#: Of the pages that are looked at.
KINDS = ("/products/{}", "/products/{}", "/api/products/{}", "/shelves/{}", "/cart")


@dataclass(frozen=True)
class Visit:
    """One request."""

    method: str
    target: str
    body: bytes = b""


def visits(count: int, seed: int, writes: float) -> Iterator[Visit]:
    """So many visits, of which this share changes something; the same for a seed."""
    drawn = random.Random(seed)
    for _ in range(count):
        product = min(int(drawn.paretovariate(0.9)), PRODUCTS) - 1
        if drawn.random() < writes:
            if drawn.random() < 0.5:
                yield Visit("PUT", f"/products/{product}/price", b"%d" % drawn.randrange(9_999))
            else:
                yield Visit("POST", f"/products/{product}/reviews", b"%d" % drawn.randint(1, 5))
            continue
        kind = drawn.choice(KINDS)
        yield Visit("GET", kind.format(product % 50 if "shelves" in kind else product))
