"""What happens to a cluster and its clients while the checker runs: one fault after another."""

import contextlib
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence

import redis

from augury.near.slots import SLOTS
from benchmarks.nearcache.cluster import NODE_TIMEOUT, Cluster, Node, until
from benchmarks.nearcache.proxy import Proxy

__all__ = ["Faults"]

#: Seconds: shorter and longer than a lease, and than a node is waited for.
PAUSES = (0.3, 1.2, 2.5 * NODE_TIMEOUT / 1e3)


class Faults:
    """Does one at a time, and waits until the cluster is well again.

    Args:
        cluster: What they are done to.
        proxies: In front of its nodes.
        clients: Processes that are stopped now and then.
        seed: Of what comes next.
    """

    def __init__(
        self,
        cluster: Cluster,
        proxies: Sequence[Proxy],
        clients: "Sequence[subprocess.Popen[str]]",
        seed: int,
    ) -> None:
        self.cluster, self.proxies, self.clients = cluster, proxies, clients
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.kinds: dict[str, Callable[[], None]] = {
            "node killed": self.kill,
            "node stopped and resumed": self.stop,
            "connections killed (CLIENT KILL)": self.cut,
            "client stopped and resumed": self.stop_client,
            "manual failover": self.fail_over,
            "slots moved at once (CLUSTER MIGRATESLOTS)": self.move_at_once,
            "slot moved key by key (MIGRATE)": self.move_by_keys,
            "network frozen (proxy)": self.freeze,
        }

    def run(self, seconds: float) -> None:
        """Faults for so long, every kind in turn and in another order each time."""
        ends = time.monotonic() + seconds
        while True:
            for name in self.random.sample(sorted(self.kinds), len(self.kinds)):
                if time.monotonic() >= ends:
                    return
                # What a fault meets that is not over yet may fail: it is none then.
                with contextlib.suppress(redis.RedisError, OSError, IndexError):
                    self.kinds[name]()
                    self.counts[name] += 1
                self.cluster.wait()
                time.sleep(self.random.uniform(0.05, 0.4))

    def some_primary(self) -> Node:
        return self.random.choice(self.cluster.primaries)

    def kill(self) -> None:
        """A primary dies; a replica takes over; it comes back as one."""
        node = self.some_primary()
        others = [one for one in self.cluster.nodes if one is not node]
        node.kill()
        until(lambda: sum(map(width, others)) == SLOTS, "a replica takes over")
        node.start()

    def stop(self) -> None:
        """A primary stands still: others may have taken over when it goes on as if it were one."""
        node = self.some_primary()
        node.stop()
        time.sleep(self.random.choice(PAUSES))
        node.resume()

    def cut(self) -> None:
        """All connections of clients to a node are closed."""
        self.some_primary().ask("CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES")

    def stop_client(self) -> None:
        """A client stands still for longer than its leases."""
        client = self.random.choice(self.clients)
        client.send_signal(signal.SIGSTOP)
        time.sleep(self.random.choice(PAUSES))
        client.send_signal(signal.SIGCONT)

    def fail_over(self) -> None:
        """A replica takes over by agreement."""
        primary = self.some_primary()
        replica = self.cluster.replica_of(primary)
        if replica is not None:
            replica.ask("CLUSTER", "FAILOVER")
            until(lambda: replica.is_primary, "the replica takes over", 10.0)

    def move_at_once(self) -> None:
        """Some slots to another node, atomically."""
        source, target = self.random.sample(self.cluster.primaries, 2)
        first, last = self.random.choice(source.slots())
        end = min(last, first + self.random.randrange(1, 400))
        source.ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", first, end, "NODE", target.identity)
        until(lambda: holds(target, first), "the slots are moved", 10.0)

    def move_by_keys(self) -> None:
        """The slot of a key that is much asked for, as it was done before."""
        source, target = self.random.sample(self.cluster.primaries, 2)
        slot = self._slot_with_keys(source)
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.identity)
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.identity)
        time.sleep(0.2)
        while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 10):
            source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 2_000, "KEYS", *keys)
        time.sleep(self.random.choice([0.0, 0.5]))
        for node in (target, source, *self.cluster.primaries):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", target.identity)

    def _slot_with_keys(self, source: Node) -> int:
        while True:
            key = source.ask("RANDOMKEY")
            slot = int(source.ask("CLUSTER", "KEYSLOT", key))
            if holds(source, slot):
                return slot

    def freeze(self) -> None:
        """What goes through the proxies to a node, or to all, stands still."""
        some = self.random.choice([[self.random.choice(self.proxies)], self.proxies])
        for proxy in some:
            proxy.freeze()
        time.sleep(self.random.choice(PAUSES))
        for proxy in some:
            proxy.thaw()


def width(node: Node) -> int:
    """Slots of a node by its own word."""
    return sum(last - first + 1 for first, last in node.slots())


def holds(node: Node, slot: int) -> bool:
    """Whether it has the slot."""
    return any(first <= slot <= last for first, last in node.slots())
