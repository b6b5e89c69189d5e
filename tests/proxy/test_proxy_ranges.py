"""Parts of what is stored: RFC 9110, 14; RFC 9111, 3.3 and 3.4."""

import pytest

from world import World, answer, played

BODY = b"01234567890"


@pytest.mark.parametrize(
    ("asked", "status", "part", "named"),
    [
        ("bytes=0-1", 206, b"01", "bytes 0-1/11"),
        ("bytes=1-", 206, b"1234567890", "bytes 1-10/11"),
        ("bytes=-1", 206, b"0", "bytes 10-10/11"),
        ("bytes=-99", 206, BODY, "bytes 0-10/11"),
        ("bytes=9-99", 206, b"90", "bytes 9-10/11"),
        ("bytes=11-", 416, b"", "bytes */11"),
        ("bytes=-0", 416, b"", "bytes */11"),
        ("bytes=3-1", 200, BODY, ""),
        ("bytes=0-1,3-4", 200, BODY, ""),
        ("lines=0-1", 200, BODY, ""),
        ("bytes=-", 200, BODY, ""),
        ("bytes=a-b", 200, BODY, ""),
        ("bytes=" + "9" * 100 + "-", 200, BODY, ""),
    ],
)
@played()
async def test_ranges_of_what_is_stored(
    world: World, asked: str, status: int, part: bytes, named: str
) -> None:
    """14.2: one range; several, or what is none, get the whole, as is allowed."""
    world(answer(BODY, cache_control="max-age=600", a="1", etag='"a"'))
    await world.ask()
    reply = await world.ask(range=asked)
    assert (status, part, named) == (reply.status, reply.body, reply["content-range"])
    assert (str(len(part)), True) == (reply["content-length"], reply.is_hit)
    assert status == 416 or ("1", '"a"') == (reply["a"], reply["etag"])


@pytest.mark.parametrize(("condition", "status"), [
    ('"a"', 206), ('"b"', 200), ('W/"a"', 200), ("Sun, 06 Nov 1994 08:49:37 GMT", 206),
    ("Sun, 06 Nov 1994 08:49:38 GMT", 200), ("nonsense", 200),
])  # fmt: skip
@played()
async def test_if_range(world: World, condition: str, status: int) -> None:
    """13.1.5: the part if it is of the same whole, else the whole."""
    changed = "Sun, 06 Nov 1994 08:49:37 GMT"
    world(answer(BODY, cache_control="max-age=600", etag='"a"', last_modified=changed))
    await world.ask()
    assert status == (await world.ask(range="bytes=0-1", if_range=condition)).status


@played()
async def test_ranges_are_of_answers_with_200(world: World) -> None:
    """14.2: and of GET."""
    world(answer(BODY, status=404, cache_control="max-age=600"))
    await world.ask()
    assert 404 == (await world.ask(range="bytes=0-1")).status
    world(answer(BODY, cache_control="max-age=600"))
    await world.ask("/b")
    assert 200 == (await world.ask("/b", method="HEAD", range="bytes=0-1")).status


@played()
async def test_a_range_of_what_is_not_stored_goes_on(world: World) -> None:
    """3.3: its part is passed on and taken for no whole; a whole in answer is stored."""
    world(
        answer(b"01", 206, cache_control="max-age=600", content_range="bytes 0-1/11"),
        answer(BODY, cache_control="max-age=600"),
    )
    assert 206 == (await world.ask(range="bytes=0-1")).status
    assert "bytes=0-1" == world.log[0].fields["range"]
    assert (200, BODY) == ((reply := await world.ask(range="bytes=0-1")).status, reply.body)
    await world.settle()
    assert (await world.ask(range="bytes=2-3")).is_hit


@played()
async def test_a_range_of_what_is_stale(world: World) -> None:
    """4.3: the whole is validated, and the part is cut from it."""
    world(answer(BODY, cache_control="max-age=1", etag='"a"'), answer(b"", 304, etag='"a"'))
    await world.ask()
    world.wait(5)
    reply = await world.ask(range="bytes=0-1")
    assert (206, b"01") == (reply.status, reply.body)
    assert "range" not in world.log[-1].fields
