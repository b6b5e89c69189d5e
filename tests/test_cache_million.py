"""A million operations against dictionaries, by one thread and by several at once."""

import random
import threading
from typing import Any

import pytest

from augury import Cache

OPERATIONS = 1_000_000
THREADS = 4


def keys_of(kind: str, owner: int, draw: random.Random) -> Any:
    """A key of this owner's: numbers, text made anew each time, or tuples."""
    number = draw.randrange(500)
    if kind == "int":
        return number * THREADS + owner
    if kind == "text":
        return f"{owner}:{number}"
    return owner, (number, str(number))


def operate(
    cache: "Cache[Any, Any]", kind: str, owner: int, count: int, is_roomy: bool
) -> dict[Any, Any]:
    """Random operations; with room the cache does as the dictionary, without it never otherwise."""
    draw, plain = random.Random(owner), dict[Any, Any]()
    lost: Any = object()
    for step in range(count):
        key, choice = keys_of(kind, owner, draw), draw.random()
        if choice < 0.45:
            found, expected = cache.get(key, lost), plain.get(key, lost)
        elif choice < 0.75:
            value = None if step % 7 == 0 else step
            cache[key] = plain[key] = value
            continue
        elif choice < 0.85:
            found, expected = cache.pop(key, lost), plain.pop(key, lost)
        elif choice < 0.9:
            found, expected = key in cache, key in plain
            assert found == expected or (expected and not is_roomy)
            continue
        elif choice < 0.95:
            found, expected = cache.setdefault(key, step), plain.setdefault(key, step)
            if not is_roomy and found is step:
                expected = plain[key] = step
        else:
            found, expected = cache.peek(key, lost), plain.get(key, lost)
        assert found is expected or found == expected or (found is lost and not is_roomy)
    return plain


@pytest.mark.parametrize("kind", ["int", "text", "tuple"])
@pytest.mark.parametrize("is_roomy", [True, False])
def test_one_thread(kind: str, is_roomy: bool) -> None:
    """Every answer is the dictionary's; where room is short, or that of an entry that has left."""
    cache: Cache[Any, Any] = Cache(2_000 if is_roomy else 100)
    plain = operate(cache, kind, 0, OPERATIONS // 6, is_roomy)
    held = dict(cache.items())
    assert held.items() <= plain.items()
    assert len(held) == len(cache) == cache.used <= cache.capacity
    assert not is_roomy or held == plain


@pytest.mark.parametrize("is_roomy", [True, False])
def test_several_threads(is_roomy: bool) -> None:
    """Each with keys of its own, in one cache; one more that looks at everything meanwhile."""
    cache: Cache[Any, Any] = Cache(4_000 if is_roomy else 300)
    plains: dict[int, dict[Any, Any]] = {}
    errors: list[BaseException] = []
    is_over = threading.Event()

    def work(owner: int) -> None:
        try:
            plains[owner] = operate(cache, "text", owner, OPERATIONS // 8, is_roomy)
        except BaseException as error:
            errors.append(error)

    def look() -> None:
        while not is_over.is_set():
            assert len(list(cache.items())) <= 4_000
            cache.stats()
            cache.expire()

    onlooker = threading.Thread(target=look)
    workers = [threading.Thread(target=work, args=(owner,)) for owner in range(THREADS)]
    for thread in (onlooker, *workers):
        thread.start()
    for worker in workers:
        worker.join()
    is_over.set()
    onlooker.join()
    if errors:
        raise errors[0]
    together = {key: value for plain in plains.values() for key, value in plain.items()}
    held = dict(cache.items())
    assert held.items() <= together.items()
    assert not is_roomy or held == together
    stats = cache.stats()
    assert len(cache) <= cache.capacity
    assert stats.evictions == 0 or not is_roomy
