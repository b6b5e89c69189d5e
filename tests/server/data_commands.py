"""Random commands on strings, keys and hashes: right ones, and such as a server has to refuse."""

import random
from collections.abc import Callable, Sequence

from wire import Argument

__all__ = ["BITS", "DATA", "FIELD_EXPIRY", "Dice", "command"]


KEYS = [b"k1", b"k2", b"k3", b"key:4", b"h1", b"h2", b"h3"]
FIELDS = [b"f1", b"f2", b"f3", b"", b"a\x00b\r\n"]
#: Strings of Redis's kinds: numbers, short, long, with any bytes.
VALUES = [
    b"", b"0", b"7", b"-12", b"3.5", b"1e3", b"abc", b"hello world", b"010", b" 5", b"+5", b"5 ",
    b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808", b"x" * 44,
    b"y" * 45, b"z" * 200, b"\x00\xff\r\n", b"inf", b"nan", b"1000.1", b"-0", b"0.1", b"abcabx",
]  # fmt: skip
INTEGERS = [
    0, 1, -1, 2, 5, -3, 10, 100, -100, 2**31, 2**31 - 1, -(2**31) - 1, 2**63 - 1, -(2**63), 2**63,
    "abc", "", "1.5", "01", "+1", " 1", 536870912, 2**62,
]  # fmt: skip
FLOATS = [
    "0.1", "0.2", "-1.5", "3", "1e3", "5.0e3", "abc", "", "inf", "-inf", "nan", "1e400",
    " 1", "1 ", "1e-5", "-0.0", ".5", "1000.1", "123456789.987654321", "1e17", "1e19", "1e-20",
    "1e5000", "5.",
]  # fmt: skip
#: Far in the past, or in the future: no test is so slow that it would matter.
TIMES = [
    1000, 5000, 100000, 0, -1, -1000, 2**31, 2**40, 2**63 - 1, -(2**63), 2**63 // 1000,
    2**63 // 1000 + 1, "abc", "", "1.5",
]  # fmt: skip
MOMENTS = [1, 1000, 4102444800, 4102444800000, 0, -1, 2**63 - 1, 2**62, "abc"]
PATTERNS = ["*", "k*", "k?", "[kh]1", "k[^1]", "key:[0-9]", "h[1-2]", "\\k1", "", "*1**"]
WORDS: dict[str, list[Argument]] = {
    "KEY": [*KEYS], "FIELD": [*FIELDS], "VALUE": [*VALUES], "INT": [*INTEGERS],
    "FLOAT": [*FLOATS], "TIME": [*TIMES], "MOMENT": [*MOMENTS], "PATTERN": [*PATTERNS],
    "CURSOR": ["abc", "1.5", "x1", 100, "18446744073709551615", 10**30],
    "MANY": [0, 100, 2**63 - 1, 2**62, 2**63, -(2**63), "abc", "", "1.5"],
    "SOON": [1000, 5000, 100000, 0, -1, 2**63 - 1, "abc", ""],
    "SECOND": [1, 1000, 4102444800, 4102444801, 0, -1, "abc", ""],
    "MILLI": [1, 1000, 4102444800000, 4102444801000, 0, -1, "abc", ""],
    "SMALL": [0, 1, -1, 2, 3, -4, 7, 100, -100, "abc", 2**63 - 1, -(2**63)],
    "DB": [0, 1, 2, 15, 16, -1, "abc", 2**31, 2**63 - 1],
    "BIT": [0, 1, 0, 1, 2, "abc", -1], "OFFSET": [0, 1, 7, 8, 100, 2**32, -1, "abc", "", 2**63 - 1],
    "TYPE": ["string", "hash", "list", "STRING"],
    "OP": ["AND", "OR", "XOR", "NOT", "and", "NAND"],
    "FORM": ["u8", "i8", "u1", "i64", "u63", "u64", "i0", "i16", "x", "u4"],
    "AT": [0, 1, 8, "#1", "#0", "#3", -1, "abc", 100],
}  # fmt: skip
#: `A|B` is one of both, `[A B]` may be missing, `A...` comes once to three times.
DATA = [
    "GET KEY", "GET KEY", "SET KEY VALUE", "SET KEY VALUE", "SET KEY VALUE", "SET KEY INT",
    "SET KEY VALUE [NX|XX] [GET] [EX TIME|PX TIME|EXAT MOMENT|PXAT MOMENT|KEEPTTL]",
    "SET KEY VALUE [NX|XX|GET] [EX TIME|PX TIME|KEEPTTL] [NX|XX|GET|KEEPTTL|EX TIME]",
    "SETNX KEY VALUE", "SETEX KEY TIME VALUE", "PSETEX KEY TIME VALUE", "GETSET KEY VALUE",
    "GETDEL KEY", "GETEX KEY [EX TIME|PX TIME|EXAT MOMENT|PXAT MOMENT|PERSIST] [PERSIST|EX TIME]",
    "STRLEN KEY", "MGET KEY...", "MSET KEY VALUE [KEY VALUE] [KEY]",
    "MSETNX KEY VALUE [KEY VALUE] [KEY]", "APPEND KEY VALUE", "GETRANGE KEY INT INT",
    "SUBSTR KEY SMALL SMALL", "GETRANGE KEY SMALL SMALL", "SETRANGE KEY SMALL VALUE",
    "SETRANGE KEY OFFSET VALUE", "INCR KEY", "DECR KEY", "INCRBY KEY INT", "DECRBY KEY INT",
    "INCRBYFLOAT KEY FLOAT", "INCRBYFLOAT KEY FLOAT",
    "LCS KEY KEY [LEN] [IDX] [MINMATCHLEN SMALL] [WITHMATCHLEN]",
    "DEL KEY...", "UNLINK KEY...", "EXISTS KEY...", "TOUCH KEY...", "TYPE KEY", "TYPE KEY",
    "EXPIRE KEY TIME [NX|XX|GT|LT] [NX|XX|GT|LT|ZZ]", "PEXPIRE KEY TIME [NX|XX|GT|LT]",
    "EXPIREAT KEY MOMENT [NX|XX|GT|LT]", "PEXPIREAT KEY MOMENT [NX|XX|GT|LT]",
    "TTL KEY", "PTTL KEY", "EXPIRETIME KEY", "PEXPIRETIME KEY", "PERSIST KEY",
    "RENAME KEY KEY", "RENAMENX KEY KEY", "COPY KEY KEY [DB DB] [REPLACE] [DB]", "MOVE KEY DB",
    "KEYS PATTERN", "SCAN 0 COUNT 1000 [MATCH PATTERN] [TYPE TYPE] [COUNT INT]",
    "SCAN CURSOR", "OBJECT ENCODING KEY",
    "HSET KEY FIELD VALUE [FIELD VALUE] [FIELD]", "HSET KEY FIELD VALUE", "HSET KEY FIELD VALUE",
    "HMSET KEY FIELD VALUE [FIELD VALUE] [FIELD]", "HSETNX KEY FIELD VALUE", "HGET KEY FIELD",
    "HMGET KEY FIELD...", "HGETALL KEY", "HKEYS KEY", "HVALS KEY", "HDEL KEY FIELD...",
    "HEXISTS KEY FIELD", "HLEN KEY", "HSTRLEN KEY FIELD", "HINCRBY KEY FIELD INT",
    "HINCRBYFLOAT KEY FIELD FLOAT", "HRANDFIELD KEY 100 [WITHVALUES]",
    "HRANDFIELD KEY MANY [WITHVALUES|VALUE]", "HRANDFIELD KEY 0",
    "HSCAN KEY 0 [MATCH PATTERN] [COUNT SMALL]", "HSCAN KEY CURSOR",
]  # fmt: skip
BITS = [
    "SET KEY VALUE", "SETBIT KEY OFFSET BIT", "SETBIT KEY OFFSET BIT", "GETBIT KEY OFFSET",
    "DELIFEQ KEY VALUE", "MSETEX 1 KEY VALUE [NX|XX] [EX TIME|PX TIME|EXAT MOMENT|KEEPTTL]",
    "MSETEX SMALL KEY VALUE [KEY VALUE] [KEY] [NX|XX|GET] [EX TIME|PX TIME|KEEPTTL] [XX|EX TIME]",
    "BITCOUNT KEY", "BITCOUNT KEY SMALL SMALL", "BITCOUNT KEY SMALL SMALL BYTE|BIT",
    "BITPOS KEY BIT", "BITPOS KEY BIT SMALL", "BITPOS KEY BIT SMALL SMALL",
    "BITPOS KEY BIT SMALL SMALL BYTE|BIT|VALUE", "BITOP OP KEY KEY...", "GET KEY", "DEL KEY",
    "HSET KEY FIELD VALUE", "BITFIELD KEY GET FORM AT", "BITFIELD KEY SET FORM AT INT",
    "BITFIELD KEY [OVERFLOW SAT|OVERFLOW FAIL|OVERFLOW X] INCRBY FORM AT INT [GET FORM AT]",
    "BITFIELD_RO KEY GET FORM AT [SET u8 0 1]", "BITFIELD KEY GET FORM", "STRLEN KEY",
]  # fmt: skip
FIELD_EXPIRY = [
    "HSET KEY FIELD VALUE [FIELD VALUE]", "HSET KEY FIELD VALUE", "HSET KEY FIELD VALUE",
    "HEXPIRE KEY SOON [NX|XX|GT|LT] FIELDS COUNT", "HPEXPIRE KEY SOON [NX|XX|GT|LT] FIELDS COUNT",
    "HEXPIREAT KEY SECOND [NX|XX|GT|LT] FIELDS COUNT", "HPERSIST KEY FIELDS COUNT",
    "HPEXPIREAT KEY MILLI [NX|XX|GT|LT] FIELDS COUNT", "HTTL KEY FIELDS COUNT",
    "HPTTL KEY FIELDS COUNT", "HEXPIRETIME KEY FIELDS COUNT", "HPEXPIRETIME KEY FIELDS COUNT",
    "HGETDEL KEY FIELDS COUNT", "HGETALL KEY", "HLEN KEY", "HGET KEY FIELD", "TYPE KEY",
    "HGETEX KEY [EX SOON|PX SOON|EXAT SECOND|PXAT MILLI|PERSIST] FIELDS COUNT",
    "HSETEX KEY [FNX|FXX] [EX SOON|PX SOON|EXAT SECOND|PXAT MILLI|KEEPTTL] FIELDS PAIRS",
    "HINCRBY KEY FIELD INT", "HDEL KEY FIELD...", "DEL KEY", "SET KEY VALUE", "EXISTS KEY",
    "COPY KEY KEY", "RENAME KEY KEY", "HSCAN KEY 0 NOVALUES",
]  # fmt: skip

#: Their cursors are the server's own, one is random, and Valkey's BITCOUNT does without an end.
UNSPOILED = {"SCAN", "HSCAN", "BITCOUNT", "HRANDFIELD"}

Dice = random.Random


def words(template: str) -> list[str]:
    """The words of a template; what stands in brackets is one."""
    found, depth = [""], 0
    for letter in template:
        depth += (letter == "[") - (letter == "]")
        if letter == " " and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return found


def listed(dice: Dice, make: Callable[[], list[Argument]]) -> list[Argument]:
    """A number, and as many things; sometimes one too many."""
    count = dice.randint(1, 3)
    told = count if dice.random() < 0.9 else dice.choice([0, -1, "x", count + 1])
    return [told, *(part for _ in range(count) for part in make())]


def filled(dice: Dice, word: str) -> list[Argument]:
    """What a word of a template stands for, this time."""
    if word.startswith("["):
        inner = word[1:-1]
        return [] if dice.random() < 0.5 else filled_all(dice, dice.choice(inner.split("|")))
    if "|" in word:
        return filled_all(dice, dice.choice(word.split("|")))
    if word.endswith("..."):
        return [dice.choice(WORDS[word[:-3]]) for _ in range(dice.randint(1, 3))]
    if word == "COUNT":
        return listed(dice, lambda: [dice.choice(FIELDS)])
    if word == "PAIRS":
        return listed(dice, lambda: [dice.choice(FIELDS), dice.choice(VALUES)])
    return [dice.choice(WORDS.get(word, [word]))]


def filled_all(dice: Dice, template: str) -> list[Argument]:
    """What all words of a template stand for, this time."""
    return [part for word in words(template) for part in filled(dice, word)]


def command(dice: Dice, templates: Sequence[str]) -> list[Argument]:
    """A command; one of thirty has an argument too many, too few, or a strange one."""
    made = filled_all(dice, dice.choice(templates))
    if dice.random() < 1 / 30 and made[0] not in UNSPOILED:
        match dice.randrange(3):
            case 0:
                made.append(dice.choice(VALUES))
            case 1 if len(made) > 1:
                made.pop()
            case _ if len(made) > 2:
                made[dice.randrange(2, len(made))] = dice.choice(VALUES)
    return made
