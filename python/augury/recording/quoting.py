r"""Text between quotation marks as servers write it into logs.

Redis, Valkey, nginx and Apache agree: a byte that is not printable is ``\xNN`` or a letter
(``\n``), a backslash and a quotation mark stand behind a backslash.
"""

import re

__all__ = ["unquoted"]

ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
LETTERS = {
    b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"v": b"\v", b"f": b"\f",
}  # fmt: skip


def unquoted(quoted: bytes) -> bytes:
    r"""The bytes that were quoted.

    >>> unquoted(rb'a\"b\\c\x00\n')
    b'a"b\\c\x00\n'
    """
    return ESCAPE.sub(escaped, quoted) if b"\\" in quoted else quoted


def escaped(found: re.Match[bytes]) -> bytes:
    """The byte of one escape; a backslash before anything else only protects it."""
    if found[1] is not None:
        return bytes.fromhex(found[1].decode())
    return LETTERS.get(found[2], found[2])
