"""Whether and how a replay prefetches."""

from dataclasses import dataclass
from difflib import get_close_matches

from augury import _core
from augury.artifacts import read_sequence
from augury.errors import ConfigError

__all__ = ["DEFAULT_BUDGET", "DEFAULT_PREFETCHER", "Prefetch", "read_prefetch"]

LEARNED_PREFIX = "learned:"

#: Requests to the origin that prefetch may add, as a share of those without it.
DEFAULT_BUDGET = 0.10
MOST_BUDGET = 10.0
DEFAULT_PREFETCHER = _core.prefetchers()[0]


@dataclass(frozen=True, slots=True)
class Prefetch:
    """A budget, as a share of the requests to the origin without prefetch, and who predicts."""

    budget: float
    #: A name, or ``learned:PATH``.
    predictor: str

    def load(self) -> "tuple[float, str | _core.Sequence]":
        """As the engine takes it, a saved model read from its file.

        Raises :class:`~augury.ArtifactError` where that cannot be used.
        """
        path = self.predictor.removeprefix(LEARNED_PREFIX)
        return self.budget, self.predictor if path == self.predictor else read_sequence(path)


def read_prefetch(asked: bool | float | str | None, predictor: str | None) -> Prefetch | None:
    """How to prefetch: ``True`` for the default budget, or a share, or a text with either.

    Raises :class:`~augury.ConfigError` for what is no budget and for an unknown predictor, and
    :class:`~augury.ArtifactError` where the saved model of ``learned:PATH`` cannot be used.

    >>> read_prefetch(True, None)
    Prefetch(budget=0.1, predictor='successor')
    >>> read_prefetch("50%", "mithril").budget
    0.5
    >>> read_prefetch(None, None)
    """
    known = _core.prefetchers()
    is_learned = predictor is not None and predictor.startswith(LEARNED_PREFIX)
    if predictor is not None and not is_learned and predictor not in known:
        close = get_close_matches(predictor, known, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else "."
        raise ConfigError(
            f"no prefetcher is called {predictor!r}{meant} The prefetchers are {', '.join(known)}, "
            "and learned:PATH of a saved sequence model"
        )
    if asked is None or asked is False:
        if predictor is not None:
            raise ConfigError(f"prefetcher {predictor!r} does nothing without prefetch: turn it on")
        return None
    budget = DEFAULT_BUDGET if asked is True else read_budget(asked)
    prefetch = Prefetch(budget, predictor or DEFAULT_PREFETCHER)
    prefetch.load()
    return prefetch


def read_budget(asked: float | str) -> float:
    """A share from a number, or from a text that may end in ``%``."""
    text = str(asked).strip()
    try:
        budget = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        budget = float("nan")
    if not 0 <= budget <= MOST_BUDGET:
        raise ConfigError(
            f"prefetch budget {asked!r} is not a share from 0 to {MOST_BUDGET:g} of the requests "
            "to the origin: write 0.1 or 10% for a tenth more"
        )
    return budget
