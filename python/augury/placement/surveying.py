"""What a plan has to know of a cluster now: bytes of slots, room of nodes, hot keys.

Where it stands: from the nodes to planning, at the moment of a plan. Bytes of a slot are its number
of keys times their mean size, by MEMORY USAGE of a few keys for the heaviest slots and by the
node's mean for the others. Hot keys are those of a short sample by MONITOR, which costs a server
part of its throughput for as long. It must not decide anything.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from augury.errors import ClusterError, TraceError
from augury.placement.nodes import Nodes, as_map
from augury.placement.topology import SLOTS, Node, Topology, slot_of
from augury.recording.request import KeyedRequest
from augury.recording.server import RedisMonitor

__all__ = ["HotKey", "Sample", "rooms_of", "sample_keys", "sizes_of"]

#: Keys of a slot whose size is asked for.
KEYS = 16
#: Of MONITOR: requests of a node at most, and different keys that are counted.
REQUESTS = 100_000
COUNTED = 200_000
#: A key is hot if its reads are this share of a node's mean requests, or more; and worth holding
#: near if it is written no more often than this share of its reads.
HOT = 0.05
WRITTEN = 0.1
READS = ("get", "gets")


def rooms_of(nodes: Nodes, topology: Topology, share: float) -> dict[str, float | None]:
    """Bytes that each node may take in: ``share`` of its maxmemory, less what it uses.

    None where a node has no maxmemory.
    """
    found: dict[str, float | None] = {}
    for node in topology.nodes:
        memory = nodes.information(node, "memory")
        most, used = int(memory.get("maxmemory", "0")), int(memory.get("used_memory", "0"))
        found[node.id] = max(share * most - used, 0.0) if most else None
    return found


def sizes_of(nodes: Nodes, topology: Topology, looked_at: Iterable[int]) -> dict[int, float]:
    """Bytes of every slot that has keys, those of ``looked_at`` by a look at some of them."""
    wanted = set(looked_at)
    found: dict[int, float] = {}
    for node in topology.nodes:
        keys = key_counts(nodes, node)
        memory = nodes.information(node, "memory")
        held = int(memory.get("used_memory_dataset", "0"))
        mean = held / max(sum(keys.values()), 1)
        close = mean_sizes(nodes, node, [slot for slot in keys if slot in wanted])
        found |= {slot: count * close.get(slot, mean) for slot, count in keys.items()}
    return found


def key_counts(nodes: Nodes, node: Node) -> dict[int, int]:
    """Keys by slot of one node, of slots that have any."""
    if not node.ranges:
        return {}
    answer = nodes.ask(node, "CLUSTER", "SLOT-STATS", "SLOTSRANGE", 0, SLOTS - 1)
    counts = {int(slot): int(as_map(fields).get("key-count", 0)) for slot, fields in answer}
    return {slot: count for slot, count in counts.items() if count}


def mean_sizes(nodes: Nodes, node: Node, slots: list[int]) -> dict[int, float]:
    """The mean bytes of some keys of each slot."""
    with nodes.failures(node, "MEMORY USAGE"):
        client = nodes.client(node)
        pipe = client.pipeline(transaction=False)
        for slot in slots:
            pipe.execute_command("CLUSTER", "GETKEYSINSLOT", slot, KEYS)
        listed = pipe.execute() if slots else []
        pipe = client.pipeline(transaction=False)
        for key in (key for keys in listed for key in keys):
            pipe.execute_command("MEMORY", "USAGE", key)
        answers = iter(pipe.execute() if any(listed) else [])
    found = {}
    for slot, keys in zip(slots, listed, strict=True):
        # A key may have gone meanwhile.
        sizes = [size for size in (next(answers) for _ in keys) if size]
        if sizes:
            found[slot] = sum(sizes) / len(sizes)
    return found


@dataclass(frozen=True, slots=True)
class HotKey:
    """A key whose reads a near cache would take from its node."""

    #: As text, with what is no UTF-8 behind backslashes.
    key: str
    slot: int
    node: str
    reads_per_second: float
    writes_per_second: float
    #: Of its slot's requests in the sample.
    share_of_slot: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Sample:
    """Requests by key, for a short time."""

    seconds: float
    reads: Counter[bytes]
    writes: Counter[bytes]
    owners: Mapping[int, str]

    def hot_keys(self, nodes: int) -> list[HotKey]:
        """The keys to be held near, the hottest first."""
        total = self.reads.total() + self.writes.total()
        slots: Counter[int] = Counter()
        for counts in (self.reads, self.writes):
            for key, count in counts.items():
                slots[slot_of(key)] += count
        found = []
        for key, reads in self.reads.items():
            writes = self.writes.get(key, 0)
            if reads >= HOT * total / nodes and writes <= WRITTEN * reads:
                slot = slot_of(key)
                found.append(
                    HotKey(
                        key.decode("utf-8", "backslashreplace"),
                        slot,
                        self.owners.get(slot, ""),
                        reads / self.seconds,
                        writes / self.seconds,
                        reads / slots[slot],
                    )
                )
        return sorted(found, key=lambda one: -one.reads_per_second)


def sample_keys(nodes: Nodes, topology: Topology, seconds: float) -> Sample:
    """Listen to one node after the other, each for so many seconds or 100,000 requests.

    Raises:
        ClusterError: a node refuses MONITOR.
    """
    reads: Counter[bytes] = Counter()
    writes: Counter[bytes] = Counter()
    for node in topology.nodes:
        if node.ranges:
            listen(nodes, node, seconds, reads, writes)
    owners = {slot: owner for slot, owner in enumerate(topology.owners()) if owner is not None}
    return Sample(seconds, reads, writes, owners)


def listen(
    nodes: Nodes, node: Node, seconds: float, reads: Counter[bytes], writes: Counter[bytes]
) -> None:
    """Count the requests of one node by key; where it was cut short, as if it had gone on."""
    here: tuple[Counter[bytes], Counter[bytes]] = (Counter(), Counter())
    begun = time.monotonic()
    heard = 0
    monitor = RedisMonitor(nodes.url(node))
    try:
        for one in monitor:
            if isinstance(one, KeyedRequest):
                counts = here[one.op not in READS]
                if one.key in counts or len(counts) < COUNTED:
                    counts[one.key] += 1
                heard += 1
            if heard >= REQUESTS or time.monotonic() - begun >= seconds:
                break
    except TraceError as error:
        raise ClusterError(f"{node.address}: MONITOR: {error}") from error
    longer = seconds / max(time.monotonic() - begun, 1e-3)
    for total, part in zip((reads, writes), here, strict=True):
        for key, count in part.items():
            total[key] += round(count * max(longer, 1.0))
