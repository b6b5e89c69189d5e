"""What may be stored, and which of its fields: RFC 9111, 3, 5.2.2 and 7.3."""

import pytest

from world import World, answer, played


async def is_stored(world: World, status: int = 200, **fields: str | list[str]) -> bool:
    """Whether an answer like this is there the second time."""
    world(answer(status=status, **fields), answer(b"other"))
    await world.ask("/thing")
    return (await world.ask("/thing")).is_hit


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        ("no-store", False),
        ("No-StOrE", False),
        ("max-age=60, no-store", False),
        ("private, max-age=60", False),
        ("PRIVATE, max-age=60", False),
        ("private=set-cookie, max-age=60", True),
        ("no-cache, max-age=60", False),
        ("max-age=60, no-cache=a", True),
        ("public, max-age=60", True),
        ("must-revalidate, max-age=60", True),
        ("max-age=60, no-transform, x-y", True),
        ("max-age=60, no-store, must-understand", True),
    ],
)
@played()
async def test_directives(world: World, control: str, expected: bool) -> None:
    """5.2.2: in any case and any company."""
    assert expected is await is_stored(world, cache_control=control, expires=world.date(900))


@played()
async def test_directives_on_several_lines(world: World) -> None:
    """RFC 9110, 5.3: lines are one list."""
    assert not await is_stored(world, cache_control=["max-age=60", "no-store"])


@played()
async def test_must_understand(world: World) -> None:
    """5.2.2.3: with no-store, a status that is not understood is not stored."""
    control = "max-age=60, no-store, must-understand"
    assert not await is_stored(world, status=599, cache_control=control)


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        ("max-age=60", False), ("public, max-age=60", True), ("s-maxage=60", True),
        ("must-revalidate, max-age=60", True), ("private, s-maxage=60", False),
    ],
)  # fmt: skip
@played()
async def test_answers_to_the_authorized(world: World, control: str, expected: bool) -> None:
    """3.5: only with a word for all."""
    world(answer(cache_control=control), answer(b"other"))
    await world.ask(authorization="Basic YTpi")
    assert "Basic YTpi" == world.log[0].fields["authorization"]
    assert expected is (await world.ask()).is_hit


@pytest.mark.parametrize(
    ("control", "expected"),
    [("max-age=60", False), ("public, max-age=60", True), ("s-maxage=60", True)],
)
@played()
async def test_answers_that_set_cookies(world: World, control: str, expected: bool) -> None:
    """7.3: by choice, only with a word for all: a session is somebody's."""
    assert expected is await is_stored(world, cache_control=control, set_cookie="id=1")


@played(store_cookies=True)
async def test_answers_that_set_cookies_if_so_wished(world: World) -> None:
    """7.3: as the RFC has it."""
    world(answer(cache_control="max-age=60", set_cookie=["a=1", "b=2"]))
    await world.ask()
    reply = await world.ask()
    assert reply.is_hit
    assert ["a=1", "b=2"] == [value for name, value in reply.fields if name == "set-cookie"]


@played()
async def test_requests_with_cookies(world: World) -> None:
    """Explicit freshness is for all; a guess is not taken for the answer to a cookie."""
    world(answer(cache_control="max-age=60"))
    await world.ask("/a", cookie="id=1")
    assert (await world.ask("/a", cookie="id=2")).is_hit
    world(answer(last_modified=world.date(-9000)))
    await world.ask("/b", cookie="id=1")
    assert not (await world.ask("/b")).is_hit


@played()
async def test_a_request_that_must_not_be_stored(world: World) -> None:
    """5.2.1.5: nor its answer."""
    world(answer(cache_control="max-age=60"))
    await world.ask(cache_control="no-store")
    assert not (await world.ask()).is_hit
    assert (await world.ask()).is_hit


KEPT = {
    "test-header": "a", "content-foo": "b", "x-content-foo": "c", "cache-control": "max-age=60",
    "content-encoding": "odd", "content-location": "/foo", "content-md5": "rL0Y20z==",
    "content-range": "odd", "content-security-policy": "default-src 'self'", "content-type": "a/b",
    "clear-site-data": "cookies", "etag": '"a"', "expires": "Fri, 01 Jan 2038 01:01:01 GMT",
    "public-key-pins": "x", "set-cookie2": "a=b", "x-frame-options": "deny", "x-x": "1",
    "www-authenticate": "Basic", "strict-transport-security": "max-age=1", "link": "</a>",
}  # fmt: skip


@played()
async def test_fields_are_kept(world: World) -> None:
    """3.1: all of them, known or not."""
    world(answer(**{name.replace("-", "_"): value for name, value in KEPT.items()}))
    await world.ask()
    reply = await world.ask()
    assert reply.is_hit
    assert KEPT == {name: reply[name] for name in KEPT}


@played()
async def test_fields_of_a_connection_are_not(world: World) -> None:
    """3.1, RFC 9110 7.6.1: nor those that Connection names; they do not even pass."""
    world(
        answer(
            cache_control="max-age=60", connection="a, B, Keep-Alive", a="1", b="2", c="3",
            keep_alive="x", proxy_authenticate="x", proxy_authentication_info="x", te="x",
            proxy_authorization="x", proxy_connection="x", upgrade="x", trailer="x",
        )
    )  # fmt: skip
    gone = {
        "connection", "a", "b", "keep-alive", "proxy-authenticate", "proxy-authentication-info",
        "te", "proxy-authorization", "proxy-connection", "upgrade", "trailer",
    }  # fmt: skip
    for reply in (await world.ask(), await world.ask()):
        assert set() == gone & {name for name, _ in reply.fields}
        assert "3" == reply["c"]
    assert reply.is_hit


@pytest.mark.parametrize(
    "directive", ['no-cache="a, B"', 'private="a, B"', "no-cache=a, private=b"]
)
@played()
async def test_fields_that_directives_name_are_not_kept(world: World, directive: str) -> None:
    """5.2.2.4, 5.2.2.7: the first client gets them, nobody else."""
    world(answer(cache_control=f"{directive}, max-age=60", a="1", b="2", c="3"))
    assert "1" == (await world.ask())["a"]
    reply = await world.ask()
    assert reply.is_hit
    assert (False, False, "3") == ("a" in reply, "b" in reply, reply["c"])


@played()
async def test_an_answer_without_a_date_gets_one(world: World) -> None:
    """RFC 9110, 6.6.1: that of its arrival."""
    world.origin.has_date = False
    world(answer(cache_control="max-age=60"))
    await world.ask()
    world.wait(3)
    assert world.date(-3) == (await world.ask())["date"]


@played(max_object="1000")
async def test_large_answers_pass_by(world: World) -> None:
    """Of known length or not, whole, and without harm to who comes next."""
    whole = b"x" * 1001
    for body in (whole, [whole[:500], whole[500:]]):
        world(answer(body, cache_control="max-age=60"))
        for _ in range(2):
            reply = await world.ask("/large")
            assert (whole, False) == (reply.body, reply.is_hit)
    assert 4 == len(world.log)


@played()
async def test_a_broken_answer_is_not_stored(world: World) -> None:
    """3.3: what has not come to its end is no answer; the client sees that it broke off."""
    from augury.proxy.origin import OriginFailed

    world(answer([b"some", OriginFailed(502, "gone")], cache_control="max-age=60"), answer())
    first = await world.ask()
    assert (b"some", True) == (first.body, first.interrupted)
    assert (b"body", False) == ((second := await world.ask()).body, second.is_hit)


@played()
async def test_an_answer_that_may_no_longer_be_stored_takes_the_old_one_along(
    world: World,
) -> None:
    """4.3.3: the full answer to a validation replaces what was validated."""
    world(answer(cache_control="max-age=1", etag='"a"'), answer(b"new", cache_control="no-store"))
    await world.ask()
    world.wait(5)
    assert b"new" == (await world.ask()).body
    await world.ask()
    assert "if-none-match" not in world.log[-1].fields
