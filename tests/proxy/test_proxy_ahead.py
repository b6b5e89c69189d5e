"""Answers that are fetched before they are asked for, and before they become stale."""

import random

import pytest

from augury.errors import NotFound
from world import World, answer, played

FRESH = "max-age=600"


@played(prefetch=0.5, memory="1 MB", policy="lru")
async def test_what_follows_is_fetched_ahead(world: World) -> None:
    """Of books that do not all fit, the next page is there when it is asked for, mostly."""
    world.origin.script = lambda asked: answer(
        asked.target.encode().ljust(10_000), cache_control=FRESH
    )
    drawn, hits = random.Random(1), []
    for _ in range(300):
        book = drawn.randrange(40)
        for page in range(10):
            target = f"/book/{book}/{page}"
            reply = await world.ask(target)
            hits.append(reply.is_hit)
            assert target.encode() == reply.body.strip()
            await world.settle()
    stats = world.proxy.answers.cache.prefetches()
    assert (True, True) == (stats.used_in_time > 500, stats.accuracy > 0.5), stats
    assert world.proxy.counters.ahead == stats.issued
    assert hits[1500:].count(True) > 2 * hits[:500].count(True)


@played(prefetch=0.5)
async def test_what_cannot_be_stored_is_not_fetched_ahead(world: World) -> None:
    """Nor what varies by who somebody is."""
    from augury.proxy.ahead import fetch_ahead

    world(answer(cache_control="no-store"))
    await world.ask("/x")
    before = len(world.log)
    with pytest.raises(NotFound):
        await fetch_ahead(world.proxy.fetcher, "x shop.example")
    with pytest.raises(NotFound):
        await fetch_ahead(world.proxy.fetcher, "y shop.example\ncookie=id=1")
    assert before == len(world.log)


@played()
async def test_the_request_is_made_of_the_name(world: World) -> None:
    """Target, host, and the fields by which the answer varies; nobody's own fields."""
    from augury.proxy.ahead import fetch_ahead

    world(answer(cache_control=FRESH, vary="accept-encoding"))
    await world.ask("/x?y=1", accept_encoding="gzip, br", cookie="id=1")
    world.wait(700)
    name = "x?y=1 shop.example\naccept-encoding=br,gzip"
    assert 200 == (await fetch_ahead(world.proxy.fetcher, name)).status
    sent = world.log[-1]
    assert ("GET", "/x?y=1", "br,gzip", "shop.example") == (
        sent.method,
        sent.target,
        sent.fields["accept-encoding"],
        sent.fields["x-forwarded-host"],
    )
    assert "cookie" not in sent.fields


@played(refresh_ahead=2.0, memory="10 MB")
async def test_answers_are_refreshed_before_they_become_stale(world: World) -> None:
    """What is asked for again and again is hit again and again, though it is fresh for 10 s."""
    count = 0

    def script(asked: object) -> object:
        nonlocal count
        count += 1
        return answer(b"%d" % count, cache_control="max-age=10", etag=f'"{count}"')

    world.origin.script = script
    outcomes = []
    for _ in range(400):
        outcomes.append((await world.ask("/often")).is_hit)
        await world.settle()
        world.wait(1)
    assert world.proxy.counters.ahead > 10
    assert outcomes[200:].count(True) > outcomes[:200].count(True) - 5
    assert outcomes[200:].count(False) < 5
    assert '"' in world.log[-1].fields["if-none-match"]
