"""How long an answer is fresh and how old it is: RFC 9111, 4.2, 5.1, 5.2.2 and 5.3; RFC 9213."""

import pytest

from world import World, answer, played

DAY = 86_400


async def is_reused(world: World, after: float, **fields: str | list[str]) -> bool:
    """Whether an answer with these fields is served again after so many seconds, unasked."""
    world(answer(**fields), answer(b"other"))
    await world.ask("/thing")
    world.wait(after)
    await world.ask("/thing")
    return len(world.log) == 1


@pytest.mark.parametrize(
    ("control", "fresh", "stale"),
    [
        ("max-age=60", 59, 61),
        ("MaX-aGe=60", 59, 61),
        ('max-age="60"', 59, 61),
        ("max-age=060", 59, 61),
        ("foobar, max-age=60", 59, 61),
        ("max-age=60, s-maxage=10", 9, 11),
        ("s-maxage=10, max-age=1", 9, 11),
        ("max-age=99999999999", 30 * DAY, 2**31 + 1),
        ('x="max-age=1, max-age=2", max-age=60', 59, 61),
        ('max-age=10, x="max-age=60"', 9, 11),
        ("max-age=10, max-age=60", 9, 11),
        ("max-age=60, immutable", 59, 61),
    ],
)  # fmt: skip
def test_directives_say_how_long(control: str, fresh: float, stale: float) -> None:
    """5.2.2.1, 5.2.2.10, 1.2.2: in any case, quoted too, the first of several."""

    @played()
    async def at(world: World, after: float, expected: bool) -> None:
        assert expected is await is_reused(world, after, cache_control=control)

    at(after=fresh, expected=True)
    at(after=stale, expected=False)


@pytest.mark.parametrize(
    "control",
    [
        "max-age=0", "max-age=a60", "max-age=60a", "max-age=-60", "max-age='60'", "max-age=60.0",
        "max-age =60", "max-age= 60", "max-age", "max-age=",
    ],
)  # fmt: skip
@played()
async def test_what_is_no_number_is_no_freshness(world: World, control: str) -> None:
    """4.2.1: an answer with invalid freshness is stale."""
    assert not await is_reused(world, 0, cache_control=control)


@pytest.mark.parametrize(
    "expires",
    [
        "Tue, 19 Jan 2038 14:14:08 GMT", "Sun, 21 Nov 2286 04:46:39 GMT",
        "Thursday, 18-Aug-50 02:01:18 GMT", "Thu Aug  8 02:01:18 2050",
        "THU, 18 Aug 2050 02:01:18 GMT", "Thu, 18 AUG 2050 02:01:18 gmt",
    ],
)  # fmt: skip
@played()
async def test_expires_says_when(world: World, expires: str) -> None:
    """5.3, RFC 9110 5.6.7: in each of the three forms of a date, in any case."""
    assert await is_reused(world, 60, expires=expires)


@pytest.mark.parametrize(
    "expires",
    [
        "0", "-1", "", "Thu, 18 Aug 2050 02:01:18 UTC", "Thu, 18 Aug 2050 02:01:18 AEST",
        "Thu, 18 Aug 50 02:01:18 GMT", "Thu 18 Aug 2050 02:01:18 GMT",
        "Thu, 18  Aug  2050 02:01:18 GMT", "Thu, 18-Aug-2050 02:01:18 GMT",
        "Thu, 18 Aug 2050 02.01.18 GMT", "Thu, 18 Aug 2050 2:01:18 GMT",
        "Thu, 32 Aug 2050 02:01:18 GMT", "Thu, 18 Xyz 2050 02:01:18 GMT",
        "Thu, 18 Aug 2050 24:01:18 GMT", "Sun, 06 Nov 1994 08:49:37 GMT",
    ],
)  # fmt: skip
@played()
async def test_what_is_no_date_is_past(world: World, expires: str) -> None:
    """5.3: an invalid Expires, and 0, mean that the answer has expired."""
    assert not await is_reused(world, 0, expires=expires)


@played()
async def test_several_expires_are_none(world: World) -> None:
    """5.3: two of them are no date."""
    assert not await is_reused(world, 0, expires=[world.date(900), world.date(901)])


@pytest.mark.parametrize(("control", "expected"), [("max-age=60", True), ("max-age=0", False)])
@played()
async def test_max_age_goes_before_expires(world: World, control: str, expected: bool) -> None:
    """5.2.2.1: whatever Expires says, past, future or nonsense."""
    expires = world.date(-900) if expected else world.date(900)
    assert expected is await is_reused(world, 30, cache_control=control, expires=expires)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        ("30", True), ("60", False), ("7200", False), ("2147483648", False), ("abc", True),
        ("-7200", True), ("7200.0", True), ("7200, 0", False), ("0, 7200", True), ("0, 0", True),
    ],
)  # fmt: skip
@played()
async def test_age_is_counted(world: World, age: str, expected: bool) -> None:
    """5.1, 4.2.3: the first value of Age, if it is a number."""
    assert expected is await is_reused(world, 0, cache_control="max-age=60", age=age)


@pytest.mark.parametrize(("lines", "expected"), [(["7200", "0"], False), (["0", "7200"], True)])
@played()
async def test_the_first_age_line_counts(world: World, lines: list[str], expected: bool) -> None:
    """5.1: of several lines too."""
    assert expected is await is_reused(world, 0, cache_control="max-age=60", age=lines)


@played()
async def test_an_old_date_is_an_age(world: World) -> None:
    """4.2.3: what was made an hour ago is an hour old, whatever Age says."""
    fields = {"cache_control": "max-age=600", "date": world.date(-3600)}
    assert not await is_reused(world, 0, **fields)


@played()
async def test_the_time_on_the_way_is_an_age(world: World) -> None:
    """4.2.3: an answer that took four seconds is four seconds old."""

    def slow(_: object) -> object:
        made = world.date()
        world.wait(4)
        return answer(cache_control="max-age=60", date=made)

    world.origin.script = slow
    assert "4" == (await world.ask())["age"]
    assert "4" == (await world.ask())["age"]


@played()
async def test_age_is_sent_and_grows(world: World) -> None:
    """4, 5.1: a stored answer comes with its age, and with the Date it had."""
    world(answer(cache_control="max-age=600", age="30"))
    first = await world.ask()
    world.wait(5)
    second = await world.ask()
    assert ("30", "35") == (first["age"], second["age"])
    assert first["date"] == second["date"] == world.date(-5)


@played()
async def test_expires_is_left_alone(world: World) -> None:
    """5.3: as the origin sent it."""
    when = world.date(900)
    world(answer(expires=when))
    await world.ask()
    assert when == (await world.ask())["expires"]


@pytest.mark.parametrize("status", [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])
@played()
async def test_freshness_is_guessed(world: World, status: int) -> None:
    """4.2.2, RFC 9110 15.1: a tenth of the time since the last change, for these statuses."""
    changed = world.date(-1000)
    world(answer(status=status, last_modified=changed), answer(b"other"))
    await world.ask()
    world.wait(99)
    assert (await world.ask()).is_hit
    world.wait(2)
    assert not (await world.ask()).is_hit


@pytest.mark.parametrize("status", [201, 202, 302, 307, 403, 500, 502, 503, 504, 599])
@played()
async def test_freshness_is_not_guessed_for_others(world: World, status: int) -> None:
    """4.2.2: unless they are public."""
    changed = world.date(-DAY)
    world(answer(status=status, last_modified=changed))
    await world.ask("/a")
    assert not (await world.ask("/a")).is_hit
    world(answer(status=status, last_modified=changed, cache_control="public"))
    await world.ask("/b")
    assert (await world.ask("/b")).is_hit


@played(heuristic_max=10.0)
async def test_guesses_are_bounded(world: World) -> None:
    """By the setting."""
    assert not await is_reused(world, 11, last_modified=world.date(-DAY))


@played()
async def test_nothing_said_is_nothing_reused(world: World) -> None:
    """4.2.2: without a word about freshness or change nothing is guessed."""
    assert not await is_reused(world, 0)


@pytest.mark.parametrize(
    ("status", "is_stored"),
    [(status, True) for status in (200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410,
                                   499, 500, 502, 503, 504, 599)] + [(206, False), (304, False)],
)  # fmt: skip
@played()
async def test_any_final_status_may_be_stored(world: World, status: int, is_stored: bool) -> None:
    """3: with explicit freshness, but for parts and for what only the asker understands."""
    world(answer(status=status, cache_control="max-age=60"))
    first = await world.ask()
    second = await world.ask()
    assert (status, status, is_stored) == (first.status, second.status, second.is_hit)
    assert first.body == second.body
    world.wait(61)
    assert not (await world.ask()).is_hit
