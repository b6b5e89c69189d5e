"""SQL statements as requests: which one reads, and under which key.

A cache of answers is asked by statement and parameters, so the key of a SELECT is its *shape*, the
statement with its literals taken out, and a hash of those literals and of the parameters sent
beside it: ``articles.1b4e28ba:9f86d081884c7d65``. The part in front of the colon, the key's
namespace, is the first table named and the shape. What a statement writes makes answers stale, and
which ones cannot be told by key: writes are no requests (:mod:`.statement_log`). Tokens are read
from left to right, each once, in time proportional to the text, whatever it holds.
"""

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Statement", "key_of", "read_statement"]

TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*)
    |(?P<comment>/\*)
    |(?P<literal>[eE]'(?:[^'\\]|\\.|'')*+'|(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*+'
        |(?<![\w$])\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|(?<![\w$])\.\d+(?:[eE][+-]?\d+)?)
    |(?P<dollar>\$(?P<tag>[A-Za-z_]\w*)?\$)
    |(?P<parameter>\$\d+)
    |(?P<name>"(?:[^"]|"")*+")
    |(?P<word>[^\W\d][\w$]*)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
CATALOGUES = ("pg_", "information_schema")
WRITES = frozenset(("insert", "update", "delete", "merge", "truncate", "copy"))
#: Words that stand where a table may.
NO_TABLES = frozenset(("lateral", "only", "select", "values", "unnest", "generate_series"))
#: Functions for whose effect a statement is run.
EFFECTS = frozenset(
    ("nextval", "setval", "pg_notify", "pg_sleep", "pg_advisory_lock", "pg_advisory_unlock",
     "pg_advisory_xact_lock", "pg_try_advisory_lock", "pg_try_advisory_xact_lock", "lo_create")
)  # fmt: skip


class Statement(NamedTuple):
    """One statement, understood."""

    #: Why it is no request; None for one that reads.
    reason: str | None
    #: What kind of statement is left out.
    kind: str
    #: The first table that it reads.
    table: str
    #: Without its literals.
    shape: str
    literals: tuple[str, ...]


def read_statement(text: str) -> Statement:
    """What a statement does.

    >>> found = read_statement("SELECT name FROM articles a WHERE id = 7 AND x IN (1, 2)")
    >>> found.table, found.shape, found.literals
    ('articles', 'select name from articles a where id = ? and x in ( ? )', ('7', '1', '2'))
    >>> read_statement("UPDATE articles SET name = 'x'").reason
    'writes, which make answers stale that no key tells'
    """
    words, literals = taken_apart(text)
    shape = " ".join(words)
    kind = words[0] if words else ""
    table = first_table(words)
    return Statement(reason_of(kind, words, table), kind.upper()[:20], table, shape, literals)


def taken_apart(text: str) -> tuple[Sequence[str], tuple[str, ...]]:
    """The words with a question mark for each run of literals, and the literals."""
    words: list[str] = []
    literals: list[str] = []
    for kind, piece in tokens(text):
        if kind == "literal":
            literals.append(piece)
            if words[-1:] == [","] and words[-2:-1] == ["?"]:
                # A list of literals is one literal: it may be of any length.
                words.pop()
                continue
            words.append("?")
        elif kind == "word":
            words.append(piece.lower())
        elif not (piece == ";" and not words):
            words.append(piece)
    while words[-1:] == [";"]:
        words.pop()
    return words, tuple(literals)


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """The tokens but blanks and comments, by kind."""
    place = 0
    while found := TOKEN.match(text, place):
        place = found.end()
        kind = found.lastgroup or "other"
        if kind in ("dollar", "tag"):
            place = behind(text, found["dollar"], place)
            yield "literal", text[found.start() : place]
        elif kind == "comment":
            place = behind(text, "*/", place)
        elif kind != "blank":
            yield kind, found[0]


def behind(text: str, end: str, place: int) -> int:
    """The place behind the next ``end``; that of the text's own end where there is none."""
    found = text.find(end, place)
    return len(text) if found < 0 else found + len(end)


def first_table(words: Sequence[str]) -> str:
    """The first name behind FROM or JOIN that is no function; empty where there is none."""
    for place, word in enumerate(words[:-1]):
        if word not in ("from", "join"):
            continue
        at = place + 1
        while words[at : at + 1] and words[at] in ("only", "lateral"):
            at += 1
        name = "".join(dotted(words, at))
        follows = words[at + len(list(dotted(words, at))) :][:1]
        if name and follows != ["("] and name not in NO_TABLES:
            return name.replace('"', "")
    return ""


def dotted(words: Sequence[str], at: int) -> Iterator[str]:
    """A name with its schema, from a place on."""
    while at < len(words) and (words[at][0].isalpha() or words[at][0] in '_"'):
        yield words[at]
        if words[at + 1 : at + 2] != ["."]:
            return
        yield "."
        at += 2


def reason_of(kind: str, words: Sequence[str], table: str) -> str | None:
    """Why a statement is no request."""
    known = set(words)
    if kind in WRITES or (kind == "with" and known & WRITES):
        return "writes, which make answers stale that no key tells"
    if kind not in ("select", "with", "("):
        return "statements that read no table"
    if ";" in known:
        return "several statements in one"
    if known & EFFECTS or "into" in known:
        return "SELECTs that change something"
    if "for" in known and locks(words):
        return "SELECTs that lock what they read"
    if not table:
        return "SELECTs that read no table"
    if table.startswith(CATALOGUES):
        return "SELECTs of the catalogue"
    return None


def locks(words: Sequence[str]) -> bool:
    """Whether rows are locked: FOR UPDATE, FOR NO KEY UPDATE, FOR SHARE, FOR KEY SHARE."""
    ends = {"update", "share", "no", "key"}
    return any(word == "for" and after in ends for word, after in pairwise(words))


def key_of(statement: Statement, parameters: str, database: str) -> bytes:
    r"""The key of a statement that reads.

    >>> one, other = read_statement("select * from t where a = 1"), read_statement(
    ...     "SELECT *\n FROM t WHERE a = 2 -- no more")
    >>> [key_of(found, "", "").partition(b":")[0] for found in (one, other)]
    [b't.245c19ca', b't.245c19ca']
    >>> key_of(one, "", "") == key_of(other, "", "")
    False
    """
    shape = blake2b(statement.shape.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    values = "\x1f".join((database, parameters, *statement.literals))
    given = blake2b(values.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{statement.table[:200]}.{shape}:{given}".encode("utf-8", "surrogatepass")
