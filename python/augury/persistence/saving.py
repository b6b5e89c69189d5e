"""From a cache to a file."""

import os
import time
from collections.abc import Hashable
from typing import Any
from weakref import WeakValueDictionary

from augury import _core
from augury.persistence.container import Target
from augury.persistence.entries import Head, More, write_head
from augury.persistence.header import Header
from augury.persistence.serializer import Serializer, encoded, name_of, resolve

__all__ = ["save"]


def save(
    cache: _core.Cache,
    path: str | os.PathLike[str],
    serializer: Serializer | None,
    *,
    unit: str,
    options: dict[str, Any],
    model: bytes | None,
    tags: WeakValueDictionary[Hashable, _core.Tag],
) -> int:
    """Write the file and return how many entries it holds; see :meth:`augury.Cache.save`.

    ``unit`` and ``options`` are what the cache was made with, ``model`` the file of the trained one
    that is loaded, ``tags`` its tags by their names.
    """
    chosen = resolve(serializer)
    # Everything as it is at one instant: what happens to the cache from here on is not saved.
    memories, entries = cache.export()
    known = [(tag, ref.key) for ref in tags.valuerefs() if (tag := ref()) is not None]
    places = {id(tag): place for place, (tag, _) in enumerate(known)}
    header = Header(
        unit=unit,
        capacity=cache.capacity,
        options=options,
        serializer=name_of(chosen),
        saved_at=time.time(),
        ticks=[tick for tick, _ in memories],
        learned=[learned is not None for _, learned in memories],
        has_model=model is not None,
        tags=len(known),
        entries=len(entries),
    )
    with Target(path) as target:
        target.block(header.to_bytes())
        for _, learned in memories:
            if learned is not None:
                target.block(learned)
        if model is not None:
            target.block(model)
        for _, name in known:
            target.block(encoded(chosen, "tag", name, name))
        for key, value, size, is_pinned, left, history, extra in entries:
            more = None
            if extra is not None:
                fresh, served, idle, load_seconds, own = extra
                # One of two made at once under one name has none.
                named = tuple(places[id(tag)] for tag in own if id(tag) in places)
                more = More(fresh, served, idle, load_seconds, named)
            write_head(target, Head(size, is_pinned, left, history, more))
            target.block(encoded(chosen, "key", key, key))
            target.block(encoded(chosen, "value", key, value))
    return len(entries)
