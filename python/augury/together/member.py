"""The thread of a cache that learns together: it tells, hears, and merges where it is elected.

One *round* is: take over what is agreed, tell what this cache has seen, and, as the elected
trainer, merge what all have told. The work of a round is bounded: by the objects that are told of,
by 65,536 reads that are looked back at, and by 64 MB of what others have told. Whatever goes wrong
is a reason in the statistics; the cache goes on alone, and the next round tries again.
"""

import random
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress

from augury import _core
from augury.errors import ArtifactError, PersistenceError
from augury.together.channel import ChannelError
from augury.together.group import Group

__all__ = ["Counts", "Member"]

#: Looks at what was read, in one round: more are read than are noted otherwise.
LOOKS = 8
#: Share by which a round comes earlier or later, so that members do not come all at once.
JITTER = 0.1


class Counts:
    """What a member has done."""

    __slots__ = (
        "agreed",
        "failures",
        "heard",
        "known",
        "members",
        "published",
        "refused",
        "rounds",
        "stale",
        "token",
        "told",
        "trouble",
        "warm",
    )  # fmt: skip

    def __init__(self) -> None:
        self.rounds = self.told = self.heard = self.published = self.refused = self.stale = 0
        self.failures = self.token = self.members = self.agreed = self.known = 0
        self.warm = False
        self.trouble = ""


class Member:
    """See the module's head.

    Args:
        cache: That learns; when nobody else holds it any more, the thread ends.
        group: Where it tells and hears.
        most: Objects that are agreed on.
        every: Seconds between rounds.
    """

    def __init__(self, cache: _core.Cache, group: Group, most: int, every: float) -> None:
        self._cache = weakref.ref(cache)
        self.group = group
        self.counts = Counts()
        self._most, self._every = most, every
        self._version = b""
        self._reads = -1
        self._turn = threading.Lock()
        #: Held while the engine works without the interpreter's lock: nobody may fork meanwhile.
        self.working = threading.Lock()
        self._stopped = threading.Event()
        #: Set when the first round is over, whatever came of it.
        self.began = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin with rounds of its own."""
        self._thread = threading.Thread(target=self._run, name="augury-together", daemon=True)
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Make no further rounds, and let another one be elected."""
        self._stopped.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)
        if self._turn.acquire(timeout=seconds):
            try:
                with suppress(ChannelError):
                    self.group.resign()
                self.group.close()
            finally:
                self._turn.release()

    def round(self) -> bool:
        """One round, now; whether all of it went well."""
        cache = self._cache()
        if cache is None:
            self._stopped.set()
            return False
        with self._turn:
            counts = self.counts
            counts.rounds += 1
            try:
                counts.trouble = ""
                for step in (self._hear, self._tell, self._merge):
                    step(cache)
            except ChannelError as error:
                counts.failures += 1
                self._trouble(str(error))
            finally:
                self.began.set()
            return not counts.trouble

    def _trouble(self, why: str) -> None:
        self.counts.trouble = why[:200]

    def _hear(self, cache: _core.Cache) -> None:
        counts = self.counts
        agreed = self.group.hear(self._version)
        if agreed is None:
            return
        # Read once, sound or not: it is not asked for again.
        self._version = agreed.version
        try:
            with self.working:
                is_new = not len(cache) and not cache.look_back()
                token, counts.members, _, _ = _core.read_told(agreed.data)
                counts.agreed, counts.known = cache.hear(agreed.data)
        except (ArtifactError, PersistenceError) as error:
            counts.refused += 1
            self._trouble(f"what is agreed was refused: {error}")
            return
        counts.token = token
        counts.heard += 1
        counts.warm = counts.warm or is_new

    def _tell(self, cache: _core.Cache) -> None:
        with self.working:
            reads = cache.look_back()
            told = cache.tell() if reads != self._reads else None
        if told is not None:
            self.group.tell(told)
            self._reads = reads
            self.counts.told += 1

    def _merge(self, _cache: _core.Cache) -> None:
        if not self.group.lead():
            return
        counts, told = self.counts, self.group.told()
        merged, refused = _core.merge_told(told, self._most, self.group.token)
        counts.refused += refused
        if len(told) == refused:
            return
        if self.group.publish(merged):
            counts.published += 1
        else:
            counts.stale += 1

    def _run(self) -> None:
        wait: Callable[[float], bool] = self._stopped.wait
        while not self._stopped.is_set():
            self.round()
            part = self._every * random.uniform(1 - JITTER, 1 + JITTER) / LOOKS
            for _ in range(LOOKS):
                if wait(part):
                    return
                cache = self._cache()
                if cache is None:
                    return
                with self.working:
                    cache.look_back()
                del cache
