"""What writes make old: RFC 9111, 4.4; groups by RFC 9875; PURGE; answers to POST."""

import asyncio

import pytest

from world import World, answer, played

FRESH = "max-age=600"
UNSAFE = ["POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "UNKNOWN"]


async def stored(world: World, *targets: str, **fields: str) -> None:
    """Have answers stored for these targets."""
    world(answer(cache_control=FRESH, **fields))
    for target in targets:
        await world.ask(target)
        assert (await world.ask(target)).is_hit


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize(
    ("status", "is_kept"), [(200, False), (204, False), (303, False), (404, True), (500, True)]
)
@played()
async def test_a_write_invalidates_its_target(
    world: World, method: str, status: int, is_kept: bool
) -> None:
    """4.4: of any unsafe method, if it succeeds; its body reaches the origin."""
    await stored(world, "/x?y", "/x")
    world(answer(status=status), answer(b"new"))
    reply = await world.ask("/x?y", method=method, body=b"abc")
    assert (status, b"abc") == (reply.status, world.log[-1].body)
    assert is_kept is (await world.ask("/x?y")).is_hit
    assert (await world.ask("/x")).is_hit


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
@played()
async def test_a_safe_method_invalidates_nothing(world: World, method: str) -> None:
    """4.4."""
    await stored(world, "/x")
    await world.ask("/x", method=method)
    assert (await world.ask("/x")).is_hit


@pytest.mark.parametrize("method", ["POST", "M-SEARCH"])
@pytest.mark.parametrize("field", ["location", "content_location"])
@pytest.mark.parametrize(
    ("place", "is_kept"),
    [
        ("target", False), ("/a/target", False), ("http://shop.example/a/target", False),
        ("//shop.example/a/./target", False), ("http://other.example/a/target", True),
        ("http://shop.example:81/a/target", True), ("http://[", True), ("mailto:a", True),
    ],
)  # fmt: skip
@played()
async def test_a_write_invalidates_what_it_names(
    world: World, method: str, field: str, place: str, is_kept: bool
) -> None:
    """4.4: by Location and Content-Location, of the same host only."""
    await stored(world, "/a/target")
    world(answer(status=201, **{field: place}), answer(b"new"))
    await world.ask("/a/write", method=method, body=b"abc")
    assert is_kept is (await world.ask("/a/target")).is_hit


@played()
async def test_all_that_varies_goes(world: World) -> None:
    """4.4: whatever it varies by."""
    world(answer(cache_control=FRESH, vary="foo"))
    for foo in "12":
        await world.ask("/x", foo=foo)
    await world.ask("/x", method="DELETE")
    for foo in "12":
        assert not (await world.ask("/x", foo=foo)).is_hit


@pytest.mark.parametrize("fields", [{}, {"if_none_match": '"z"'}, {"range": "bytes=0-1"}])
@played()
async def test_what_is_on_its_way_is_not_stored(world: World, fields: dict[str, str]) -> None:
    """A read that a write has overtaken is nobody's answer but its client's."""
    world.origin.gate = asyncio.Event()
    world(answer(b"old", cache_control=FRESH), answer(b"new", cache_control=FRESH))
    reading = asyncio.ensure_future(world.ask("/x", **fields))
    await world.settle()
    old = world.origin.script
    world.origin.gate, gate = None, world.origin.gate
    world.origin.script = lambda asked: answer(status=204)
    await world.ask("/x", method="PUT", body=b"n")
    world.origin.script = old
    gate.set()
    assert b"old" == (await reading).body
    await world.settle()
    assert not (await world.ask("/x")).is_hit


@played()
async def test_head_does_not_bring_back_what_a_write_has_made_old(world: World) -> None:
    """An answer to HEAD that a write has overtaken freshens nothing."""
    await stored(world, "/x")
    world.wait(620)
    world.origin.gate = asyncio.Event()
    world(answer(b"body", cache_control=FRESH))
    reading = asyncio.ensure_future(world.ask("/x", method="HEAD"))
    await world.settle()
    old = world.origin.script
    world.origin.gate, gate = None, world.origin.gate
    world.origin.script = lambda asked: answer(status=204)
    await world.ask("/x", method="PUT", body=b"n")
    world.origin.script = old
    gate.set()
    assert 200 == (await reading).status
    assert not (await world.ask("/x")).is_hit


@played()
async def test_groups(world: World) -> None:
    """RFC 9875: a write names groups, whose answers go, of whatever target."""
    await stored(world, "/p/1", cache_groups='"product", "shop"')
    await stored(world, "/p/2", cache_groups='"product";x=1')
    await stored(world, "/about", cache_groups='"pages"')
    world(answer(status=204, cache_group_invalidation='"product"'), answer(b"new"))
    await world.ask("/write", method="POST", body=b"a")
    hits = [(await world.ask(target)).is_hit for target in ("/p/1", "/p/2", "/about")]
    assert [False, False, True] == hits


@played()
async def test_groups_of_a_safe_answer_invalidate_nothing(world: World) -> None:
    """RFC 9875, 3: only unsafe methods do."""
    await stored(world, "/p", cache_groups='"product"')
    world(answer(cache_group_invalidation='"product"'))
    await world.ask("/other")
    assert (await world.ask("/p")).is_hit


@played()
async def test_purge_from_this_machine(world: World) -> None:
    """One target, or groups; 404 where there was nothing; the origin hears nothing of it."""
    world.client = ("127.0.0.1", 1)
    await stored(world, "/p/1", "/p/2", cache_groups='"product"')
    before = len(world.log)
    assert 200 == (await world.ask("/p/1", method="PURGE")).status
    assert 404 == (await world.ask("/p/1", method="PURGE")).status
    assert 200 == (await world.ask("/", method="PURGE", cache_groups='"product"')).status
    assert 400 == (await world.ask("/", method="PURGE", cache_groups="product")).status
    assert before == len(world.log)
    assert not (await world.ask("/p/2")).is_hit


@pytest.mark.parametrize(("client", "token", "expected"), [
    ("192.0.2.7", None, 403), ("192.0.2.7", "Bearer wrong", 403), ("192.0.2.7", "secret", 403),
    ("192.0.2.7", "Bearer secret", 200), ("::1", None, 200), ("", None, 403), ("x", None, 403),
])  # fmt: skip
@played(purge_token="secret")
async def test_who_may_purge(world: World, client: str, token: str | None, expected: int) -> None:
    """The machine itself, and who has the token."""
    await stored(world, "/x")
    world.client = (client, 1)
    fields = {} if token is None else {"authorization": token}
    assert expected == (await world.ask("/x", method="PURGE", **fields)).status


@played(behind_proxy=True)
async def test_behind_another_proxy_the_machine_itself_may_not_purge(world: World) -> None:
    """Its loopback may be anybody."""
    world.client = ("127.0.0.1", 1)
    assert 403 == (await world.ask("/x", method="PURGE")).status


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cache_control": FRESH, "content_location": "/x"}, True),
        ({"cache_control": FRESH}, False),
        ({"content_location": "/x", "last_modified": "Sun, 06 Nov 1994 08:49:37 GMT"}, False),
        ({"cache_control": FRESH, "content_location": "/y"}, False),
        ({"cache_control": "no-store", "content_location": "/x"}, False),
    ],
)
@played()
async def test_an_answer_to_post_that_is_one_to_get(
    world: World, fields: dict[str, str], expected: bool
) -> None:
    """RFC 9110, 9.3.3: with explicit freshness and its own target as Content-Location."""
    world(answer(b"posted", **fields), answer(b"got"))
    assert b"posted" == (await world.ask("/x", method="POST", body=b"a")).body
    await world.settle()
    assert expected is (await world.ask("/x")).is_hit
