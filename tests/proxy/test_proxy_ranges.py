"""Parts of what is stored: RFC 9110, 14; RFC 9111, 3.3 and 3.4."""

import asyncio
import random
from typing import Any

import httpx
import pytest

from augury.errors import NotFound
from augury.proxy.ahead import fetch_ahead
from augury.proxy.answers import PART
from augury.proxy.fields import Fields
from augury.proxy.ranges import span_of, wanted
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
    assert (200, BODY) == ((reply := await world.ask(range="bytes=1-2")).status, reply.body)
    await world.settle()
    assert (await world.ask(range="bytes=2-3")).is_hit


def part(start: int, end: int, etag: str | None = '"a"', **fields: str) -> Any:
    """What an origin answers to such a range."""
    said = {"cache_control": "max-age=600", **({} if etag is None else {"etag": etag}), **fields}
    named = f"bytes {start}-{end}/{len(BODY)}"
    return answer(BODY[start : end + 1], 206, content_range=named, **said)


OTHER = answer(b"other", cache_control="no-store")


@pytest.mark.parametrize(("asked", "found"), [
    ("bytes=4-8", b"45678"), ("bytes=5-6", b"56"), ("bytes=4-4", b"4"), ("bytes=3-5", None),
    ("bytes=5-9", None), ("bytes=5-", None), ("bytes=-5", None), ("bytes=5-6,8-8", None),
    ("bytes=11-", None), ("", None),
])  # fmt: skip
@played()
async def test_a_part_answers_for_what_it_has(
    world: World, asked: str, found: bytes | None
) -> None:
    """3.3: a range wholly within it, and nothing else."""
    world(part(4, 8, x_a="1"), OTHER)
    await world.ask(range="bytes=4-8")
    reply = await world.ask(**({"range": asked} if asked else {}))
    assert (found is not None) is reply.is_hit
    if found is not None:
        start, end = BODY.index(found), BODY.index(found) + len(found) - 1
        assert (206, found, "1") == (reply.status, reply.body, reply["x-a"])
        assert f"bytes {start}-{end}/11" == reply["content-range"]
        assert ("0", str(len(found))) == (reply["age"], reply["content-length"])


@played()
async def test_a_part_from_the_end(world: World) -> None:
    """RFC 9110, 14.1.2: the length of the whole is known, so ranges from its end are too."""
    world(part(6, 10), OTHER)
    await world.ask(range="bytes=-5")
    for asked, body in (("bytes=-5", b"67890"), ("bytes=-1", b"0"), ("bytes=8-", b"890")):
        assert (body, True) == ((reply := await world.ask(range=asked)).body, reply.is_hit)
    assert 304 == (await world.ask(range="bytes=-1", if_none_match='"a"')).status
    assert (await world.ask(range="bytes=-1", if_range='"a"')).is_hit
    assert not (await world.ask(range="bytes=-1", if_range='"b"')).is_hit


@pytest.mark.parametrize("sent", [
    answer(b"01234", 206, cache_control="max-age=600", content_range="bytes 4-9/10"),
    answer([b"01", b"234"], 206, cache_control="max-age=600", content_range="bytes 4-9/10"),
    answer(b"01", 206, cache_control="max-age=600", content_range="bytes 0-1/*"),
    answer(b"01", 206, cache_control="max-age=600", content_range="bytes 1-0/9"),
    answer(b"01", 206, cache_control="max-age=600", content_range=["bytes 0-1/9", "bytes 0-1/8"]),
    answer(b"--x", 206, cache_control="max-age=600", content_type="multipart/byteranges"),
    answer(b"01", 206, cache_control="no-store", content_range="bytes 0-1/9"),
    answer(b"01", 206, cache_control="private, max-age=9", content_range="bytes 0-1/9"),
    answer(b"01", 206, cache_control="no-cache", etag='"a"', content_range="bytes 0-1/9"),
    answer(b"01", 206, cache_control="max-age=0", etag='"a"', content_range="bytes 0-1/9"),
    answer(b"01", 206, cache_control="max-age=9", set_cookie="a=b", content_range="bytes 0-1/9"),
])  # fmt: skip
@played()
async def test_what_is_no_part_to_be_stored(world: World, sent: Any) -> None:
    """One whose Content-Range is not sound, or does not fit its body, or that is not for all."""
    world(sent, OTHER)
    assert 206 == (await world.ask(range="bytes=0-1")).status
    await world.settle()
    for asked in ("bytes=0-1", "bytes=4-8", "bytes=4-9", "bytes=6-8"):
        assert not (await world.ask(range=asked)).is_hit


@pytest.mark.parametrize(("first", "second", "is_one"), [
    (part(0, 3), part(4, 7), True), (part(4, 7), part(0, 3), True), (part(0, 5), part(2, 7), True),
    (part(0, 7), part(2, 3), True), (part(2, 3), part(0, 7), True), (part(0, 3), part(5, 7), False),
    (part(0, 3, 'W/"a"'), part(4, 7, 'W/"a"'), False), (part(0, 3), part(4, 7, '"b"'), False),
    (part(0, 3, None), part(4, 7, None), False), (part(0, 3), part(4, 7, None), False),
])  # fmt: skip
@played()
async def test_parts_become_one(world: World, first: Any, second: Any, is_one: bool) -> None:
    """RFC 9110, 15.3.7.3: without a gap, and by the same strong validator."""
    world(first, second, OTHER)
    await world.ask(range="bytes=99-")
    await world.ask(range="bytes=99-")
    reply = await world.ask(range="bytes=0-7")
    assert is_one is reply.is_hit
    assert not is_one or BODY[:8] == reply.body


@played()
async def test_parts_become_the_whole(world: World) -> None:
    """3.4: what has all bytes is complete; the fields are those of the last part."""
    world(part(0, 5, x_a="1", x_b="1"), part(6, 10, x_a="2"), OTHER)
    await world.ask(range="bytes=0-5")
    await world.ask(range="bytes=6-")
    reply = await world.ask()
    assert (200, BODY, True) == (reply.status, reply.body, reply.is_hit)
    assert ("2", False, "11") == (reply["x-a"], "content-range" in reply, reply["content-length"])
    assert b"12" == (await world.ask(range="bytes=1-2")).body


@played(max_object="8")
async def test_parts_are_bounded(world: World) -> None:
    """Together they are no larger than an answer may be; the last one stays."""
    world(part(0, 5), part(6, 10), part(0, 9), OTHER)
    await world.ask(range="bytes=0-5")
    await world.ask(range="bytes=6-")
    assert (await world.ask(range="bytes=6-")).is_hit
    assert not (await world.ask(range="bytes=0-9")).is_hit
    assert not (await world.ask(range="bytes=0-5")).is_hit


@played()
async def test_a_part_has_its_time(world: World) -> None:
    """4.2: it is fresh as long as a whole is, and then it is asked for again."""
    world(part(0, 5), OTHER)
    await world.ask(range="bytes=0-5")
    assert not (await world.ask(range="bytes=0-5", cache_control="no-cache")).is_hit
    world.wait(599)
    assert (await world.ask(range="bytes=0-5")).is_hit
    world.wait(2)
    assert not (await world.ask(range="bytes=0-5")).is_hit


@played()
async def test_a_part_goes_as_a_whole_does(world: World) -> None:
    """4.4: by a write, by PURGE, and where a whole takes its place."""
    world.client = ("127.0.0.1", 1)
    world.origin.script = lambda asked: part(0, 5) if "range" in asked.fields else OTHER
    for method, status in (("POST", 200), ("PURGE", 200), ("PURGE", 404)):
        if status == 200:
            await world.ask("/p", range="bytes=0-5")
            assert (await world.ask("/p", range="bytes=0-5")).is_hit
        assert status == (await world.ask("/p", method=method)).status
    assert not (await world.ask("/p", range="bytes=0-5")).is_hit
    world(answer(b"whole", cache_control="max-age=1"), OTHER)
    await world.ask("/p")
    world.wait(2)
    assert not (await world.ask("/p", range="bytes=0-5")).is_hit


@played()
async def test_parts_vary(world: World) -> None:
    """4.1: as wholes do."""
    world(part(0, 5, vary="foo"), OTHER)
    await world.ask(range="bytes=0-5", foo="1")
    assert (await world.ask(range="bytes=0-5", foo="1")).is_hit
    assert not (await world.ask(range="bytes=0-5", foo="2")).is_hit


@played()
async def test_a_part_that_nobody_has_asked_for(world: World) -> None:
    """Is passed on to one client, and neither stored nor shared."""
    world.origin.gate = asyncio.Event()
    world(part(0, 5), OTHER)
    asking = [asyncio.ensure_future(world.ask("/", **fields)) for fields in ({}, {})]
    await world.settle()
    world.origin.gate.set()
    replies = await asyncio.gather(*asking)
    assert [200, 206] == sorted(reply.status for reply in replies)
    assert not (await world.ask(range="bytes=0-5")).is_hit


@played()
async def test_a_stale_whole_is_asked_for_whole(world: World) -> None:
    """A part in answer to that is no part of what is stored."""
    world(answer(BODY, cache_control="max-age=1", etag='"a"'), part(0, 5), OTHER)
    await world.ask()
    world.wait(2)
    await world.ask(range="bytes=0-5")
    assert "range" not in world.log[-1].fields
    assert not (await world.ask(range="bytes=0-5")).is_hit


@played()
async def test_parts_are_not_fetched_ahead(world: World) -> None:
    """The name of a part is no name of a request."""
    with pytest.raises(NotFound):
        await fetch_ahead(world.proxy.fetcher, "p shop.example" + PART)
    assert not world.log


@played()
async def test_a_range_of_what_is_stale(world: World) -> None:
    """4.3: the whole is validated, and the part is cut from it."""
    world(answer(BODY, cache_control="max-age=1", etag='"a"'), answer(b"", 304, etag='"a"'))
    await world.ask()
    world.wait(5)
    reply = await world.ask(range="bytes=0-1")
    assert (206, b"01") == (reply.status, reply.body)
    assert "range" not in world.log[-1].fields


@pytest.mark.parametrize("seed", range(4))
@played(max_object="60")
async def test_parts_are_never_mixed(world: World, seed: int) -> None:
    """Whatever ranges are asked for, of a file that changes: each answer is of one version."""
    chance = random.Random(seed)
    version = 0

    def content(tag: int) -> bytes:
        return bytes((tag * 31 + place * 7) % 251 for place in range(80 + (tag % 9 == 0)))

    def script(asked: Any) -> Any:
        body, said = content(version), {"cache_control": "max-age=50", "etag": f'"{version}"'}
        text = asked.fields.get("range")
        bounds = None if text is None else wanted(text.encode(), len(body))
        if bounds is None:
            return answer(body, **said)
        start, end = bounds
        if start > end:
            return answer(b"", 416, content_range=f"bytes */{len(body)}")
        named = f"bytes {start}-{end}/{len(body)}"
        return answer(body[start : end + 1], 206, content_range=named, **said)

    world.origin.script, hits = script, 0
    for _ in range(600):
        version += chance.random() < 0.1
        world.wait(chance.choice((0, 0, 1, 5)))
        start = chance.randrange(85)
        text = chance.choice((f"{start}-{start + chance.randrange(40)}", f"{start}-", f"-{start}"))
        reply = await world.ask(**({} if chance.random() < 0.1 else {"range": f"bytes={text}"}))
        hits += reply.is_hit
        if reply.status == 416:
            continue
        whole = content(int(reply["etag"].strip('"')))
        lines: Fields = [(name.encode(), value.encode()) for name, value in reply.fields]
        span = span_of(lines)
        assert (206 if span else 200) == reply.status
        assert reply.body == (whole[span.start : span.end + 1] if span else whole)
        assert span is None or span.whole == len(whole)
    assert hits > 50


def test_parts_of_what_is_too_large_to_be_stored(client: httpx.Client) -> None:
    """RFC 9111, 3.3 and 3.4: what was read of a large file is not read again from nginx."""
    whole, step = b"0123456789abcdef" * 1_000_000, 1 << 20
    for start in (0, step, 2 * step):
        client.get("/large.txt", headers={"range": f"bytes={start}-{start + step - 1}"})
    for start, end, is_hit in (
        (0, step - 1, True), (5, 3 * step - 6, True), (3 * step - 1, 3 * step - 1, True),
        (step, 3 * step, False), (len(whole) - 9, len(whole) - 1, False),
    ):  # fmt: skip
        reply = client.get("/large.txt", headers={"range": f"bytes={start}-{end}"})
        assert (206, whole[start : end + 1]) == (reply.status_code, reply.content)
        assert f"bytes {start}-{end}/{len(whole)}" == reply.headers["content-range"]
        assert is_hit is ("; hit" in reply.headers["cache-status"])
    assert whole == client.get("/large.txt").content
