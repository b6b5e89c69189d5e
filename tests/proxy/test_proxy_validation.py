"""Validators and conditions: RFC 9111, 3.2 and 4.3; RFC 9110, 13."""

import pytest

from world import World, answer, played

FRESH, SHORT = "max-age=600", "max-age=1"


@pytest.mark.parametrize(
    ("etag", "asked", "expected"),
    [
        ('"abc"', '"abc"', 304), ('W/"abc"', 'W/"abc"', 304), ('W/"abc"', '"abc"', 304),
        ('"abc"', 'W/"abc"', 304), ('"abc"', '"abc", "d", "e"', 304), ('"abc"', '"d", "abc"', 304),
        ('"a,c"', '"d", "a,c"', 304), ('"abc"', "*", 304), ('"abc"', '"ab"', 200),
        ('"abc"', '"ABC"', 200), ('"abc\xfc"', '"abc\xfc"', 304), ("abc", "abc", 304),
        ('w/"abc"', 'w/"abc"', 304), ('W"abc"', 'W"abc"', 304), ('W\\"abc"', 'W\\"abc"', 304),
        ('w/"abc"', '"abc"', 200), ('"abc"', "abc", 200), ("abc", '"abc"', 200),
    ],
)  # fmt: skip
@played()
async def test_if_none_match(world: World, etag: str, asked: str, expected: int) -> None:
    """4.3.2: by the weak comparison; what is no entity tag only if it is the very same text."""
    world(answer(cache_control=FRESH, etag=etag))
    await world.ask()
    reply = await world.ask(if_none_match=asked)
    assert (expected, True) == (reply.status, reply.is_hit)
    assert (b"" if expected == 304 else b"body") == reply.body
    assert etag == reply["etag"]


@pytest.mark.parametrize(("changed", "since", "expected"), [
    (-3000, -3000, 304), (-3000, -2000, 304), (-3000, -4000, 200), (None, 5, 304), (None, -5, 200),
])  # fmt: skip
@played()
async def test_if_modified_since(
    world: World, changed: float | None, since: float, expected: int
) -> None:
    """4.3.2: by Last-Modified, else by Date."""
    fields = {} if changed is None else {"last_modified": world.date(changed)}
    world(answer(cache_control=FRESH, **fields))
    await world.ask()
    reply = await world.ask(if_modified_since=world.date(since))
    assert (expected, True) == (reply.status, reply.is_hit)


@played()
async def test_a_date_in_an_old_form(world: World) -> None:
    """RFC 9110, 5.6.7."""
    world(answer(cache_control=FRESH, last_modified="Sun, 06 Nov 1994 08:49:37 GMT"))
    await world.ask()
    assert 304 == (await world.ask(if_modified_since="Sunday, 06-Nov-94 08:49:37 GMT")).status
    assert 200 == (await world.ask(if_modified_since="yesterday")).status


@played()
async def test_if_none_match_goes_first(world: World) -> None:
    """RFC 9110, 13.2.2: If-Modified-Since is not looked at then."""
    world(answer(cache_control=FRESH, etag='"a"', last_modified=world.date(-5000)))
    await world.ask()
    since = {"if_modified_since": world.date(-9000)}
    assert 304 == (await world.ask(if_none_match='"a"', **since)).status
    since = {"if_modified_since": world.date(0)}
    assert 200 == (await world.ask(if_none_match='"b"', **since)).status


@played()
async def test_what_a_304_says(world: World) -> None:
    """RFC 9110, 15.4.5: what the answer would have said, but nothing of the body."""
    when = world.date(900)
    world(
        answer(
            cache_control=FRESH, etag='"a"', expires=when, vary="foo", content_type="text/x",
            content_location="/x", x_other="1",
        )
    )  # fmt: skip
    await world.ask()
    reply = await world.ask(if_none_match='"a"')
    names = {name for name, _ in reply.fields}
    assert {"cache-control", "etag", "expires", "vary", "date", "content-location"} <= names
    assert set() == {"content-type", "content-length"} & names


@pytest.mark.parametrize("status", [301, 404])
@played()
async def test_conditions_are_for_answers_with_a_representation(world: World, status: int) -> None:
    """RFC 9110, 13.2.1: another status is not replaced by 304."""
    world(answer(status=status, cache_control=FRESH, etag='"a"'))
    await world.ask()
    assert status == (await world.ask(if_none_match='"a"')).status


@pytest.mark.parametrize("field", ["if_match", "if_unmodified_since"])
@played()
async def test_conditions_for_the_origin_go_there(world: World, field: str) -> None:
    """4.3.2: they are not the cache's to judge."""
    world(answer(cache_control=FRESH, etag='"a"'), answer(b"no", 412))
    await world.ask()
    assert 412 == (await world.ask(**{field: '"b"'})).status


@played()
async def test_conditions_without_a_stored_answer_go_on(world: World) -> None:
    """As they came; a 304 is the client's, a 200 is stored."""
    world(answer(b"", 304, etag='"a"'), answer(cache_control=FRESH, etag='"b"'))
    assert 304 == (await world.ask(if_none_match='"a"')).status
    assert '"a"' == world.log[0].fields["if-none-match"]
    assert 200 == (await world.ask(if_none_match='"a"')).status
    await world.settle()
    assert (await world.ask()).is_hit


@pytest.mark.parametrize(
    ("etag", "has_date"), [('"abc"', True), ('W/"abc"', False), (None, True), ('"abc"', False)]
)
@played()
async def test_validators_are_sent(world: World, etag: str | None, has_date: bool) -> None:
    """4.3.1: as they are stored, in place of the client's."""
    changed = world.date(-3000)
    fields = {} if etag is None else {"etag": etag}
    fields |= {"last_modified": changed} if has_date else {}
    world(answer(cache_control=SHORT, **fields), answer(b"new"))
    await world.ask()
    world.wait(400)
    await world.ask(if_none_match='"client"', if_modified_since=world.date(0))
    sent = world.log[-1].fields
    assert (etag, changed if has_date else None) == (
        sent.get("if-none-match"),
        sent.get("if-modified-since"),
    )


@played()
async def test_a_304_freshens(world: World) -> None:
    """4.3.4: what is stored is served, younger; conditions are judged after it."""
    world(
        answer(cache_control=SHORT, etag='"a"'), answer(b"", 304, etag='"a"', cache_control=FRESH)
    )
    await world.ask()
    world.wait(5)
    reply = await world.ask()
    assert (200, b"body", "0") == (reply.status, reply.body, reply["age"])
    world.wait(500)
    assert (await world.ask()).is_hit
    assert 2 == len(world.log)


@played()
async def test_a_304_to_a_client_that_has_it(world: World) -> None:
    """4.3.3: the client of a conditional request gets 304 after a validation, too."""
    changed = world.date(-3000)
    world(answer(cache_control=SHORT, last_modified=changed), answer(b"", 304))
    await world.ask()
    world.wait(5)
    assert 304 == (await world.ask(if_modified_since=changed)).status


UPDATED = {
    "test-header": ("a", "b"), "x-test-header": ("a", "b"), "content-foo": ("a", "b"),
    "x-content-foo": ("a", "b"), "cache-control": ("max-age=1", "max-age=3600"),
    "content-location": ("/foo", "/bar"), "content-md5": ("a==", "b=="),
    "content-security-policy": ("default-src 'self'", "default-src 'none'"),
    "content-type": ("text/plain", "text/plain;charset=utf-8"), "clear-site-data": ("a", "b"),
    "expires": ("Fri, 01 Jan 2038 01:01:01 GMT", "Mon, 11 Jan 2038 11:11:11 GMT"),
    "public-key-pins": ("a", "b"), "set-cookie2": ("a", "b"), "x-frame-options": ("a", "b"),
    "x-xss-protection": ("1", "1; mode=block"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(UPDATED))
@pytest.mark.parametrize("validator", ["etag", "last_modified"])
@played()
async def test_a_304_replaces_fields(world: World, name: str, validator: str) -> None:
    """3.2: in the answer that is served now and in those later."""
    old, new = UPDATED[name]
    fields = {"cache_control": "max-age=2", validator: '"a"'}
    if validator == "last_modified":
        fields[validator] = world.date(-DAY)
    key = name.replace("-", "_")
    world(answer(**{**fields, key: old}), answer(b"", 304, **{**fields, key: new}))
    assert old == (await world.ask())[name]
    world.wait(900 if name == "expires" else 3)
    assert new == (await world.ask())[name]
    reply = await world.ask()
    assert (new, True) == (reply[name], reply.is_hit)


DAY = 86_400


@pytest.mark.parametrize("name", ["content-length", "content-encoding", "content-range"])
@played()
async def test_a_304_does_not_replace_what_frames_the_body(world: World, name: str) -> None:
    """3.2: nor what the body is encoded by, as it is the same body."""
    key = name.replace("-", "_")
    fields = {} if name == "content-length" else {key: "old"}
    world(
        answer(b"whole", cache_control=SHORT, etag='"a"', **fields),
        answer(b"", 304, cache_control=FRESH, etag='"a"', **{key: "10"}),
    )
    await world.ask()
    world.wait(3)
    for _ in range(2):
        reply = await world.ask()
        assert b"whole" == reply.body
        assert ("5" if name == "content-length" else "old") == reply[name]


@played()
async def test_a_304_keeps_what_it_does_not_say(world: World) -> None:
    """3.2."""
    world(answer(cache_control=SHORT, etag='"a"', x_kept="1"), answer(b"", 304, etag='"a"'))
    await world.ask()
    world.wait(3)
    assert "1" == (await world.ask())["x-kept"]


@played()
async def test_a_304_about_something_else(world: World) -> None:
    """4.3.4: its strong validator is not that of what is stored; it is asked for whole."""
    world(
        answer(b"old", cache_control=SHORT, etag='"a"'),
        answer(b"", 304, etag='"b"'),
        answer(b"new", cache_control=FRESH, etag='"b"'),
    )
    await world.ask()
    world.wait(3)
    assert b"new" == (await world.ask()).body
    assert "if-none-match" not in world.log[-1].fields


@played()
async def test_a_304_that_forbids_storing(world: World) -> None:
    """3, 4.3.4: the answer is served this once more and goes."""
    world(
        answer(cache_control=SHORT, etag='"a"'),
        answer(b"", 304, etag='"a"', cache_control="no-store"),
        answer(b"new"),
    )
    await world.ask()
    world.wait(3)
    assert b"body" == (await world.ask()).body
    assert b"new" == (await world.ask()).body


@played()
async def test_a_new_answer_replaces_the_old(world: World) -> None:
    """4.3.3: and conditions are judged by the new one."""
    world(answer(cache_control=SHORT, etag='"a"'), answer(b"new", cache_control=FRESH, etag='"b"'))
    await world.ask()
    world.wait(3)
    assert 304 == (await world.ask(if_none_match='"b"')).status
    await world.settle()
    assert (b"new", True) == ((reply := await world.ask()).body, reply.is_hit)


@played()
async def test_head_from_what_is_stored(world: World) -> None:
    """RFC 9110, 9.3.2: a fresh answer to GET serves, without its body."""
    world(answer(b"four", cache_control=FRESH))
    await world.ask()
    reply = await world.ask(method="HEAD")
    assert (True, b"", "4") == (reply.is_hit, reply.body, reply["content-length"])


@played()
async def test_head_is_passed_on(world: World) -> None:
    """As HEAD, and its answer is not taken for that to a GET."""
    world(answer(b"four", cache_control=FRESH))
    await world.ask(method="HEAD")
    assert "HEAD" == world.log[0].method
    assert not (await world.ask()).is_hit


@played()
async def test_head_is_answered_with_all_that_is_known(world: World) -> None:
    """4.3.5: an answer to HEAD that leaves fields out (RFC 9110, 9.3.2) is made whole by those."""
    world(
        answer(b"four", cache_control=SHORT, etag='"a"', x_a="1", x_b="1"),
        answer(b"four", cache_control=FRESH, x_a="2"),
    )
    await world.ask()
    world.wait(3)
    reply = await world.ask(method="HEAD")
    assert (200, b"", "4") == (reply.status, reply.body, reply["content-length"])
    assert ("2", "1", '"a"') == (reply["x-a"], reply["x-b"], reply["etag"])
    assert "fwd=stale; fwd-status=200" in reply["cache-status"]


@pytest.mark.parametrize(("fields", "is_kept"), [
    ({"x_a": "2"}, True), ({"etag": '"a"'}, True), ({"etag": '"b"'}, False),
    ({"content_length": "9"}, False),
])  # fmt: skip
@played()
async def test_head_freshens_or_ends(world: World, fields: dict[str, str], is_kept: bool) -> None:
    """4.3.5: by validators and length it is about what is stored, or that is old."""
    world(
        answer(b"four", cache_control=SHORT, etag='"a"', x_a="1", x_b="1"),
        answer(b"four", cache_control=FRESH, **fields),
    )
    await world.ask()
    world.wait(3)
    await world.ask(method="HEAD")
    world(answer(b"new"))
    reply = await world.ask()
    assert is_kept is reply.is_hit
    if is_kept:
        assert (fields.get("x_a", "1"), "1") == (reply["x-a"], reply["x-b"])
