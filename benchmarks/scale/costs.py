"""What a node spends for a read and for an invalidation: measured on one valkey-server.

CPU nanoseconds of the server's process, by the scheduler's own account, for commands and pushes
over many connections with ``CLIENT TRACKING``; of several rounds the least, which other processes
of the machine have disturbed least.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

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
        read, told, plain = [], [], []
        for _ in range(rounds):
            begun = nanoseconds(member)
            for reader in readers:
                reader.execute_command("GET", "key")
            read.append(nanoseconds(member) - begun)
            # The first write tells all readers, the second nobody.
            told.append(written(member, writer))
            plain.append(written(member, writer))
        pairs = remembered(member, readers)
    push = max(min(told) - min(plain), 0) / CLIENTS
    return {"read": min(read) / CLIENTS, "invalidation": push, "pair_bytes": pairs}


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
            # By its own connection, which is the one that is told; a pipeline would take another.
            connection: Any = reader.connection
            asked = connection.pack_commands([("GET", f"absent:{key}") for key in range(KEYS)])
            connection.send_packed_command(asked)
            for _ in range(KEYS):
                connection.read_response()
        pairs = int(client.info("stats")["tracking_total_items"])
        after = int(client.info("memory")["used_memory"])
    return (after - before) / pairs


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
