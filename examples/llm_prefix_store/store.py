"""Blocks of prompts in a server of Redis's protocol, by a hash of all tokens up to their end.

A block is of use only if all blocks before it are there, so looking up means: the longest run from
the first block on. Both looking up and storing go from the last block to the first, so that a block
is never older than one behind it, and a server that evicts what was used long ago evicts the ends
of prompts before their beginnings.
"""

import struct
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Protocol

__all__ = ["PrefixStore", "chain"]

#: Blocks asked for at once: a few large answers rather than one that nobody needs.
AT_ONCE = 16


class Client(Protocol):
    """What is needed of redis-py's client."""

    def mget(self, keys: list[bytes]) -> list[bytes | None]:
        """The values of keys, None for those that are not there."""
        ...

    def mset(self, mapping: dict[bytes, bytes]) -> object:
        """Store values."""
        ...


def chain(tokens: Sequence[int], block: int, model: str) -> list[bytes]:
    """The keys of a prompt's whole blocks: each a hash of the model, and of all up to its end.

    >>> one, other = chain([1, 2, 3, 4], 2, "m"), chain([1, 2, 9, 9, 9], 2, "m")
    >>> one[0] == other[0], one[1] == other[1], len(other)
    (True, False, 2)
    """
    return list(hashes(tokens, block, model))


def hashes(tokens: Sequence[int], block: int, model: str) -> Iterator[bytes]:
    """The same, one after another."""
    before = blake2b(model.encode(), digest_size=16).digest()
    for start in range(0, len(tokens) - block + 1, block):
        part = struct.pack(f"<{block}q", *tokens[start : start + block])
        before = blake2b(before + part, digest_size=16).digest()
        yield b"kv:" + before.hex().encode()


class PrefixStore:
    """Blocks in a server.

    Args:
        client: Of redis-py, with ``decode_responses=False``.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def longest_prefix(self, keys: Sequence[bytes]) -> list[bytes]:
        """The stored blocks of a prompt, from its first on up to the first gap."""
        found: list[bytes] = []
        for start in range(0, len(keys), AT_ONCE):
            asked = list(keys[start : start + AT_ONCE])
            values = list(reversed(self._client.mget(asked[::-1])))
            for value in values:
                if value is None:
                    return found
                found.append(value)
        return found

    def put(self, keys: Sequence[bytes], blocks: Sequence[bytes]) -> None:
        """Store blocks of a prompt: those behind what was found."""
        pairs = list(zip(keys, blocks, strict=True))
        for end in range(len(pairs), 0, -AT_ONCE):
            self._client.mset(dict(reversed(pairs[max(end - AT_ONCE, 0) : end])))
