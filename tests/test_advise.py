"""`augury advise`: it promises where something is saved, and refuses where nothing can be."""

import json
import os
import random
from pathlib import Path

import pytest

import augury as package
from augury.advising import Advice
from augury.advising.advice import Verdict
from augury.advising.evidence import Evidence, Measurement, measure, of_replays
from augury.advising.interval import Interval, over_time
from augury.advising.judging import judge
from augury.errors import CapacityError, ConfigError, TraceError
from small_traces import Run

TRACES = Path(os.environ.get("AUGURY_TRACES", Path(__file__).parents[2] / "shared" / "traces"))
LOOP = "synthetic:loop?n=100000&objects=5000"
UNIFORM = "synthetic:zipf?n=60000&objects=5000&alpha=0"


def said(found: Advice) -> dict[str, str]:
    """The sentences by what they are about."""
    return dict(found.sentences())


def once(path: Path, requests: int, key: str | None = None) -> Path:
    """A trace in which no object returns; keys are random, or rise by one."""
    draw = random.Random(1)
    keys = range(requests) if key == "rising" else (draw.getrandbits(60) for _ in range(requests))
    path.write_text("time,key\n" + "".join(f"{n // 50},{one}\n" for n, one in enumerate(keys)))
    return path


def test_a_loop_gains_and_the_way_is_told() -> None:
    """LRU misses all of a loop; another policy keeps a part of it, and keys that follow are told.

    No more than the share of the loop that the cache holds can be saved without fetching ahead.
    """
    found = package.advise(LOOP, capacity="20%")
    assert (Verdict.GAIN, "auto") == (found.verdict, found.policy)
    assert found.saving is not None
    assert 0 < found.saving.fewer.low <= found.saving.fewer.mean <= 0.21
    assert found.prefetch is not None
    assert found.prefetch.worth_it
    assert "prefetch=0.1" in said(found)["Next"]


@pytest.mark.parametrize("seed", [1, 2])
def test_uniform_random_traffic_is_promised_nothing(seed: int) -> None:
    """Belady saves a third there, and no policy can; room is not mistaken for a gain."""
    found = package.advise(f"{UNIFORM}&seed={seed}", capacity="5%")
    assert found.present_miss_ratio is not None
    assert found.bound_miss_ratio is not None
    assert found.present_miss_ratio - found.bound_miss_ratio > 0.2
    assert (Verdict.NO_GAIN, "lru", None) == (found.verdict, found.policy, found.saving)
    assert "nothing in this traffic foretells" in said(found)["Room"]
    assert "Next" not in said(found)


def test_what_never_returns_is_not_to_be_cached(tmp_path: Path) -> None:
    """One-hit traffic: no policy, no capacity, no prefetch helps, and that is said."""
    found = package.advise(once(tmp_path / "once.csv", 40_000), capacity="10%")
    assert Verdict.NO_REUSE == found.verdict
    assert "Do not cache" in said(found)["Saving"]
    assert found.prefetch is not None
    assert not found.prefetch.worth_it
    assert found.sizing is None


def test_what_never_returns_in_order_can_be_fetched_ahead(tmp_path: Path) -> None:
    """A scan has nothing to hit, yet each key says the next."""
    found = package.advise(once(tmp_path / "scan.csv", 40_000, "rising"), capacity="10%")
    assert Verdict.NO_REUSE == found.verdict
    assert found.prefetch is not None
    assert found.prefetch.worth_it
    assert found.prefetch.fewer.low > 0.9


@pytest.mark.parametrize("requests", [0, 1, 50, 6_000])
def test_a_tiny_trace_is_too_short(tmp_path: Path, requests: int) -> None:
    """However clear its pattern: nothing is replayed and nothing promised."""
    path = tmp_path / "tiny.csv"
    path.write_text("time,key\n" + "".join(f"{n},{n % 7}\n" for n in range(requests)))
    if not requests:
        with pytest.raises((CapacityError, TraceError)):
            package.advise(path, capacity=3)
        return
    found = package.advise(path, capacity=3)
    assert (Verdict.TOO_SHORT, ()) == (found.verdict, found.standings)
    assert "Too short to say" in said(found)["Saving"]
    assert "augury record" in said(found)["Next"]


def test_a_tiny_cache_is_chance() -> None:
    """Twenty entries say nothing of a cache."""
    assert Verdict.TOO_SMALL == package.advise(LOOP, capacity=20).verdict


def test_a_cache_of_everything_has_nothing_to_decide() -> None:
    """Where all fits no policy is better than another."""
    found = package.advise(UNIFORM, capacity="100%")
    assert (Verdict.FITS, None) == (found.verdict, found.saving)


def test_a_saving_is_worth_its_misses() -> None:
    """Money per hour is requests per second times the share times the price, ends included."""
    found = package.advise(
        LOOP, capacity="20%", requests_per_second=100, price_per_miss=0.01,
        price_per_gb_hour=1.0, object_bytes=1000, target_miss_ratio=0.5,
    )  # fmt: skip
    assert found.saving is not None
    assert found.saving.money is not None
    assert found.saving.money.per_hour is not None
    expected = [100 * 3600 * 0.01 * value for value in found.saving.fewer]
    assert pytest.approx(expected) == list(found.saving.money.per_hour)
    assert found.sizing is not None
    assert found.sizing.target is not None
    assert found.sizing.target.point is not None
    assert found.sizing.target.point.object_miss_ratio <= 0.5
    assert {"Target", "Cheapest"} <= set(said(found))


def test_the_policy_in_use_is_what_is_compared_with() -> None:
    """Beside one that is as good there is nothing to gain."""
    found = package.advise("synthetic:zipf?n=100000", capacity="5%", against="wtinylfu")
    assert found.verdict in (Verdict.NO_GAIN, Verdict.UNCLEAR, Verdict.GAIN)
    assert all(one.fewer.mean < 0.05 for one in found.standings)
    assert "wtinylfu" in said(found)["Room"]


def test_a_long_trace_is_judged_from_a_sample_near_the_truth() -> None:
    """A sample of the objects tells what whole replays tell, within its interval."""
    trace = package._core.Trace("synthetic:zipf-drift?n=1000000&objects=200000&seed=3")
    capacity = trace.footprint // 10
    whole = measure(trace, capacity, "lru", 1, 2, lambda _share, _what: None)
    sampled = measure(
        trace, capacity, "lru", 1, 2, lambda _share, _what: None, most_requests=250_000
    )
    assert (1.0, True) == (whole.sampled, sampled.sampled < 1)
    exact = {other.policy: other for other in whole.others}
    for other in sampled.others:
        truth = whole.present.object_miss_ratio - exact[other.policy].object_miss_ratio
        assert other.second is not None
        assert other.second.low - 0.005 <= truth <= other.second.high + 0.005, other.policy


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of means over stretches that are alike with their neighbours, at least 90% of 400."""
    draw, held = random.Random(7), 0
    for _ in range(400):
        value, stretches = 0.0, []
        for _ in range(160):
            value = 0.5 * value + draw.gauss(0, 1)
            stretches.append((100, 100 * value))
        found = over_time(stretches)
        assert found is not None
        held += found.low <= 0 <= found.high
    assert held >= 360


def test_a_choice_by_luck_is_not_rewarded() -> None:
    """Six policies that differ from the one in use by chance alone are hardly ever a gain."""
    draw, promised = random.Random(11), 0
    for _ in range(200):
        outcomes = {
            name: {
                "windows": [(1000, 500 + draw.randint(-30, 30), None) for _ in range(100)],
                "misses": 50_000, "requests": 100_000, "missed_bytes": 1, "requested_bytes": 2,
                "evictions": 10, "rejections": 0,
            }
            for name in ("lru", "auto", "sieve", "s3fifo", "wtinylfu", "gdsf", "lfu")
        }  # fmt: skip
        verdict, _ = judge(of_replays(outcomes, "lru", 0.1, None))
        promised += verdict == Verdict.GAIN
    assert promised <= 10


def test_auto_is_chosen_where_it_is_nearly_the_best() -> None:
    """It goes on choosing; another one is told where it is clearly better."""
    near = Measurement("sieve", 0.4, None, 0.104, Interval(0.104, 0.1, 0.108))
    far = Measurement("sieve", 0.4, None, 0.15, Interval(0.15, 0.14, 0.16))
    auto = Measurement("auto", 0.4, None, 0.1, Interval(0.1, 0.09, 0.11))
    present = Measurement("lru", 0.5, 0.5)
    for other, expected in ((near, "auto"), (far, "sieve")):
        evidence = Evidence(present, 0.1, (auto, other), 1.0, 0.5, True, None)
        assert expected == judge(evidence)[1].policy


@pytest.mark.skipif(not TRACES.is_dir(), reason=f"no traces in {TRACES}")
@pytest.mark.parametrize(
    ("name", "capacity", "verdict"),
    [
        ("lirs_gli", "5%", Verdict.TOO_SHORT),
        ("kosarak_part", "5%", Verdict.GAIN),
        ("lirs_loop", "20%", Verdict.GAIN),
        ("corda_vault", "5%", Verdict.NO_GAIN),
    ],
)
def test_recorded_traffic(name: str, capacity: str, verdict: Verdict) -> None:
    """What is known of recorded traces is what is said of them."""
    found = package.advise(TRACES / f"{name}.oracleGeneral.zst", capacity=capacity)
    assert verdict == found.verdict


def test_the_command_speaks_and_counts(augury: Run) -> None:
    """Plain sentences on standard output, the same in JSON, and nothing on standard error."""
    done = augury("advise", LOOP, "-c", "20%")
    assert (0, "") == (done.returncode, done.stderr)
    assert "\x1b" not in done.stdout
    for word in ("Saving", "Predictability", "Fetching ahead", "How sure", "95% confidence"):
        assert word in done.stdout
    found = json.loads(augury("advise", LOOP, "-c", "20%", "--json").stdout)
    assert "gain" == found["verdict"]
    assert {"mean", "low", "high"} == set(found["saving"]["fewer"])
    assert "Saving" == found["sentences"][0]["about"]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["-"], "read once"),
        ([LOOP, "--against", "belady"], "belady"),
        ([LOOP, "--against", "nothing"], "nothing"),
        ([LOOP, "--target", "2"], "2"),
        ([LOOP, "--price-per-miss", "1"], "GB"),
        ([LOOP, "--price-per-miss", "1", "--price-per-gb-hour", "1"], "--object-bytes"),
        ([LOOP, "-c", "much"], "much"),
    ],
)
def test_what_cannot_be_is_refused_before_the_work(
    augury: Run, options: list[str], word: str
) -> None:
    """By exit code 2 and one line that names the value."""
    done = augury("advise", *options)
    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("error: ")
    assert 1 == done.stderr.count("\n")
    assert word in done.stderr


def test_options_cannot_contradict() -> None:
    """From Python too."""
    with pytest.raises(ConfigError):
        package.advise(LOOP, against="learned")
