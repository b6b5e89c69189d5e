"""From what a cache had to fetch to the tensors of a sequence model.

Two tables: of the objects themselves, and of the distances between their integer keys, which also
speak of keys never seen. Both follow sessions; what has none is one session.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from augury.learn.sequences.counting import AHEAD, ORDER, Grams, count, first_rows

__all__ = ["Demands", "tensors_of"]

Array = npt.NDArray[np.generic]
Numbers = npt.NDArray[np.int64]
#: Continuations of objects and of distances, and distances told apart, at most.
OBJECT_GRAMS = 1 << 17
STEP_GRAMS = 1 << 14
DISTANCES = 4_096


@dataclass(frozen=True, slots=True)
class Demands:
    """What a cache had to fetch, in order; all of shape (demands,)."""

    keys: npt.NDArray[np.uint64]
    sizes: npt.NDArray[np.uint32]
    namespaces: npt.NDArray[np.uint16]
    sessions: npt.NDArray[np.uint32]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.keys)

    def by_session(self) -> "Demands":
        """The same, session by session."""
        order = np.argsort(self.sessions, kind="stable")
        return Demands(
            self.keys[order], self.sizes[order], self.namespaces[order], self.sessions[order]
        )


def tensors_of(demands: Demands) -> dict[str, Array]:
    """The tensors of a model of these demands, as the engine reads them.

    >>> import numpy as np
    >>> from augury.learn.sequences.tables import Demands, tensors_of
    >>> keys = np.tile(np.array([7, 900, 31], np.uint64), 100)
    >>> same = np.ones(300, np.uint32)
    >>> found = tensors_of(Demands(keys, same, same.astype(np.uint16), 0 * same))
    >>> found["keys"]
    array([  7,  31, 900], dtype=uint64)
    """
    demands = demands.by_session()
    keys, sessions = demands.keys, demands.sessions
    values, last_first, tokens = np.unique(keys[::-1], return_index=True, return_inverse=True)
    tokens = tokens.reshape(-1)[::-1].astype(np.int64) + 1
    past = [tokens, *(earlier(tokens, sessions, lag) for lag in range(1, ORDER))]
    coming = [later(tokens, sessions, lag) for lag in range(1, AHEAD + 1)]
    objects = count(past, each_once(tokens, coming), OBJECT_GRAMS)
    used = np.union1d(objects.contexts, objects.following)
    used = used[used > 0]
    last = len(keys) - 1 - last_first[used - 1]
    tensors: dict[str, Array] = {
        "keys": values[used - 1],
        "sizes": demands.sizes[last].astype("<u4"),
        "namespaces": demands.namespaces[last].astype("<u2"),
    }
    tensors |= named("objects", objects, used)
    distances, steps = steps_of(keys, sessions)
    used = np.union1d(steps.contexts, steps.following)
    used = used[used > 0]
    tensors["distances"] = distances[used - 1]
    return tensors | named("steps", steps, used)


def steps_of(keys: npt.NDArray[np.uint64], sessions: Array) -> tuple[Numbers, Grams]:
    """The distances that are frequent, in ascending order, and what follows which step."""
    number = keys.view(np.int64)
    before = earlier(number, sessions, 1)
    is_step = is_same(sessions, 1)
    step = np.where(is_step, number - before, 0)
    coming = [
        np.where(is_same(sessions, lag, ahead=True), shifted(number, -lag) - number, 0)
        for lag in range(1, AHEAD + 1)
    ]
    seen = np.concatenate([step, *coming])
    distances, times = np.unique(seen[seen != 0], return_counts=True)
    frequent = np.sort(np.argsort(-times, kind="stable")[:DISTANCES])
    distances = distances[frequent]
    tokens = token_of(step, distances)
    past = [tokens, *(earlier(tokens, sessions, lag) for lag in range(1, ORDER))]
    following = [token_of(distance, distances) for distance in coming]
    return distances, count(past, each_once(np.zeros_like(tokens), following), STEP_GRAMS)


def token_of(values: Numbers, vocabulary: Numbers) -> Numbers:
    """The place of each value in the vocabulary, from 1 on; 0 where it is not in it."""
    if not len(vocabulary):
        return np.zeros(len(values), np.int64)
    at = np.minimum(np.searchsorted(vocabulary, values), len(vocabulary) - 1)
    return np.where((vocabulary[at] == values) & (values != 0), at + 1, 0)


def shifted(values: Array, by: int) -> Numbers:
    """The values moved towards the end, or the beginning where negative; 0 for what moves in."""
    moved = np.zeros(len(values), np.int64)
    if by >= 0:
        moved[by:] = values[: len(values) - by]
    else:
        moved[:by] = values[-by:]
    return moved


def is_same(sessions: Array, lag: int, *, ahead: bool = False) -> npt.NDArray[np.bool_]:
    """Whether what was ``lag`` demands before, or comes after, is of the same session."""
    same = np.zeros(len(sessions), bool)
    equal = sessions[lag:] == sessions[: max(len(sessions) - lag, 0)]
    if ahead:
        same[: len(equal)] = equal
    else:
        same[len(sessions) - len(equal) :] = equal
    return same


def earlier(tokens: Array, sessions: Array, lag: int) -> Numbers:
    """What the same session asked for ``lag`` demands before, else 0."""
    return np.where(is_same(sessions, lag), shifted(tokens, min(lag, len(tokens))), 0)


def later(tokens: Array, sessions: Array, lag: int) -> Numbers:
    """What the same session asks for ``lag`` demands after, else 0."""
    return np.where(is_same(sessions, lag, ahead=True), shifted(tokens, -lag), 0)


def each_once(own: Numbers, coming: list[Numbers]) -> list[Numbers]:
    """What comes, without what is asked for now or has come before."""
    told = [own]
    for tokens in coming:
        is_told = np.any([tokens == one for one in told], axis=0)
        told.append(np.where(is_told, 0, tokens))
    return told[1:]


def named(name: str, grams: Grams, used: Numbers) -> dict[str, Array]:
    """A table's tensors, its tokens those of the vocabulary that is left."""
    fresh = np.zeros(int(used.max(initial=0)) + 1, np.int64)
    fresh[used] = np.arange(1, len(used) + 1)
    # The vocabulary is in ascending order before and after, so rows stay sorted.
    first = first_rows(grams)
    return {
        f"{name}.contexts": fresh[grams.contexts[first]].astype("<u4"),
        f"{name}.starts": np.r_[first, len(grams)].astype("<u4"),
        f"{name}.next": fresh[grams.following].astype("<u4"),
        f"{name}.chance": grams.chances.astype("<f4"),
    }
