"""Whether what is stored may be served: RFC 9111, 4, 4.2.4 and 5.2.1; RFC 5861; RFC 9211."""

import pytest

from augury.proxy.origin import OriginFailed
from world import World, answer, played

DOWN = OriginFailed(502, "the origin cannot be reached")


@pytest.mark.parametrize(
    ("wish", "age", "expected"),
    [
        ("max-age=0", 1, False), ("max-age=10", 9, True), ("max-age=10", 11, False),
        ("min-fresh=10", 49, True), ("min-fresh=10", 51, False), ("no-cache", 0, False),
        ("no-store", 0, False), ("max-stale=30", 89, True), ("max-stale=30", 91, False),
        ("max-stale", 110, True), ("nothing-to-see-here", 30, True), ("only-if-cached", 30, True),
        ("max-age=a", 30, True),
    ],
)  # fmt: skip
@played()
async def test_what_clients_wish(world: World, wish: str, age: float, expected: bool) -> None:
    """5.2.1: how old, how fresh, how stale it may be."""
    world(answer(cache_control="max-age=60"), answer(b"new"))
    await world.ask()
    world.wait(age)
    assert expected is (await world.ask(cache_control=wish)).is_hit


@played(client_control=False)
async def test_what_clients_wish_may_be_ignored(world: World) -> None:
    """5.2.1 is advice: a client cannot go past the cache then."""
    world(answer(cache_control="max-age=60"))
    await world.ask()
    assert (await world.ask(cache_control="no-cache", pragma="no-cache")).is_hit


@played()
async def test_only_if_cached(world: World) -> None:
    """5.2.1.7: 504 where there is nothing, and the origin is not asked."""
    assert 504 == (await world.ask(cache_control="only-if-cached")).status
    assert [] == world.log


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"pragma": "no-cache"}, False), ({"pragma": "foo"}, True),
        ({"pragma": "no-cache", "cache_control": "max-age=600"}, True),
    ],
)  # fmt: skip
@played()
async def test_pragma(world: World, fields: dict[str, str], expected: bool) -> None:
    """5.4: counts where there is no Cache-Control; in an answer it means nothing."""
    world(answer(cache_control="max-age=60", pragma="no-cache"))
    await world.ask()
    assert expected is (await world.ask(**fields)).is_hit


@played()
async def test_no_cache_is_validated_each_time(world: World) -> None:
    """5.2.2.4: stored, and served only once the origin has said that it holds."""
    world(answer(cache_control="no-cache, max-age=60", etag='"a"'), answer(b"", 304, etag='"a"'))
    await world.ask()
    for _ in range(2):
        reply = await world.ask()
        assert (200, b"body", False) == (reply.status, reply.body, reply.is_hit)
        assert '"a"' == world.log[-1].fields["if-none-match"]


FORBIDDEN = ["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=2"]


@pytest.mark.parametrize("control", FORBIDDEN)
@pytest.mark.parametrize("wish", [None, "max-stale=900", "stale-if-error=900"])
@played()
async def test_what_must_not_be_served_stale(world: World, control: str, wish: str | None) -> None:
    """4.2.4, 5.2.2: neither for a client nor in place of an error."""
    world(answer(cache_control=f"max-age=2, {control}"), DOWN)
    await world.ask()
    world.wait(4)
    reply = await world.ask(**({} if wish is None else {"cache_control": wish}))
    assert (502, False) == (reply.status, reply.is_hit)
    assert reply.body.startswith(b"the origin cannot be reached")


@played(stale_if_error=10.0)
async def test_an_origin_that_is_down(world: World) -> None:
    """4.2.4: a disconnected cache serves what is stale, for so long."""
    world(answer(cache_control="max-age=2"), DOWN)
    await world.ask()
    world.wait(11)
    reply = await world.ask()
    assert (200, b"body", True, "11") == (reply.status, reply.body, reply.is_hit, reply["age"])
    world.wait(2)
    assert 502 == (await world.ask()).status


@played()
async def test_an_origin_that_fails(world: World) -> None:
    """4.2.4: its error is its answer, unless somebody has said otherwise."""
    world(answer(cache_control="max-age=2"), answer(b"oh", 503))
    await world.ask()
    world.wait(4)
    reply = await world.ask()
    assert (503, b"oh") == (reply.status, reply.body)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@played()
async def test_stale_if_error_of_the_answer(world: World, status: int) -> None:
    """RFC 5861, 4: within its seconds, and no longer."""
    world(answer(cache_control="max-age=2, stale-if-error=10"), answer(b"oh", status))
    await world.ask()
    world.wait(11)
    assert (200, True) == ((reply := await world.ask()).status, reply.is_hit)
    world.wait(2)
    assert status == (await world.ask()).status


@played()
async def test_stale_if_error_of_the_request(world: World) -> None:
    """RFC 5861, 4: the client may ask for it too."""
    world(answer(cache_control="max-age=0"), answer(b"oh", 500))
    await world.ask()
    world.wait(3)
    assert 200 == (await world.ask(cache_control="stale-if-error=10")).status
    assert 500 == (await world.ask(cache_control="stale-if-error=1")).status


@played()
async def test_stale_while_revalidate(world: World) -> None:
    """RFC 5861, 3: served at once and validated behind it; not past its seconds."""
    control = "max-age=1, stale-while-revalidate=10"
    world(answer(b"one", cache_control=control, etag='"1"'), answer(b"two", cache_control=control))
    await world.ask()
    world.wait(5)
    first = await world.ask()
    await world.settle()
    second = await world.ask()
    assert (b"one", True, b"two", True) == (first.body, first.is_hit, second.body, second.is_hit)
    assert '"1"' == world.log[1].fields["if-none-match"]
    world(answer(b"three"))
    world.wait(20)
    assert b"three" == (await world.ask()).body


@played()
async def test_cache_status(world: World) -> None:
    """RFC 9211: hit or not and why, with the time left, behind what the origin's cache says."""
    world(answer(cache_control="max-age=60", etag='"a"', cache_status="other; hit"))
    assert (
        "other; hit, augury; fwd=miss; fwd-status=200; stored"
        == (await world.ask())["cache-status"]
    )
    world.wait(20)
    assert "other; hit, augury; hit; ttl=40" == (await world.ask())["cache-status"]
    world.wait(50)
    world(answer(b"", 304, etag='"a"'))
    assert (await world.ask())["cache-status"].endswith("augury; fwd=stale; fwd-status=304")
    world(answer(cache_control="no-store"))
    last = (await world.ask("/other"))["cache-status"]
    assert "augury; fwd=miss; fwd-status=200; detail=forbidden" == last


@played()
async def test_the_target_names_the_answer(world: World) -> None:
    """4: with its query; two ways to write one target are one."""
    world(answer(cache_control="max-age=60"))
    await world.ask("/a/b?x=1")
    assert (await world.ask("/a/b?x=1")).is_hit
    assert not (await world.ask("/a/b?x=2")).is_hit
    assert not (await world.ask("/a/b")).is_hit
    assert not (await world.ask("/A/b?x=1")).is_hit
    for same in ("/a/./b?x=1", "/c/../a/%62?x=1", "/%61/b?x=%31"):
        assert (await world.ask(same)).is_hit, same
    assert {"/a/b?x=1", "/a/b?x=2", "/a/b", "/A/b?x=1"} == {asked.target for asked in world.log}


@played()
async def test_the_host_names_the_answer(world: World) -> None:
    """4: in any case; what one host's client gets is not another's."""
    world(answer(cache_control="max-age=60"))
    await world.ask(host="A.example")
    assert (await world.ask(host="a.example")).is_hit
    assert not (await world.ask(host="b.example")).is_hit
    assert not (await world.ask(host="a.example:8080")).is_hit
