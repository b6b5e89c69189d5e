"""One request to the origin for all who want its answer at once: RFC 9111, 4."""

import asyncio

from augury.proxy.origin import OriginFailed
from world import World, answer, played

FRESH = "max-age=600"


async def together(world: World, count: int, *targets: str, **fields: str) -> list:
    """Ask at once, with the origin answering only once all have asked."""
    world.origin.gate = asyncio.Event()
    tasks = [
        asyncio.ensure_future(world.ask(target, **fields))
        for target in (targets or ("/",))
        for _ in range(count)
    ]
    await world.settle()
    world.origin.gate.set()
    return await asyncio.gather(*tasks)


@played()
async def test_one_asks_for_all(world: World) -> None:
    """Twenty at once are one request, and all get its answer."""
    world(answer(b"one", cache_control=FRESH), answer(b"two"))
    replies = await together(world, 20)
    assert ({b"one"}, 1) == ({reply.body for reply in replies}, len(world.log))
    assert 19 == world.proxy.counters.collapsed
    assert 19 == sum(reply["cache-status"].endswith("; collapsed") for reply in replies)


@played()
async def test_a_body_of_unknown_length(world: World) -> None:
    """They wait for its end."""
    world(answer([b"on", b"e"], cache_control=FRESH), answer(b"two"))
    replies = await together(world, 5)
    assert ({b"one"}, 1) == ({reply.body for reply in replies}, len(world.log))


@played(max_object="3")
async def test_a_body_that_turns_out_too_large(world: World) -> None:
    """The first goes on with it; the others ask for themselves; nothing is stored."""
    world(answer([b"12", b"34", b"56"], cache_control=FRESH))
    replies = await together(world, 3)
    assert ({b"123456"}, 3) == ({reply.body for reply in replies}, len(world.log))
    assert not (await world.ask()).is_hit


@played()
async def test_what_cannot_be_stored_is_asked_for_by_each(world: World) -> None:
    """An answer for one is not given to another; from then on nobody waits for anybody."""
    numbers = iter(range(100))
    world.origin.script = lambda asked: answer(b"%d" % next(numbers), cache_control="private")
    replies = await together(world, 5)
    assert 5 == len({reply.body for reply in replies})
    world.log.clear()
    world.origin.gate = asyncio.Event()
    tasks = [asyncio.ensure_future(world.ask()) for _ in range(5)]
    await world.settle()
    assert 5 == len(world.log)
    world.origin.gate.set()
    await asyncio.gather(*tasks)


@played()
async def test_fields_for_the_first_alone(world: World) -> None:
    """What `no-cache` and `private` name is not for those who came along."""
    world(answer(cache_control=f'{FRESH}, private="x-a"', x_a="1"))
    replies = await together(world, 3)
    assert ["1", "", ""] == sorted((reply["x-a"] for reply in replies), reverse=True)


@played()
async def test_who_varies_asks_for_himself(world: World) -> None:
    """An answer that varies is only for those with the same fields."""
    world.origin.script = lambda asked: answer(
        asked.fields["foo"].encode(), cache_control=FRESH, vary="foo"
    )
    world.origin.gate = asyncio.Event()
    tasks = [asyncio.ensure_future(world.ask(foo=foo)) for foo in ("1", "2", "1", "2")]
    await world.settle()
    world.origin.gate.set()
    replies = await asyncio.gather(*tasks)
    assert [b"1", b"2", b"1", b"2"] == [reply.body for reply in replies]


@played()
async def test_a_validation_is_for_all(world: World) -> None:
    """One 304 freshens for everybody."""
    world(answer(cache_control="max-age=1", etag='"a"'), answer(b"", 304, cache_control=FRESH))
    await world.ask()
    world.wait(5)
    replies = await together(world, 5)
    assert ({(200, b"body")}, 2) == ({(r.status, r.body) for r in replies}, len(world.log))


@played()
async def test_an_error_is_for_all(world: World) -> None:
    """And for nobody after them."""
    world(OriginFailed(504, "slow"), answer())
    replies = await together(world, 5)
    assert ({504}, 1) == ({reply.status for reply in replies}, len(world.log))
    assert 200 == (await world.ask()).status


@played()
async def test_clients_that_leave(world: World) -> None:
    """The answer is fetched to its end and stored, whoever has asked for it."""
    world(answer(b"one", cache_control=FRESH))
    world.origin.gate = asyncio.Event()
    leaving = [asyncio.ensure_future(world.ask()) for _ in range(2)]
    await world.settle()
    for task in leaving:
        task.cancel()
    await world.settle()
    world.origin.gate.set()
    await world.settle()
    assert (await world.ask()).is_hit
    assert 2 == world.proxy.counters.disconnects


@played()
async def test_a_body_is_passed_on_while_it_comes(world: World) -> None:
    """The first parts are there before the last; to those who came along too."""
    halted = asyncio.Event()
    world(answer([b"first", halted, b"last"], cache_control=FRESH, content_length="9"))
    seen: list[bytes] = []

    async def watch() -> None:
        landing = await world.proxy.fetcher.flights.under_way("/ shop.example"[1:]).landed()  # type: ignore[union-attr]
        async for chunk in landing.chunks():  # type: ignore[union-attr]
            seen.append(chunk)

    tasks = [asyncio.ensure_future(world.ask())]
    await asyncio.sleep(0)
    tasks.append(asyncio.ensure_future(watch()))
    await world.settle()
    assert [b"first"] == seen
    halted.set()
    await asyncio.gather(*tasks)
    assert [b"first", b"last"] == seen


@played()
async def test_other_targets_do_not_wait(world: World) -> None:
    """Each has a flight of its own."""
    world(answer(cache_control=FRESH))
    await together(world, 3, "/a", "/b")
    assert ["/a", "/b"] == sorted(asked.target for asked in world.log)


@played()
async def test_a_client_that_leaves_in_the_middle(world: World) -> None:
    """What is for it alone is no longer fetched; what is stored is fetched to its end."""
    halted = asyncio.Event()
    for control, target in (("no-store", "/a"), (FRESH, "/b")):
        world(answer([b"first", halted, b"last"], cache_control=control))
        asking = asyncio.ensure_future(world.ask(target))
        await world.settle()
        world.leaving.set()
        assert b"first" == (await asking).body
        await world.settle()
        assert (target == "/b") is bool(world.origin.open)
        world.leaving.clear()
    halted.set()
    await world.settle()
    assert (await world.ask("/b")).is_hit
    assert 2 == world.proxy.counters.disconnects


@played()
async def test_a_failed_validation_behind_a_client(world: World) -> None:
    """Whatever it brings, its connection is let go of."""
    control = "max-age=1, stale-while-revalidate=600"
    world(
        answer(cache_control=control), answer(b"oh", 503), answer(b"no", cache_control="no-store")
    )
    await world.ask()
    for _ in range(2):
        world.wait(10)
        assert (await world.ask()).is_hit
        await world.settle()
        assert set() == world.origin.open


@played()
async def test_who_made_a_flight_leaves(world: World) -> None:
    """Its answer for one is nobody's."""
    world(answer(cache_control="no-store"))
    world.origin.gate = asyncio.Event()
    asking = asyncio.ensure_future(world.ask())
    await world.settle()
    asking.cancel()
    await world.settle()
    world.origin.gate.set()
    await world.settle()
    assert set() == world.origin.open
