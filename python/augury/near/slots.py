"""The slots of a cluster: which part of the keys a key belongs to."""

from binascii import crc_hqx

__all__ = ["SLOTS", "forms_of", "key_bytes", "slot_of"]

SLOTS = 16_384


def slot_of(key: bytes) -> int:
    """The slot of a key: CRC16 of the part in the first braces, if there is any.

    Source: https://valkey.io/topics/cluster-spec/, "Key distribution model" and "Hash tags".

    >>> slot_of(b"123456789"), slot_of(b"{user:1}:a") == slot_of(b"user:1"), slot_of(b"{}a")
    (12739, True, 10875)
    """
    start = key.find(b"{")
    if start >= 0:
        end = key.find(b"}", start + 1)
        if end > start + 1:
            key = key[start + 1 : end]
    return crc_hqx(key, 0) % SLOTS


def key_bytes(key: object) -> bytes | None:
    """A key as the server knows it; None where it is neither text nor bytes."""
    if isinstance(key, str):
        try:
            return key.encode()
        except UnicodeEncodeError:
            return None
    return key if isinstance(key, bytes) else None


def forms_of(key: bytes) -> tuple[bytes | str, ...]:
    """What is this key to the server: the bytes, and the text if they are UTF-8.

    >>> forms_of(b"a"), len(forms_of(bytes([255])))
    ((b'a', 'a'), 1)
    """
    try:
        return key, key.decode()
    except UnicodeDecodeError:
        return (key,)
