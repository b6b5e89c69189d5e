"""What a node spends for a read and for an invalidation: measured on one valkey-server.

CPU nanoseconds of the server's process, by the scheduler's own account, for commands and pushes
over many connections with ``CLIENT TRACKING``.
"""

from contextlib import ExitStack
from pathlib import Path

import redis
from examples.cluster.servers import Member, cluster

__all__ = ["measured"]

#: Connections, repetitions, and keys that all of them read.
CLIENTS, ROUNDS, KEYS = 100, 40, 1_000


def measured(rounds: int = ROUNDS) -> dict[str, float]:
    """Nanoseconds of a GET of 200 bytes one at a time and of an invalidation; bytes per reader."""
    with cluster(1) as [member], ExitStack() as stack:
        readers = [stack.enter_context(tracking(member)) for _ in range(CLIENTS)]
        writer = stack.enter_context(member.client())
        writer.set("key", b"v" * 200)
        read = told = plain = 0
        for _ in range(rounds):
            begun = nanoseconds(member)
            for reader in readers:
                reader.execute_command("GET", "key")
            read += nanoseconds(member) - begun
            # The first write tells all readers, the second nobody.
            told += written(member, writer)
            plain += written(member, writer)
        pairs = remembered(member, readers)
    push = (told - plain) / rounds / CLIENTS
    return {"read": read / rounds / CLIENTS, "invalidation": max(push, 0.0), "pair_bytes": pairs}


def written(member: Member, writer: "redis.Redis") -> int:
    """Nanoseconds of a write and of whatever it sets off."""
    begun = nanoseconds(member)
    writer.set("key", b"v" * 200)
    # Its answer may be out before the readers are told.
    writer.ping()
    return nanoseconds(member) - begun


def remembered(member: Member, readers: list["redis.Redis"]) -> float:
    """Bytes that a node takes for each key and each client that has read it."""
    with member.client() as client:
        before = int(client.info("memory")["used_memory"])
        for reader in readers:
            pipe = reader.pipeline(transaction=False)
            for number in range(KEYS):
                pipe.get(f"absent:{number}")
            pipe.execute()
        after = int(client.info("memory")["used_memory"])
    return (after - before) / KEYS / len(readers)


def tracking(member: Member) -> "redis.Redis":
    """A connection that is told of what changes."""
    client = redis.Redis(
        host="127.0.0.1", port=member.port, protocol=3, single_connection_client=True
    )
    client.client_tracking_on()
    return client


def nanoseconds(member: Member) -> int:
    """CPU time of the server's main thread so far."""
    pid = member.process.pid
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0])
