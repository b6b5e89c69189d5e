"""The protocol of a near cache keeps its promise in every world that was drawn."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from near_world import KEYS, PARTS, STALENESS, World

KEY = st.sampled_from(KEYS)
NAME = st.integers(min_value=0, max_value=5)
#: More of them by AUGURY_NEAR_EXAMPLES.
EXAMPLES = int(os.environ.get("AUGURY_NEAR_EXAMPLES", "60"))


class Coherent(RuleBasedStateMachine):
    """Whatever happens, nothing older than promised may be served."""

    world: World

    @initialize(primaries=st.sampled_from([0, 1, 3, 4]), is_cast=st.booleans(), runs=st.booleans())
    def begin(self, primaries: int, is_cast: bool, runs: bool) -> None:
        """In most runs everything is connected to begin with."""
        self.world = World(primaries, is_cast)
        if runs:
            self.world.settle()

    def name(self, at: int) -> str:
        """One of the servers that there are."""
        return f"n{at % len(self.world.servers)}"

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.2, 0.5, 1.1]))
    def advance(self, seconds: float) -> None:
        """Time passes, and the driver may be late."""
        self.world.advance(seconds)

    @rule()
    def tick(self) -> None:
        """The driver does what is due."""
        self.world.tick()
        self.world.arrive()

    @rule(at=NAME)
    def serve(self, at: int) -> None:
        """A server works off its commands."""
        self.world.serve(self.name(at))

    @rule(at=NAME, share=st.sampled_from([0.3, 0.7, 1.0]))
    def deliver(self, at: int, share: float) -> None:
        """Bytes arrive, perhaps the half of a message."""
        self.world.deliver(self.name(at), share)

    @rule(rounds=st.sampled_from([1, 4, 12]), slept=st.sets(NAME, max_size=2))
    def go_on(self, rounds: int, slept: set[int]) -> None:
        """A while in which all runs as it should, but for some servers that are slow."""
        self.run_but({self.name(at) for at in slept}, rounds)

    def run_but(self, slow: set[str], rounds: int) -> None:
        """All others answer and are heard."""
        for _ in range(rounds):
            self.world.tick()
            self.world.arrive()
            for name in self.world.servers.keys() - slow:
                self.world.serve(name)
                self.world.deliver(name, 1.0)
            self.world.advance(0.1)
            self.world.check()

    @rule(key=KEY)
    def read(self, key: bytes) -> None:
        """A miss."""
        self.world.read(key)

    @rule(key=KEY)
    def read_through(self, key: bytes) -> None:
        """A miss that is answered and kept without anything between."""
        self.world.read(key)
        for name in self.world.servers:
            self.world.serve(name)
            self.world.deliver(name, 1.0)
        self.world.store()

    @rule()
    def store(self) -> None:
        """What was read is kept, late."""
        self.world.store()

    @rule(key=KEY, is_own=st.booleans())
    def write(self, key: bytes, is_own: bool) -> None:
        """Somebody writes, or this client does."""
        self.world.write(key, is_own)

    @rule(at=NAME)
    def cut(self, at: int) -> None:
        """A connection is lost."""
        self.world.cut(self.name(at))

    @rule(at=NAME)
    def stop(self, at: int) -> None:
        """A server is stopped, and goes on later as if nothing had been."""
        self.world.stopped ^= {self.name(at)}

    @rule(part=st.integers(0, PARTS - 1), at=NAME)
    def hand_over(self, part: int, at: int) -> None:
        """A part of the slots changes hands."""
        name = self.name(at)
        if self.world.is_cluster and name in self.world.owner.values():
            self.world.hand_over(part, name)

    @rule(at=NAME)
    def fail_over(self, at: int) -> None:
        """A node loses its slots by election, stopped or not."""
        name = self.name(at)
        if self.world.is_cluster and name in self.world.owner.values():
            self.world.fail_over(name)

    @rule(
        key=KEY,
        rounds=st.sampled_from([2, 12]),
        is_hidden=st.booleans(),
        is_own=st.booleans(),
        are_silent=st.booleans(),
    )
    def lose_what_is_kept(
        self, key: bytes, rounds: int, is_hidden: bool, is_own: bool, are_silent: bool
    ) -> None:
        """A key is kept, its owner loses it by election without noticing, and it is written.

        Perhaps the new owner is not reached, or the others do not answer.
        """
        self.read_through(key)
        part = KEYS.index(key)
        others = self.world.servers.keys() - {self.world.owner[part]} if are_silent else set()
        if self.world.is_cluster:
            self.world.fail_over(self.world.owner[part])
            if is_hidden:
                self.world.hidden.add(self.world.servers[self.world.owner[part]].address)
        self.world.write(key, is_own)
        if is_own:
            self.read_through(key)
            self.world.check()
        self.run_but(set(others), rounds)
        self.read_through(key)

    @rule(key=KEY)
    def change_what_is_kept_while_cut_off(self, key: bytes) -> None:
        """A key is kept, its connection is lost, it is written, and a new connection is made."""
        self.read_through(key)
        owner = self.world.owner[KEYS.index(key)]
        self.world.cut(owner)
        self.world.write(key, is_own=False)
        self.run_but(set(), 12)

    @rule(key=KEY)
    def hear_of_a_renewal_late(self, key: bytes) -> None:
        """It is answered at once, before a write; what is heard late is the answer alone."""
        self.read_through(key)
        owner = self.world.owner[KEYS.index(key)]
        self.run_but({owner}, 3)
        self.world.serve(owner)
        self.world.write(key, is_own=False)
        self.world.advance(0.5)
        self.world.deliver_up_to_words(owner)
        self.world.advance(0.6)
        self.world.check()

    @rule(key=KEY, at=NAME)
    def hand_over_quietly(self, key: bytes, at: int) -> None:
        """The part of a kept key is handed over; only those are heard who lag behind."""
        self.read_through(key)
        part, target = KEYS.index(key), self.name(at)
        if not self.world.is_cluster or target not in self.world.owner.values():
            return
        self.world.hand_over(part, target)
        self.world.write(key, is_own=False)
        self.world.advance(0.2)
        self.world.tick()
        for name in self.world.servers.keys() - {target}:
            self.world.serve(name)
            self.world.deliver(name, 1.0)
        for seconds in (0.7, 0.2):
            self.world.advance(seconds)
            self.world.check()

    @rule()
    def find(self) -> None:
        """Everybody can be reached again."""
        self.world.hidden.clear()

    @rule()
    def learn(self) -> None:
        """Nodes hear what they have not heard yet."""
        self.world.learn_all()

    @rule(at=NAME)
    def flush(self, at: int) -> None:
        """FLUSHALL, which changes every key of the server."""
        self.world.flush(self.name(at))

    @invariant()
    def nothing_stale(self) -> None:
        """The promise."""
        if hasattr(self, "world"):
            self.world.check()


Coherent.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestCoherent = Coherent.TestCase


@pytest.mark.parametrize("primaries", [0, 1, 3, 5])
def test_values_are_kept_and_served_once_all_is_well(primaries: int) -> None:
    """Safety alone would be easy: after whatever happened, memory answers again."""
    world = World(primaries)
    world.settle()
    for key in KEYS:
        world.write(key, is_own=False)
        world.read(key)
    world.settle()
    world.store()
    assert dict.fromkeys(KEYS, 1) == world.entries
    assert world.now < world.until
    if primaries > 1:
        world.stopped.add("n0")
        world.fail_over("n0")
        world.settle()
        for key in KEYS:
            world.read(key)
        world.settle()
        world.store()
        assert dict.fromkeys(KEYS, 1) == world.entries
        assert world.now < world.until


def test_a_lease_runs_out_without_renewals() -> None:
    """Nothing is served later than the bound after the last renewal that was answered."""
    world = World(0)
    world.settle()
    world.read(KEYS[0])
    world.settle()
    world.store()
    assert world.now < world.until <= world.now + STALENESS
    world.now = world.until
    assert not world.near.vouches_for(KEYS[0], world.now)
