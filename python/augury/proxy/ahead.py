"""Fetches of answers that nobody has asked for yet, as the cache decides: its loader.

An answer's name says what to ask the origin for: the target, the host, and the fields that the
answer varies by. Answers to a client's own fields (cookies, authorization) are never asked for.
"""

from augury.errors import NotFound
from augury.proxy.answers import PART, Kept
from augury.proxy.asked import Asked
from augury.proxy.fetching import Fetcher
from augury.proxy.flights import Alone, Coming

__all__ = ["asked_for", "fetch_ahead"]

#: Fields of somebody, not of everybody.
PERSONAL = frozenset({b"authorization", b"cookie"})


async def fetch_ahead(fetcher: Fetcher, name: str) -> Kept:
    """The answer of that name, from the origin.

    What is stored already is validated and stored anew; what is not is returned only, and the
    cache puts it aside.

    Raises:
        NotFound: There is none that can be stored.
        OriginFailed: There is no answer.
    """
    answers = fetcher.answers
    if name.endswith(PART) or answers.is_unstorable(name):
        raise NotFound(name)
    kept = answers.resident(name)
    asked = asked_for(name)
    if any(field in PERSONAL for field, _ in asked.fields):
        raise NotFound(name)
    flight = fetcher.flights.under_way(name)
    if flight is None:
        flight = fetcher.fly(asked, name, kept, stores=kept is not None)
        fetcher.counters.ahead += 1
    landing = await flight.landed()
    if isinstance(landing, Alone):
        raise NotFound(name)
    if isinstance(landing, Coming):
        await landing.ended()
        if not landing.is_complete:
            raise NotFound(name)
    brought = landing.kept
    if kept is None and answers.resident(name) is None:
        # What it varies by may have become known just now.
        if answers.name(asked) != name or (brought.vary and not name.count("\n")):
            raise NotFound(name)
        brought.is_ahead = True
    return brought


def asked_for(name: str) -> Asked:
    r"""The request whose answer has that name.

    >>> asked = asked_for("shop?x=1 example.org\naccept-encoding=gzip\nx-a-")
    >>> asked.target, asked.host, asked.fields
    (b'/shop?x=1', b'example.org', [(b'accept-encoding', b'gzip')])
    """
    place, *varied = name.split("\n")
    target, _, host = place.partition(" ")
    fields = []
    for part in varied:
        field, has_value, value = part.partition("=")
        if has_value:
            fields.append((field.encode("latin-1"), value.encode("latin-1")))
    return Asked(
        method="GET",
        host=host.encode("ascii"),
        target=b"/" + target.encode("ascii"),
        name=place,
        fields=fields,
        scheme="http",
        client="",
        has_body=False,
        length=None,
        wishes=None,
        is_lookup=True,
        has_conditions=False,
        byte_range=None,
        has_authorization=False,
    )
