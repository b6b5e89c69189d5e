"""Answers that depend on fields of the request: RFC 9111, 4.1."""

import pytest

from world import World, answer, played

FRESH = "max-age=60"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"foo": "1"}, {"foo": "1"}, True),
        ({"foo": "1"}, {"foo": "2"}, False),
        ({"foo": "1"}, {}, False),
        ({}, {"foo": "1"}, False),
        ({}, {"foo": ""}, False),
        ({"foo": "1", "other": "2"}, {"foo": "1", "other": "3"}, True),
        ({"foo": "1", "bar": "a"}, {"bar": "a", "foo": "1"}, True),
        ({"foo": "1", "bar": "a"}, {"foo": "1", "bar": "b"}, False),
        ({"foo": "1", "bar": "a"}, {"foo": "1"}, False),
        ({"foo": "1,2"}, {"foo": " 1, 2 "}, True),
        ({"foo": "A"}, {"foo": "a"}, False),
    ],
)
@played()
async def test_the_fields_must_match(
    world: World, first: dict[str, str], second: dict[str, str], expected: bool
) -> None:
    """Those that Vary names, there or missing, with the same values."""
    world(answer(cache_control=FRESH, vary="Foo, BAR"))
    await world.ask(**first)
    assert expected is (await world.ask(**second)).is_hit


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("en, de", "de, en"), ("en, de", "eN, De"), ("en, de", " en ,   de"),
        ("en, de;q=0.5", "de ; q=0.5, en"),
    ],
)  # fmt: skip
@played()
async def test_lists_of_preferences_in_one_form(world: World, first: str, second: str) -> None:
    """In any case, with any space, equals in any order."""
    world(answer(cache_control=FRESH, vary="Accept-Language"))
    await world.ask(accept_language=first)
    assert (await world.ask(accept_language=second)).is_hit


@played()
async def test_weights_matter(world: World) -> None:
    """Who prefers another language has another answer."""
    world(answer(cache_control=FRESH, vary="Accept-Language"))
    await world.ask(accept_language="en, de;q=0.5")
    assert not (await world.ask(accept_language="de, en;q=0.5")).is_hit


@played()
async def test_lines_are_a_list(world: World) -> None:
    """Two lines of a field are one with a comma."""
    world(answer(cache_control=FRESH, vary="Foo"))
    await world.ask(foo="1, 2")
    assert (await world.ask(lines=[("foo", "1"), ("foo", "2")])).is_hit


@pytest.mark.parametrize("vary", ["*", "*, *", ["*", "*"], ", *", ["", "*"], "*, Foo", "Foo, *"])
@played()
async def test_a_star_matches_nothing(world: World, vary: str | list[str]) -> None:
    """Wherever it stands."""
    world(answer(cache_control=FRESH, vary=vary))
    await world.ask(foo="1")
    assert not (await world.ask(foo="1")).is_hit


@played()
async def test_answers_stand_beside_each_other(world: World) -> None:
    """One does not replace the other, and one that varies less fits in."""
    world.origin.script = lambda asked: answer(
        asked.fields.get("foo", "none").encode(), cache_control=FRESH, vary="foo"
    )
    for _ in range(2):
        for foo in ("1", "2", "3"):
            assert foo.encode() == (await world.ask(foo=foo)).body
    assert 3 == len(world.log)


@played()
async def test_an_answer_that_varies_more_than_before(world: World) -> None:
    """From then on both fields count, and nobody gets what is another's."""
    world(answer(b"a", cache_control=FRESH, vary="foo"))
    await world.ask(foo="1", bar="1")
    world(answer(b"b", cache_control=FRESH, vary="bar"))
    await world.ask(foo="2", bar="2")
    for foo, bar in (("1", "2"), ("2", "1")):
        assert not (await world.ask(foo=foo, bar=bar)).is_hit
    assert b"b" == (await world.ask(foo="2", bar="2")).body


@played()
async def test_a_validation_is_for_the_same_fields(world: World) -> None:
    """4.3.1: what Vary names goes along; another's validator does not."""
    world(answer(cache_control="max-age=1", vary="foo", etag='"a"'), answer(b"", 304, etag='"a"'))
    await world.ask(foo="1")
    world.wait(5)
    await world.ask(foo="1")
    assert ("1", '"a"') == (world.log[-1].fields["foo"], world.log[-1].fields["if-none-match"])
    world(answer(b"other", cache_control=FRESH, vary="foo"))
    await world.ask(foo="2")
    assert "if-none-match" not in world.log[-1].fields


@played()
async def test_too_many_fields_are_not_remembered(world: World) -> None:
    """An answer that varies by more than 16 fields passes by."""
    world(answer(cache_control=FRESH, vary=", ".join(f"f{number}" for number in range(17))))
    await world.ask()
    assert not (await world.ask()).is_hit
