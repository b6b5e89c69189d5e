"""CDN-Cache-Control takes the place of Cache-Control and Expires: RFC 9213."""

import pytest

from test_proxy_freshness import is_reused
from world import World, answer, played


@pytest.mark.parametrize(
    ("targeted", "control", "after", "expected"),
    [
        ("max-age=60", None, 59, True),
        ("max-age=60", None, 61, False),
        ("max-age=60, foo", None, 30, True),
        ("max-age=60;x=1", None, 30, True),
        ("max-age=99999999999", None, 900, True),
        ("max-age=0", "max-age=60", 0, False),
        ("max-age=60", "max-age=1", 30, True),
        ("max-age=1", "max-age=60", 30, False),
        ("max-age=60", "no-store", 30, True),
        ("max-age=60", "private, no-cache", 30, True),
        ("no-store", "max-age=60", 0, False),
        ("no-cache", "max-age=60", 0, False),
        ("private", "max-age=60", 0, False),
        ("s-maxage=60, max-age=1", "max-age=1", 30, True),
    ],
)
@played()
async def test_it_goes_before(
    world: World, targeted: str, control: str | None, after: float, expected: bool
) -> None:
    """2.1, 3.1: what it says holds, and Cache-Control is as if it were not there."""
    fields = {"cdn_cache_control": targeted}
    if control is not None:
        fields["cache_control"] = control
    assert expected is await is_reused(world, after, **fields)


@pytest.mark.parametrize("targeted", ["max-age=60, &&&", "", "   ", "max-age=60,"])
@pytest.mark.parametrize(("control", "expected"), [("max-age=60", True), ("no-store", False)])
@played()
async def test_a_malformed_one_is_ignored(
    world: World, targeted: str, control: str, expected: bool
) -> None:
    """2.1: no structured field, or an empty one, says nothing; Cache-Control does."""
    fields = {"cdn_cache_control": targeted, "cache_control": control}
    assert expected is await is_reused(world, 30, **fields)


@pytest.mark.parametrize("targeted", ['max-age="60"', "max-age=6.5", "max-age=-1", "max-age"])
@played()
async def test_a_value_of_the_wrong_kind_is_no_freshness(world: World, targeted: str) -> None:
    """2.1: seconds are a whole number."""
    fields = {"cdn_cache_control": targeted, "cache_control": "no-store"}
    assert not await is_reused(world, 0, **fields)


@pytest.mark.parametrize("expires", [-900, None])
@played()
async def test_expires_is_ignored(world: World, expires: int | None) -> None:
    """2.2: past or nonsense."""
    said = "0" if expires is None else world.date(expires)
    assert await is_reused(world, 30, cdn_cache_control="max-age=60", expires=said)


@played()
async def test_age_counts_against_it(world: World) -> None:
    """2.2: as against any lifetime."""
    fields = {"cdn_cache_control": "max-age=60", "age": "90"}
    assert not await is_reused(world, 0, **fields)


@played()
async def test_it_is_passed_on(world: World) -> None:
    """2.2: caches further on may be meant too; Age tells them how old it is."""
    world(answer(cdn_cache_control="max-age=600", cache_control="max-age=1"))
    await world.ask()
    world.wait(30)
    reply = await world.ask()
    assert ("max-age=600", "max-age=1", "30") == (
        reply["cdn-cache-control"],
        reply["cache-control"],
        reply["age"],
    )
