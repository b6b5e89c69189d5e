"""Counting what came after the latest tokens: the tables of a sequence model.

Chances are drawn to those of shorter contexts after MacKay and Bauman Peto, "A hierarchical
Dirichlet language model" (Natural Language Engineering 1, 1995): what the context without its
oldest token says counts as much as :data:`PRIOR` occurrences. What a shorter context says about as
well is left out, after Stolcke, "Entropy-based pruning of backoff language models" (1998), here by
the difference of the chances.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["AHEAD", "ORDER", "Grams", "count", "first_rows"]

Tokens = npt.NDArray[np.int64]
#: Tokens of the longest context; the engine's tables have as many.
ORDER = 3
#: What comes within so many demands counts as coming next.
AHEAD = 4
#: Continuations seen less often, or of a smaller chance, are chance.
LEAST_COUNT = 2
LEAST_CHANCE = 1 / 32
#: Occurrences that the shorter context's word is worth.
PRIOR = 2.0
#: By so much a continuation must differ from what the shorter context says of it.
LEAST_DIFFERENCE = 1 / 16
#: Continuations of one context.
KEPT = 4


@dataclass(frozen=True, slots=True)
class Grams:
    """What came after which context: a row per continuation, all of shape (rows,) but contexts.

    Rows are sorted by context, then by chance, the most likely first.
    """

    #: The latest token first, 0 where there is none; of shape (rows, ORDER).
    contexts: Tokens
    following: Tokens
    chances: npt.NDArray[np.float64]
    #: How often it was seen.
    counts: Tokens

    def __len__(self) -> int:
        """Continuations in all."""
        return len(self.following)

    def taken(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "Grams":
        """These rows."""
        return Grams(
            self.contexts[rows], self.following[rows], self.chances[rows], self.counts[rows]
        )


def count(past: Sequence[Tokens], following: Sequence[Tokens], most: int) -> Grams:
    """The tables of a sequence.

    Args:
        past: For each place the latest token, the one before it and so on, :data:`ORDER` arrays
            of shape (places,); 0 for what is unknown.
        following: For each place what came next, one array for each of the next few; 0 for
            nothing.
        most: Continuations to keep; those seen most often.

    >>> from augury.learn.sequences.counting import count
    >>> import numpy as np
    >>> sequence = np.array([1, 2, 3] * 50)
    >>> before = [np.concatenate([np.zeros(n, int), sequence[:-n]]) for n in (1, 2)]
    >>> found = count([sequence, *before], [np.append(sequence[1:], 0)], most=100)
    >>> is_after_one = found.contexts[:, 0] == 1
    >>> found.following[is_after_one]
    array([2])
    """
    places = len(past[0])
    size = 1 + max((int(tokens.max(initial=0)) for tokens in following), default=0)
    target = np.concatenate([np.zeros(0, np.int64), *following])
    number = np.zeros(places, np.int64)
    is_known = np.ones(places, bool)
    shorter: tuple[Tokens, npt.NDArray[np.float64]] | None = None
    found: list[Grams] = []
    for order in range(ORDER + 1):
        parent = number
        if order:
            is_known = is_known & (past[order - 1] > 0)
            number = numbered(parent, past[order - 1])
        seen = np.bincount(number[is_known], minlength=int(number.max(initial=0)) + 1)
        is_gram = np.tile(is_known, len(following)) & (target > 0)
        codes = np.tile(number, len(following))[is_gram] * size + target[is_gram]
        unique, first, counts = np.unique(codes, return_index=True, return_counts=True)
        place = np.flatnonzero(is_gram)[first] % max(places, 1)
        context, token = unique // size, unique % size
        below = np.zeros(len(unique))
        if shorter is not None:
            known, chances = shorter
            below = chances[np.searchsorted(known, parent[place] * size + token)]
        chance = (counts + PRIOR * below) / (seen[context] + PRIOR)
        shorter = (unique, chance)
        contexts = np.zeros((len(unique), ORDER), np.int64)
        for lag in range(order):
            contexts[:, lag] = past[lag][place]
        is_worth_it = (counts >= LEAST_COUNT) & (chance >= LEAST_CHANCE)
        is_news = np.abs(chance - below) >= LEAST_DIFFERENCE
        grams = Grams(contexts, token, np.minimum(chance, 1.0), counts)
        found.append(grams.taken(is_worth_it & (is_news | (order == 0))))
    return bounded(joined(found), most)


def numbered(parent: Tokens, token: Tokens) -> Tokens:
    """Each pair as a number from 0 on."""
    pairs = parent * (int(token.max(initial=0)) + 1) + token
    numbers: Tokens = np.unique(pairs, return_inverse=True)[1].reshape(-1)
    return numbers


def joined(parts: Sequence[Grams]) -> Grams:
    """The rows of all."""
    return Grams(
        np.concatenate([part.contexts for part in parts]),
        np.concatenate([part.following for part in parts]),
        np.concatenate([part.chances for part in parts]),
        np.concatenate([part.counts for part in parts]),
    )


def bounded(grams: Grams, most: int) -> Grams:
    """The most likely continuations of each context, and of those the ones seen most often."""
    grams = in_order(grams)
    starts = first_rows(grams)
    first = np.repeat(starts, np.diff(np.r_[starts, len(grams)]))
    grams = grams.taken(np.arange(len(grams)) - first < KEPT)
    if len(grams) > most:
        often = np.argsort(-grams.counts, kind="stable")[:most]
        grams = grams.taken(np.sort(often))
    return grams


def in_order(grams: Grams) -> Grams:
    """The rows sorted by context, then the most likely first."""
    columns = [grams.contexts[:, lag] for lag in reversed(range(ORDER))]
    return grams.taken(np.lexsort([grams.following, -grams.chances, *columns]))


def first_rows(grams: Grams) -> Tokens:
    """The first row of each context."""
    is_first = np.ones(len(grams), bool)
    is_first[1:] = np.any(grams.contexts[1:] != grams.contexts[:-1], axis=1)
    return np.flatnonzero(is_first)
