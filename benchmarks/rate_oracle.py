"""A bound for the daily workload: evict and admit by every object's true rate at every hour.

Draws requests of the distribution of ``synthetic:daily`` and replays them under the best that can
be done without knowing which request comes next: an object's worth is the most reuses per request
of residence, the chance to be asked for in its next hour over the wait for it. Nothing can be
learned that this does not know from the first request on; what it leaves, only fetching ahead can
get.
"""

import numpy as np
import numpy.typing as npt

HOURS = 24
SHARE = 0.7
ALPHA = 0.9
OBJECTS = 100_000
#: Requests of an hour.
HOUR = 9_000.0
#: Residents that an eviction looks at, drawn at random.
LOOKS = 200

Array = npt.NDArray[np.float64]


def popularity(objects: int) -> Array:
    """Probabilities by rank."""
    weights = np.arange(1, objects + 1, dtype=np.float64) ** -ALPHA
    return np.asarray(weights / weights.sum())


def worth(rates: Array, hours: npt.NDArray[np.int64], now: int) -> Array:
    """Reuses per request of residence, of objects with these rates; hour -1 is all day."""
    ahead = (hours - now / HOUR) % HOURS
    is_now = ahead > HOURS - 1
    waited = (1 - np.exp(-rates * HOUR)) / (ahead * HOUR + 1 / rates)
    return np.where(is_now | (hours < 0), rates, waited)


def draw(requests: int, seed: int) -> tuple[npt.NDArray[np.int64], Array, npt.NDArray[np.int64]]:
    """Object of each request; rate and hour of each object."""
    random = np.random.default_rng(seed)
    each = OBJECTS // HOURS
    all_day, hourly = popularity(OBJECTS), popularity(each)
    hour = (np.arange(requests) // HOUR % HOURS).astype(np.int64)
    common = np.searchsorted(np.cumsum(all_day), random.random(requests)).clip(0, OBJECTS - 1)
    favourite = np.searchsorted(np.cumsum(hourly), random.random(requests)).clip(0, each - 1)
    is_favourite = random.random(requests) < SHARE
    ids = np.where(is_favourite, OBJECTS + hour * each + favourite, common)
    rates = np.concatenate([all_day * (1 - SHARE), np.tile(hourly * SHARE, HOURS)])
    hours = np.concatenate([np.full(OBJECTS, -1), np.repeat(np.arange(HOURS), each)])
    return ids, rates, hours


def miss_ratio(requests: int, fraction: float, seed: int) -> float:
    """The object miss ratio at this fraction of the objects that occur."""
    ids, rates, hours = draw(requests, seed)
    random = np.random.default_rng(seed)
    capacity = int(len(np.unique(ids)) * fraction)
    place = np.full(len(rates), -1)
    residents = np.zeros(capacity, dtype=np.int64)
    used = misses = 0
    for now, one in enumerate(ids):
        if place[one] >= 0:
            continue
        misses += 1
        if used < capacity:
            at, used = used, used + 1
        else:
            looks = random.integers(0, capacity, LOOKS)
            seen = residents[looks]
            scores = worth(rates[seen], hours[seen], now)
            lowest = int(scores.argmin())
            if worth(rates[one : one + 1], hours[one : one + 1], now)[0] < scores[lowest]:
                continue
            at = int(looks[lowest])
            place[residents[at]] = -1
        residents[at] = one
        place[one] = at
    return misses / requests
