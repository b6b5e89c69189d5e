"""Groups of answers that are invalidated together (RFC 9875), as structured fields.

    Cache-Groups: "product-7", "shelf-3"                 of an answer that is stored
    Cache-Group-Invalidation: "product-7"                of an answer to a write

It knows fields and nothing of what is stored.
"""

import http_sf

from augury.proxy.fields import Fields, joined

__all__ = ["MOST_GROUPS", "groups_in", "groups_of", "invalidated_by"]

#: Groups of one answer, and characters of a name: what a cache has to support at least.
MOST_GROUPS = 32
LONGEST_NAME = 32


def groups_of(fields: Fields) -> tuple[str, ...]:
    """The tags of the groups that an answer is in."""
    return tuple(f"group {name}" for name in groups_in(joined(fields, b"cache-groups")))


def invalidated_by(fields: Fields) -> tuple[str, ...]:
    """The groups that an answer to an unsafe request invalidates."""
    return groups_in(joined(fields, b"cache-group-invalidation"))


def groups_in(text: str | None) -> tuple[str, ...]:
    """The names in a list of strings; none where it is no such list.

    >>> groups_in('"a", "b";x=1'), groups_in("a b")
    (('a', 'b'), ())
    """
    if text is None:
        return ()
    try:
        parsed = http_sf.parse(text.encode("latin-1"), tltype="list")
    except ValueError:
        return ()
    items = parsed if isinstance(parsed, list) else []
    found = [item[0] if isinstance(item, tuple) else item for item in items]
    names = [name for name in found if type(name) is str and len(name) <= LONGEST_NAME]
    return tuple(dict.fromkeys(names))[:MOST_GROUPS]
