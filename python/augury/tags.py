"""Tags by name, held weakly: a name whose last entry has gone is forgotten."""

import os
import threading
from collections.abc import Hashable
from weakref import WeakValueDictionary

from augury import _core

__all__ = ["Tags"]

#: Held while a name gets its tag; re-entrant, because hashing a name may run anything.
NAMING = threading.RLock()
os.register_at_fork(
    before=NAMING.acquire, after_in_parent=NAMING.release, after_in_child=NAMING.release
)


class Tags(WeakValueDictionary[Hashable, _core.Tag]):
    """The tags of a cache."""

    def named(self, name: Hashable) -> _core.Tag:
        """The tag of this name; the same for all who ask while somebody holds it."""
        with NAMING:
            known = self.get(name)
            if known is None:
                # Hashed once, before anything is looked up: what a hash runs cannot come between.
                known = self.setdefault(name, _core.Tag())
            return known
