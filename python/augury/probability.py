r"""How probable it is that a key is asked for, and that it should be cached.

**Access probability.** P(k, t) = f(k, t) / F(t): of the F(t) requests in the window that ends at t,
the share that went to key k. :func:`access_probability` takes counts; over a stream,
:class:`SlidingWindow` counts the last W requests and :class:`ExponentialDecay` lets a request of
one half-life ago count half, both in memory that does not grow.

**Caching probability.** alpha_k = min(1, c P_k), with c such that sum_k s_k alpha_k = C: room for C
is poured over the keys in proportion to P, and what would rise above 1 flows on to the others
(*water-filling*). :func:`caching_probability` does it for a capacity in entries or in bytes.

The worked example: of 900 requests, 100, 300 and 500 went to three keys, so P is 1/9, 3/9 and 5/9.

>>> from fractions import Fraction
>>> counts = {"a": Fraction(100), "b": Fraction(300), "c": Fraction(500)}
>>> P = access_probability(counts)
>>> [str(share) for share in P.values()]
['1/9', '1/3', '5/9']

With room for one object alpha equals P; with room for two it is 1/4, 3/4 and 1:

>>> caching_probability(P, 1) == P
True
>>> [str(alpha) for alpha in caching_probability(P, 2).values()]
['1/4', '3/4', '1']

Numbers other than fractions give floats:

>>> caching_probability({"a": 100, "b": 300, "c": 500}, 2)
{'a': 0.25, 'b': 0.75, 'c': 1.0}

And with sizes in bytes, the capacity is in bytes:

>>> sizes = {"a": 100, "b": 100, "c": 300}
>>> alpha = caching_probability({"a": 100, "b": 300, "c": 500}, 400, sizes)
>>> alpha, sum(sizes[key] * share for key, share in alpha.items())
({'a': 0.25, 'b': 0.75, 'c': 1.0}, 400.0)
"""

import math
from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
from typing import TypeVar, overload

from augury import _core
from augury.errors import CapacityError, ConfigError

__all__ = ["ExponentialDecay", "SlidingWindow", "access_probability", "caching_probability"]

K = TypeVar("K", bound=Hashable)
Key = str | bytes | int
Number = int | float | Fraction

UNITS = ("requests", "seconds")


@overload
def access_probability(counts: Mapping[K, Fraction]) -> dict[K, Fraction]: ...
@overload
def access_probability(counts: Mapping[K, float]) -> dict[K, float]: ...
def access_probability(counts: Mapping[K, Number]) -> Mapping[K, Number]:
    """P(k) = f(k) / F for counts f, the sum of which is F.

    Args:
        counts: Requests by key, 0 or more; decayed counts are welcome.

    Returns:
        Shares between 0 and 1 in the order of ``counts``, which sum to 1; all 0 where nothing was
        asked for. Fractions where all counts are, else floats.

    Raises:
        ConfigError: A count that is negative or no number.

    >>> access_probability({"a": 1, "b": 3})
    {'a': 0.25, 'b': 0.75}
    """
    weights = checked(counts, "count")
    total = summed(weights.values())
    return {key: weight / total if total else weight for key, weight in weights.items()}


@overload
def caching_probability(
    weights: Mapping[K, Fraction], capacity: int | Fraction, sizes: Mapping[K, int] | None = None
) -> dict[K, Fraction]: ...
@overload
def caching_probability(
    weights: Mapping[K, float], capacity: float, sizes: Mapping[K, float] | None = None
) -> dict[K, float]: ...
def caching_probability(
    weights: Mapping[K, Number], capacity: Number, sizes: Mapping[K, Number] | None = None
) -> Mapping[K, Number]:
    """alpha_k = min(1, c P_k) with sum_k s_k alpha_k = C, by water-filling.

    Args:
        weights: P by key, or counts: alpha does not change when all are multiplied.
        capacity: C, in entries, or in bytes where sizes are given; above 0.
        sizes: s in bytes by key, above 0; every key of ``weights`` needs one. None: all 1.

    Returns:
        alpha between 0 and 1 in the order of ``weights``; 0 for keys never asked for. Where all
        others fit at once, it is 1 for them, and the sum stays below C. Fractions where all
        weights are and the capacity is exact, else floats.

    Raises:
        CapacityError: A capacity that is not above 0.
        ConfigError: A weight that is negative or no number, a size that is missing or not above 0.

    Takes time O(n log n) for n keys. The idea is that of water-filling over parallel channels
    (Cover and Thomas, "Elements of Information Theory", section 9.4), levels being capped here.

    >>> caching_probability({"a": 8, "b": 1, "c": 1}, capacity=2)
    {'a': 1.0, 'b': 0.5, 'c': 0.5}
    >>> caching_probability({"a": 8, "b": 0}, capacity=2)
    {'a': 1.0, 'b': 0.0}
    """
    shares = checked(weights, "weight")
    if isinstance(capacity, bool) or not capacity > 0 or not math.isfinite(capacity):
        raise CapacityError(f"capacity {capacity!r}: expected a number of entries or bytes above 0")
    room: Number = Fraction(capacity) if exact(shares.values()) else float(capacity)
    taken = dict.fromkeys(shares, 1) if sizes is None else checked_sizes(shares, sizes)
    asked = sorted((key for key in shares if shares[key]), key=shares.__getitem__, reverse=True)
    # What the keys from each place on would take at c = 1, summed from the smallest up.
    below: list[Number] = [0]
    for key in reversed(asked):
        below.append(below[-1] + shares[key] * taken[key])
    alpha = {key: shares[key] * 0 for key in shares}
    for place, key in enumerate(asked):
        rest = below[len(asked) - place]
        # With c = room / rest the most probable key that is left would get c P.
        if shares[key] * room < rest:
            for other in asked[place:]:
                alpha[other] = min(shares[other] * room / rest, alpha_of_all(shares[other]))
            break
        alpha[key] = alpha_of_all(shares[key])
        room = max(room - taken[key], room * 0)
    return alpha


def alpha_of_all(share: Number) -> Number:
    """1, as a fraction or as a float."""
    return Fraction(1) if isinstance(share, Fraction) else 1.0


def exact(numbers: Iterable[Number]) -> bool:
    """Whether all are fractions."""
    return all(isinstance(number, Fraction) for number in numbers)


def summed(numbers: Iterable[Number]) -> Number:
    """The sum, without loss where all are fractions and to the last digit of floats."""
    listed = list(numbers)
    return sum(listed, Fraction(0)) if exact(listed) else math.fsum(listed)


def checked(numbers: Mapping[K, Number], name: str) -> dict[K, Number]:
    """The numbers, all fractions or all floats; none may be negative, infinite or no number."""
    for key, number in numbers.items():
        if not is_weight(number):
            raise ConfigError(f"{name} {number!r} of key {key!r}: expected a number, 0 or more")
    if exact(numbers.values()):
        return dict(numbers)
    return {key: float(number) for key, number in numbers.items()}


def is_weight(number: object) -> bool:
    """Whether this is a number from 0 that is not infinite."""
    return isinstance(number, int | float | Fraction) and 0 <= number < math.inf


def checked_sizes(shares: Mapping[K, Number], sizes: Mapping[K, Number]) -> Mapping[K, Number]:
    """The sizes of the keys."""
    for key in shares:
        size = sizes.get(key)
        if size is None or not 0 < size < math.inf:
            raise ConfigError(f"size {size!r} of key {key!r}: expected a number of bytes above 0")
    return sizes


class Stream:
    """What both kinds of counting share: the checks, the sketch's width, the answers."""

    def __init__(self, error: float, heavy_hitters: int) -> None:
        if not 1e-6 <= error <= 1:
            raise ConfigError(f"error {error!r}: expected a share from 0.000001 to 1")
        if not 1 <= heavy_hitters <= 2**20:
            raise ConfigError(f"heavy_hitters {heavy_hitters!r}: expected 1 to {2**20} keys")
        self._sketch_width = math.ceil(math.e / error)
        self.error = error
        self.heavy_hitters = heavy_hitters
        self._counts: _core.WindowFrequency | _core.DecayedFrequency

    def probability(self, key: Key) -> float:
        """P(k, t) now; 0.0 before the first request."""
        return self._counts.probability(key)

    def top(self, most: int | None = None) -> dict[Key, float]:
        """The most probable keys with their probabilities, the most probable first.

        May be handed to :func:`caching_probability`, which then shares out the room among them.
        """
        return dict(self._counts.heavy_hitters()[:most])

    @property
    def requests(self) -> float:
        """F(t): the requests that count, decayed where they decay."""
        return self._counts.requests

    @property
    def memory_bytes(self) -> int:
        """Bytes held, the keys' own contents apart."""
        return self._counts.memory_bytes

    @property
    def excess(self) -> tuple[float, float]:
        """By how much a probability is too high at most: always, and in 98% of all keys."""
        return 1 / self.heavy_hitters, min(self.error, 1 / self.heavy_hitters)


class SlidingWindow(Stream):
    """P(k, t) over the last ``width`` requests, in bounded memory.

    The window is cut into ``panes``, each counted by a count-min sketch with conservative update
    and a space-saving summary of ``heavy_hitters`` keys; the pane that lies half outside counts by
    the part inside. A probability is

    * too low by at most 1 / (4 ``panes``), from the pane half outside;
    * too high by at most as much and 1 / ``heavy_hitters``, always, or ``error``, for a key with
      probability 1 - exp(-4) = 0.98, whichever is less, both in relation to the panes' requests,
      at most 1 + 1 / ``panes`` of the window.

    Memory: (``panes`` + 1) x (32 x 2.72 / ``error``, rounded up to a power of two, + about 120 x
    ``heavy_hitters``) bytes, and the heavy hitters' keys; about 4 MB at the defaults. Work per
    request: four counters and one heap. The counting is done by the engine, in Rust.

    Args:
        width: W, in requests.
        panes: Parts of the window.
        error: Of the sketch, as a share of the requests.
        heavy_hitters: Keys that :meth:`top` can name, per pane.

    Raises ConfigError: a parameter out of its range, a key that is not str, bytes or an integer.
    Keys are told apart as in traces: 42, "42" and b"42" are one, and :meth:`top` has one of them.

    >>> window = SlidingWindow(width=900, panes=9)
    >>> for key, count in (("z", 400), ("a", 100), ("b", 300), ("c", 500)):
    ...     for _ in range(count):
    ...         window.record(key)
    >>> {key: round(share, 3) for key, share in window.top(3).items()}
    {'c': 0.556, 'b': 0.333, 'a': 0.111}
    """

    def __init__(
        self, width: int, *, panes: int = 16, error: float = 0.001, heavy_hitters: int = 1000
    ) -> None:
        super().__init__(error, heavy_hitters)
        if not 1 <= width < 2**63:
            raise ConfigError(f"width {width!r}: expected 1 or more requests")
        if not 1 <= panes <= 1024:
            raise ConfigError(f"panes {panes!r}: expected 1 to 1024")
        self.width = width
        self.panes = min(panes, width)
        self._window = _core.WindowFrequency(width, panes, self._sketch_width, heavy_hitters)
        self._counts = self._window

    def record(self, key: Key) -> None:
        """Count a request."""
        self._window.record(key)


class ExponentialDecay(Stream):
    """P(k, t) where a request of one half-life ago counts half, in bounded memory.

    One count-min sketch with conservative update and one space-saving summary over weights that
    grow with time (forward decay). A probability is never too low, and too high by at most
    1 / ``heavy_hitters``, always, or ``error``, for a key with probability 1 - exp(-4) = 0.98,
    whichever is less. Memory: 32 x 2.72 / ``error``, rounded up to a power of two, and about 120 x
    ``heavy_hitters`` bytes, and the heavy hitters' keys; about 0.25 MB at the defaults.

    Args:
        half_life: In ``unit``, above 0. The counts of all requests together approach
            1.44 x ``half_life`` where the unit is requests.
        unit: ``requests`` or ``seconds``.
        error: Of the sketch, as a share of the decayed requests.
        heavy_hitters: Keys that :meth:`top` can name.

    Raises ConfigError: a parameter out of its range, a key that is not str, bytes or an integer, a
    time that is missing, not finite or not wanted.

    >>> decay = ExponentialDecay(half_life=60, unit="seconds")
    >>> decay.record("old", time=0.0)
    >>> decay.record("new", time=60.0)
    >>> decay.requests, round(decay.probability("new"), 3), round(decay.probability("old"), 3)
    (1.5, 0.667, 0.333)
    """

    def __init__(
        self,
        half_life: float,
        unit: str = "requests",
        *,
        error: float = 0.001,
        heavy_hitters: int = 1000,
    ) -> None:
        super().__init__(error, heavy_hitters)
        if not 0 < half_life < math.inf:
            raise ConfigError(f"half_life {half_life!r}: expected a number above 0")
        if unit not in UNITS:
            raise ConfigError(f"unit {unit!r}: expected one of {', '.join(UNITS)}")
        self.half_life = half_life
        self.unit = unit
        self._decayed = _core.DecayedFrequency(half_life, self._sketch_width, heavy_hitters)
        self._counts = self._decayed
        self._seen = 0

    def record(self, key: Key, time: float | None = None) -> None:
        """Count a request; ``time`` in seconds where the half-life is.

        A time before the latest counts as the latest.
        """
        if self.unit == "seconds":
            if time is None or not math.isfinite(time):
                raise ConfigError(f"time {time!r}: expected seconds, as the half-life is")
        elif time is not None:
            raise ConfigError(f"time {time!r}: the half-life is in requests, so give none")
        self._decayed.record(key, float(self._seen) if time is None else float(time))
        self._seen += 1
