"""Keys by keyed hash: who has the trace and not the secret cannot tell keys, or try them out.

BLAKE2b (RFC 7693) with the secret as its key, 64 bits of output in hexadecimal: two keys of a
million become one with a chance of 3 in a hundred million. The same secret gives the same names
in another recording; a random one, the default, is forgotten with the process.

What a hash does not hide: how often and when each key is asked for, and its size.
"""

import secrets
from hashlib import blake2b
from typing import Final

from augury.errors import ConfigError

__all__ = ["Anonymiser"]

#: Bytes.
SHORTEST_SECRET = 16
#: BLAKE2b takes no longer key.
LONGEST_SECRET = 64
#: Namespaces told apart, as everywhere in augury; more are no namespaces but names.
MOST_NAMESPACES = 1024
SEPARATORS: Final = (ord(":"), ord("/"))
RULES = ("keep", "hash")


class Anonymiser:
    """Replaces keys by hashes and keeps their namespaces apart.

    The namespace is the part up to the first ``:`` or ``/``. ``namespaces="keep"`` leaves it as it
    is, ``"hash"`` hashes it separately. Of the former at most 1,024 are left, and those beyond are
    hashed: where there are so many they are likely to be names. The secret never appears in a
    message or in the representation of this object.

    >>> hide = Anonymiser(secret=b"sixteen bytes or more")
    >>> namespace, _, name = hide(b"user:42").partition(b":")
    >>> namespace, len(name), hide(b"user:42") == hide(b"user:42")
    (b'user', 16, True)
    >>> hide
    Anonymiser(namespaces='keep')
    """

    def __init__(self, secret: bytes | None = None, namespaces: str = "keep") -> None:
        if namespaces not in RULES:
            raise ConfigError(f"namespaces {namespaces!r}: expected one of {', '.join(RULES)}")
        if secret is not None and len(secret) < SHORTEST_SECRET:
            raise ConfigError(
                f"the secret has {len(secret)} bytes, expected at least {SHORTEST_SECRET}: "
                "make one with `openssl rand -hex 32`, or give none for a random one"
            )
        if secret is None:
            secret = secrets.token_bytes(LONGEST_SECRET)
        elif len(secret) > LONGEST_SECRET:
            secret = blake2b(secret).digest()
        self.namespaces = namespaces
        #: Namespaces left as they are so far.
        self.kept: set[bytes] = set()
        # The state after the secret: copying it is twice as fast as beginning anew.
        self._keys = blake2b(key=secret, digest_size=8, person=b"augury key")
        self._namespaces = blake2b(key=secret, digest_size=8, person=b"augury namespace")

    def __call__(self, key: bytes) -> bytes:
        """The name that stands for the key."""
        hashed = self._keys.copy()
        hashed.update(key)
        name = hashed.hexdigest().encode()
        places = [place for place in map(key.find, SEPARATORS) if place > 0]
        if not places:
            return name
        place = min(places)
        return self._namespace(key[:place]) + key[place : place + 1] + name

    def _namespace(self, namespace: bytes) -> bytes:
        if self.namespaces == "keep":
            if namespace in self.kept:
                return namespace
            if len(self.kept) < MOST_NAMESPACES:
                self.kept.add(namespace)
                return namespace
        hashed = self._namespaces.copy()
        hashed.update(namespace)
        return hashed.hexdigest().encode()

    def __repr__(self) -> str:
        """The rule, and never the secret."""
        return f"Anonymiser(namespaces={self.namespaces!r})"
