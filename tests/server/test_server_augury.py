"""Our own commands: what the server tells of what it has learned, decided and expects."""

import contextlib
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from process import Served, executable, serving
from raw import is_reached
from wire import Wire

pytestmark = pytest.mark.skipif(executable() is None, reason="no augury-server was built")

NAMES = [
    "augury.bigkeys", "augury.curve", "augury.explain", "augury.forecast", "augury.help",
    "augury.hotkeys", "augury.model", "augury.shadows",
]  # fmt: skip


def connected(served: Served, **options: Any) -> "redis.Redis":
    """A client of the newer protocol, to whom maps are maps."""
    return redis.Redis(port=served.port, protocol=3, decode_responses=True, **options)


@pytest.fixture(scope="module")
def busy() -> Iterator[Served]:
    """A server that has evicted: a skewed stream, each key set where it was missed."""
    with serving("--memory", "1mb", "--simulate", "yes") as served, connected(served) as client:
        dice = random.Random(1)
        for _ in range(60):
            keys = [f"key:{int(dice.paretovariate(0.4)) % 50_000}" for _ in range(1_000)]
            pipe = client.pipeline(transaction=False)
            found = [pipe.get(key) for key in keys] and pipe.execute()
            for key, value in zip(keys, found, strict=True):
                if value is None:
                    pipe.set(key, "x" * 300)
            pipe.execute()
        yield served


def test_every_command_is_described(busy: Served) -> None:
    """Arity, flags, categories and summary come from the table, as for all commands."""
    wire = Wire(busy.port, version=3)
    with contextlib.closing(wire), connected(busy) as client:
        (marker, told), (_, info) = wire.ask("COMMAND", "DOCS", *NAMES), wire.ask(
            "COMMAND", "INFO", "augury.forecast"
        )  # fmt: skip
        assert (marker, 2 * len(NAMES)) == ("%", len(told))
        assert {("$", name.encode()) for name in NAMES} == set(told[::2])
        for _, facts in told[1::2]:
            assert facts[1] != ("$", b"")
            assert ("$", b"augury") in facts
        assert b"readonly" in str(info).encode()
        assert sorted(name for name in NAMES if name != "augury.model") == sorted(
            name
            for name in client.execute_command("ACL", "CAT", "augury")
            if "|" not in name and name != "augury.model"
        )
        assert wire.ask("COMMAND", "GETKEYS", "AUGURY.EXPLAIN", "k") == ("*", [("$", b"k")])
        for wrong in (["AUGURY.EXPLAIN"], ["AUGURY.CURVE", "x"], ["AUGURY.HOTKEYS", "x"]):
            with pytest.raises(redis.ResponseError, match=r"wrong number|syntax error"):
                client.execute_command(*wrong)
        lines = client.execute_command("AUGURY.HELP")
        assert any(line.startswith("AUGURY.MODEL LOAD <path>") for line in lines)


def test_a_key_is_explained(busy: Served) -> None:
    """A resident has its place and history; what has left has a ghost or a decision about it."""
    with connected(busy) as client:
        client.set("mine", "x")
        told = client.execute_command("AUGURY.EXPLAIN", "mine")
        assert told["resident"] is True
        assert told["standing"]["history"]["age"] <= 1
        assert told["ghost"] is None
        assert told["ruling"] in {expert["name"] for expert in told["experts"]}
        assert 0 <= told["standing"]["below"] <= told["standing"]["compared"]
        absent = [
            it
            for it in (client.execute_command("AUGURY.EXPLAIN", f"key:{n}") for n in range(5_000))
            if not it["resident"] and it["decisions"]
        ]
        assert absent, "something was evicted lately"
        assert {"evicted", "rejected"} >= {it["decisions"][0]["act"] for it in absent}


def test_a_forecast_has_chances_that_grow(busy: Served) -> None:
    """Chances grow with the horizon, and what is asked for often is expected sooner."""
    with connected(busy) as client:
        popular = client.execute_command("AUGURY.FORECAST", "key:1")
        chances = [horizon["chance"] for horizon in popular["horizons"]]
        assert len(chances) == 6
        assert chances == sorted(chances)
        assert 0 <= chances[0] <= chances[-1] <= 1
        assert popular["resident"] is True
        assert popular["by"] == "survival"
        client.set("once", "x")
        once = client.execute_command("AUGURY.FORECAST", "once")
        assert popular["asked_for"] > once["asked_for"] == 1
        assert chances[2] > once["horizons"][2]["chance"]
        assert client.execute_command("AUGURY.FORECAST", "never asked for") is None


def test_the_curve_falls(busy: Served) -> None:
    """Four points around the capacity, LRU's curve up to four times it."""
    with connected(busy) as client:
        told = client.execute_command("AUGURY.CURVE")
        assert told["capacity_bytes"] == 1 << 20
        scales = [point["scale"] for point in told["points"]]
        ratios = [point["miss_ratio"] for point in told["points"]]
        assert scales == [0.5, 1.0, 2.0, 4.0]
        assert ratios == sorted(ratios, reverse=True)
        lru = [step["miss_ratio"] for step in told["lru"]]
        assert len(lru) == 16
        assert lru == sorted(lru, reverse=True)
        client.config_set("simulate", "no")
        with pytest.raises(redis.ResponseError, match="CONFIG SET simulate yes"):
            client.execute_command("AUGURY.CURVE")
        assert client.execute_command("AUGURY.SHADOWS")["policies"] == []
        client.config_set("simulate", "yes")


def test_shadows_say_what_others_would_have_hit(busy: Served) -> None:
    """The guard's experts by their shadows, other policies by simulation."""
    with connected(busy) as client:
        for _ in range(100):
            client.get("key:1")
        told = client.execute_command("AUGURY.SHADOWS")
        assert told["policy"] == "auto"
        experts = {expert["name"]: expert for expert in told["experts"]}
        assert told["ruling"] in experts
        assert max(expert["standing"] for expert in experts.values()) == 1
        live = [expert["hit_ratio"] for expert in experts.values() if expert["live"]]
        assert all(0 <= ratio <= 1 for ratio in live if ratio is not None)
        assert 0 < told["sampled"]["experts"] <= 1


def test_hot_keys_come_with_their_share(busy: Served) -> None:
    """Who is asked for most comes first; a user sees only what it may read."""
    with connected(busy) as client:
        for _ in range(40):
            pipe = client.pipeline(transaction=False)
            for n in range(500):
                pipe.get("key:1" if n % 2 else "key:2")
            pipe.execute()
        told = client.execute_command("AUGURY.HOTKEYS", "COUNT", 2)
        assert {key["key"] for key in told} == {"key:1", "key:2"}
        assert all(0.05 < key["share"] < 1 and key["per_second"] > 0 for key in told)
        client.acl_setuser(
            "tenant", enabled=True, passwords=["+pw"], keys=["key:2*"], commands=["+@augury"]
        )
        with connected(busy, username="tenant", password="pw") as other:
            seen = other.execute_command("AUGURY.HOTKEYS", "COUNT", 256)
            assert seen
            assert all(key["key"].startswith("key:2") for key in seen)
            with pytest.raises(redis.exceptions.NoPermissionError):
                other.execute_command("AUGURY.EXPLAIN", "key:1")
        for count in (0, 257, -1):
            with pytest.raises(redis.ResponseError, match="from 1 to 256"):
                client.execute_command("AUGURY.HOTKEYS", "COUNT", count)


def test_big_keys_are_the_largest() -> None:
    """All that is stored is seen, in all databases, and what was removed is not."""
    with serving("--memory", "64mb") as served, connected(served) as client:
        for n in range(300):
            client.set(f"text:{n}", "x" * n)
        client.set("large", "x" * 400_000)
        client.hset("wide", mapping={f"field {n}": "x" * 100 for n in range(500)})
        with connected(served, db=3) as other:
            other.set("elsewhere", "x" * 50_000)
        told = client.execute_command("AUGURY.BIGKEYS", "COUNT", 4)
        assert [key["key"] for key in told[:1]] == ["large"]
        assert {(key["key"], key["db"], key["type"]) for key in told[:3]} == {
            ("large", 0, "string"), ("wide", 0, "hash"), ("elsewhere", 3, "string"),
        }  # fmt: skip
        assert told[3]["bytes"] == client.memory_usage("text:299")
        fields = {key["key"]: key["fields"] for key in told}
        assert (fields["wide"], fields["large"]) == (500, None)
        assert all(
            key["bytes"] == client.memory_usage(key["key"]) for key in told if key["db"] == 0
        )
        client.delete("large")
        assert "large" not in str(client.execute_command("AUGURY.BIGKEYS"))
        with redis.Redis(port=served.port, protocol=2, decode_responses=True) as old:
            flat = old.execute_command("AUGURY.BIGKEYS", "COUNT", 1)
            assert flat[0][::2] == ["key", "db", "type", "bytes", "fields"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model, trained on a built-in workload."""
    path = tmp_path_factory.mktemp("models") / "web.augury"
    trained = subprocess.run(
        [sys.executable, "-m", "augury", "train", "synthetic:web?n=20000", "-o", str(path),
         "--model", "logistic", "--rows", "4000", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    assert json.loads(trained.stdout)
    return path


def test_a_model_is_put_on_trial(tmp_path: Path, model: Path) -> None:
    """LOAD reads files below --dir alone, USE has the guard try the model, NONE lets go of it."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "web.augury").write_bytes(model.read_bytes())
    (tmp_path / "bad.augury").write_bytes(model.read_bytes()[:-9])
    (tmp_path / "out").symlink_to(model)
    with serving("--dir", str(tmp_path), "--save", "") as served, connected(served) as client:
        assert client.execute_command("AUGURY.MODEL", "LIST") == []
        for path in ("../web.augury", str(model), "out", "models/../../x"):
            with pytest.raises(redis.ResponseError, match="not a path below the server's folder"):
                client.execute_command("AUGURY.MODEL", "LOAD", path)
        for path in ("bad.augury", "nosuch.augury", "models"):
            with pytest.raises(redis.ResponseError, match=f"'{path}'"):
                client.execute_command("AUGURY.MODEL", "LOAD", path)
        assert client.execute_command("AUGURY.MODEL", "LOAD", "models/web.augury") == "web"
        with pytest.raises(redis.ResponseError, match="no model 'x' is loaded"):
            client.execute_command("AUGURY.MODEL", "USE", "x")
        assert client.execute_command("AUGURY.MODEL", "USE", "web") == "OK"
        (told,) = client.execute_command("AUGURY.MODEL", "LIST")
        assert (told["name"], told["in_use"]) == ("web", True)
        client.set("k", "x")
        forecast = client.execute_command("AUGURY.FORECAST", "k")
        assert forecast["model"]["name"] == "web"
        experts = client.execute_command("AUGURY.SHADOWS")["experts"]
        assert any(expert["name"].startswith("learned") for expert in experts)
        client.execute_command("AUGURY.MODEL", "USE", "NONE")
        assert client.execute_command("AUGURY.FORECAST", "k")["model"] is None
        client.acl_setuser("t", enabled=True, nopass=True, categories=["+@all", "-@dangerous"])
        with (
            connected(served, username="t", password="x") as other,
            pytest.raises(redis.exceptions.NoPermissionError),
        ):
            other.execute_command("AUGURY.MODEL", "LOAD", "models/web.augury")


def test_without_histories_it_is_said_so() -> None:
    """A policy that learns nothing explains nothing, and has no shadows; the rest is there."""
    with serving("--policy", "lru", "--simulate", "yes") as served, connected(served) as client:
        client.set("k", "x")
        for command in (["AUGURY.EXPLAIN", "k"], ["AUGURY.FORECAST", "k"]):
            with pytest.raises(redis.ResponseError, match="--policy auto"):
                client.execute_command(*command)
        with pytest.raises(redis.ResponseError, match="asks no model"):
            client.execute_command("AUGURY.MODEL", "USE", "x")
        for n in range(2_000):
            client.get(f"k{n % 500}")

        def compared() -> bool:
            told = client.execute_command("AUGURY.SHADOWS")
            return told["experts"] == [] and len(told["policies"]) == 7

        assert is_reached(compared)
        assert client.execute_command("AUGURY.BIGKEYS")[0]["key"] == "k"
