"""Random requests of memcached's protocol, seeded: what is common, what is rare, what is wrong."""

import random

__all__ = ["WRONG", "Requests"]

KEYS = [b"a", b"b", b"c", b"key:4", b"x" * 250, b"\xc3\xa4", b"t\tab"]
BINARY_KEYS = [b"YQBi", b"/w==", b"IHNwYWNl"]
VALUES = [
    b"",
    b"1",
    b"5",
    b"9",
    b"10",
    b"99",
    b"100",
    b"text",
    b" 7",
    b"8 x",
    b"\r\nz",
    b"\x00\xff" * 9,
]
VALUES += [b"18446744073709551615", b"18446744073709551616", b"y" * 3000]
LIFETIMES = [b"0", b"0", b"0", b"100", b"1000", b"100000"]
UNIQUES = [b"<latest>", b"<latest>", b"<first>", b"1", b"0", b"4611686018427387904"]

#: What is not right, and how wrong it is; each leaves the connection where a command may begin.
WRONG = [
    b"\r\n",
    b"\n",
    b"x\r\n",
    b"foo bar\r\n",
    b"GET a\r\n",
    b"MN\r\n",
    b"mx\r\n",
    b"m\r\n",
    b"get\r\n",
    b"gets \r\n",
    b"gat\r\n",
    b"gat 10\r\n",
    b"gat x a\r\n",
    b"get " + b"x" * 251 + b"\r\n",
    b"set wrong-a 0 0 1\r\n1\r\n",
    b"get wrong-a " + b"x" * 251 + b"\r\n",
    b"set k -1 0 1\r\na\r\n",
    b"set k 0 0 -1\r\n",
    b"set k 0 x 1\r\na\r\n",
    b"set k 0 0\r\na\r\n",
    b"set " + b"x" * 251 + b" 0 0 1\r\na\r\n",
    b"set k 0 0 1 2 3\r\na\r\n",
    b"set k 0 0 2147483646\r\n",
    b"set k 0 0 3\r\nabcdef\r\n",
    b"set k 0 0 1 noreply\r\n12\r\n",
    b"set k x 0 1 noreply\r\na\r\n",
    b"set k 0 0 1 other\r\na\r\n",
    b"cas k 0 0 1 x\r\na\r\n",
    b"cas k 0 0 1\r\na\r\n",
    b"incr k\r\n",
    b"incr k x\r\n",
    b"incr k -1\r\n",
    b"incr k x noreply\r\n",
    b"incr k 1 2 3\r\n",
    b"incr " + b"x" * 251 + b" 1\r\n",
    b"decr k 18446744073709551616\r\n",
    b"decr no-such 1\r\n",
    b"touch k\r\n",
    b"touch k x\r\n",
    b"touch k x noreply\r\n",
    b"touch k 1 2 3\r\n",
    b"delete\r\n",
    b"delete k 1\r\n",
    b"delete k 0 x\r\n",
    b"delete k 5 noreply\r\n",
    b"delete k 1 2 3\r\n",
    b"delete " + b"x" * 251 + b"\r\n",
    b"flush_all x\r\n",
    b"flush_all x noreply\r\n",
    b"flush_all 1 2 3\r\n",
    b"version\r\n",
    b"version x\r\n",
    b"verbosity\r\n",
    b"verbosity x\r\n",
    b"verbosity 0\r\n",
    b"verbosity 0 noreply\r\n",
    b"shutdown\r\n",
    b"shutdown graceful\r\n",
    b"cache_memlimit\r\n",
    b"cache_memlimit x\r\n",
    b"cache_memlimit 1\r\n",
    b"cache_memlimit 64\r\n",
    b"cache_memlimit 64 noreply\r\n",
    b"cache_memlimit 2000000000\r\n",
    b"stats foo\r\n",
    b"stats sizes\r\n",
    b"stats reset\r\n",
    b"lru\r\n",
    b"lru_crawler\r\n",
    b"slabs\r\n",
    b"mg\r\n",
    b"ms\r\n",
    b"md\r\n",
    b"ma\r\n",
    b"me\r\n",
    b"mg " + b"x" * 251 + b"\r\n",
    b"mg k v v\r\n",
    b"mg k \xff\r\n",
    b"mg k Z\r\n",
    b"mg k S\r\n",
    b"mg k R\r\n",
    b"mg k Tx\r\n",
    b"mg k O" + b"y" * 32 + b"\r\n",
    b"mg k O" + b"y" * 31 + b"\r\n",
    b"mg YQ b\r\n",
    b"mg k" + b" v" * 18 + b"\r\n",
    b"mg k a b c d e f g h i j k l m n o p q r s t u v\r\n",
    b"ms k\r\n",
    b"ms k S3\r\nabc\r\n",
    b"ms k -1\r\n",
    b"ms k 3 Z\r\nabc\r\n",
    b"ms k 3\r\nabcd\r\n",
    b"ms k 3 q\r\nabcd\r\n",
    b"ms k 3 MX\r\nabc\r\n",
    b"ms k 3 MSS\r\nabc\r\n",
    b"ms k 3 M\r\nabc\r\n",
    b"ms k 3 Fx\r\nabc\r\n",
    b"ms k 3 Tx\r\nabc\r\n",
    b"ms k 3 C\r\nabc\r\n",
    b"ms k 3 T0 T0\r\nabc\r\n",
    b"ms k 3 O" + b"y" * 40 + b"\r\nabc\r\n",
    b"ms YQ 3 b\r\nabc\r\n",
    b"ms k 2147483647\r\n",
    b"ms " + b"x" * 251 + b" 1\r\n1\r\n",
    b"ms k 1 v v q\r\n1\r\n",
    b"md k Z\r\n",
    b"md k q q\r\n",
    b"md k Cx\r\n",
    b"md YQ b\r\n",
    b"md k O" + b"y" * 40 + b"\r\n",
    b"ma k Dx\r\n",
    b"ma k Jx\r\n",
    b"ma k MX\r\n",
    b"ma k MII\r\n",
    b"ma k Nx\r\n",
    b"me YQ b\r\n",
    b"me no-such\r\n",
    b"mn x\r\n",
    b"get wrong-a\0b\r\n",
    b"mg wrong-a\0b v\r\n",
    b"  get  wrong-a   \r\n",
    b"set wrong-b 0 0 1\n1\r\nget wrong-b\n",
    b"set wrong-b 0 0 1\n1\nx",
    b"set big 0 0 1048576\r\n" + b"x" * 1048576 + b"\r\n",
    b"set big 0 0 1048576 noreply\r\n" + b"x" * 1048576 + b"\r\n",
    b"ms big 1048576 q\r\n" + b"x" * 1048576 + b"\r\n",
    b"set big 0 0 1048000\r\n" + b"x" * 1048000 + b"\r\n",
]


class Requests:
    """An endless stream of requests, each with the key whose unique it may name."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def __iter__(self) -> "Requests":
        return self

    def __next__(self) -> tuple[bytes, bytes]:
        kinds = [self.get, self.store, self.number, self.other, self.mg, self.ms, self.md, self.ma]
        kind = self.random.choices(kinds, [4, 4, 3, 2, 5, 4, 2, 3])[0]
        key = self.random.choice(KEYS)
        return kind(key), key

    def noreply(self) -> bytes:
        """Now and then a wish for no answer."""
        return self.random.choice([b"", b"", b"", b" noreply"])

    def get(self, key: bytes) -> bytes:
        """A fetch of one key or several."""
        keys = b" ".join([key, *self.random.choices(KEYS, k=self.random.choice([0, 0, 1, 30]))])
        name = self.random.choice([b"get", b"gets", b"gat %s", b"gats %s", b"bget"])
        if b"%s" in name:
            name %= self.random.choice([*LIFETIMES, b"-1"])
        return b"%s %s\r\n" % (name, keys)

    def store(self, key: bytes) -> bytes:
        """A storage command."""
        name = self.random.choice(
            [b"set", b"set", b"add", b"replace", b"append", b"prepend", b"cas"]
        )
        value = self.random.choice(VALUES)
        flags = self.random.choice([b"0", b"0", b"7", b"4294967295"])
        unique = b" " + self.random.choice(UNIQUES) if name == b"cas" else b""
        life = self.random.choice([*LIFETIMES, b"-1"])
        head = b"%s %s %s %s %d%s" % (name, key, flags, life, len(value), unique)
        return b"%s%s\r\n%s\r\n" % (head, self.noreply(), value)

    def number(self, key: bytes) -> bytes:
        """An addition or a subtraction."""
        name = self.random.choice([b"incr", b"decr"])
        delta = self.random.choice([b"0", b"1", b"9", b"1000", b"18446744073709551615"])
        return b"%s %s %s%s\r\n" % (name, key, delta, self.noreply())

    def other(self, key: bytes) -> bytes:
        """A touch, a deletion, seldom a flush."""
        life = self.random.choice([*LIFETIMES, b"-1"])
        return self.random.choice(
            [
                b"touch %s %s%s\r\n" % (key, life, self.noreply()),
                b"delete %s%s\r\n" % (key, self.noreply()),
                b"delete %s 0%s\r\n" % (key, self.noreply()),
                b"me %s\r\n" % key,
                b"me %s\r\n" % key,
                b"touch %s %s%s\r\n" % (key, life, self.noreply()),
                b"touch %s %s%s\r\n" % (key, life, self.noreply()),
                b"flush_all%s\r\n" % self.noreply(),
            ]
        )

    def flags(self, *choices: bytes) -> bytes:
        """Some of these flags, in any order."""
        chosen = self.random.sample(choices, self.random.randrange(min(6, len(choices))))
        return b"".join(b" " + flag for flag in chosen)

    def lifetime(self, letter: bytes) -> bytes:
        """A flag with a lifetime."""
        return letter + self.random.choice(LIFETIMES)

    def mg(self, key: bytes) -> bytes:
        """A meta get; at times of a key in base64."""
        shows = [b"c", b"f", b"h", b"k", b"l", b"s", b"t", b"v", b"v", b"q", b"u", b"Oab1"]
        shows = list(dict.fromkeys(shows))
        if self.random.random() < 0.1:
            return b"mg %s b%s\r\n" % (self.random.choice(BINARY_KEYS), self.flags(*shows))
        recache = b"R" + self.random.choice([b"0", b"50", b"500", b"200000"])
        changes = [self.lifetime(b"N"), recache, self.lifetime(b"T"), b"L/x", b"Pname"]
        return b"mg %s%s\r\n" % (key, self.flags(*shows, *changes))

    def ms(self, key: bytes) -> bytes:
        """A meta set; at times of a key in base64."""
        value = self.random.choice(VALUES)
        mode = b"M" + self.random.choice([b"S", b"E", b"R", b"A", b"P"])
        flags = [b"c", b"k", b"q", b"O9", b"F5", self.lifetime(b"T"), b"I"]
        if self.random.random() < 0.1:
            key, flags = self.random.choice(BINARY_KEYS), [b"b", *flags]
            chosen = b" b" + self.flags(*flags[1:])
        else:
            unique = b"C" + self.random.choice(UNIQUES)
            chosen = self.flags(*flags, mode, mode[:1] + b"S", unique)
            if chosen.count(b" M") > 1:
                chosen = chosen.replace(b" MS", b"")
        return b"ms %s %d%s\r\n%s\r\n" % (key, len(value), chosen, value)

    def md(self, key: bytes) -> bytes:
        """A meta delete, or a mark as stale."""
        unique = b"C" + self.random.choice(UNIQUES)
        if self.random.random() < 0.1:
            return b"md %s b%s\r\n" % (
                self.random.choice(BINARY_KEYS),
                self.flags(b"k", b"q", b"I"),
            )
        return b"md %s%s\r\n" % (
            key,
            self.flags(b"I", b"k", b"q", b"O1", self.lifetime(b"T"), unique),
        )

    def ma(self, key: bytes) -> bytes:
        """A meta addition. Without a new lifetime: memcached loses it where the number grows."""
        mode = b"M" + self.random.choice([b"I", b"D", b"+", b"-"])
        delta = b"D" + self.random.choice([b"0", b"1", b"7", b"18446744073709551615"])
        unique = b"C" + self.random.choice(UNIQUES)
        flags = [
            b"c",
            b"k",
            b"q",
            b"t",
            b"v",
            b"O1",
            self.lifetime(b"N"),
            b"J13",
            mode,
            delta,
            unique,
        ]
        return b"ma %s%s\r\n" % (key, self.flags(*flags))
