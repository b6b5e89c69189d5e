"""Logs of PostgreSQL: what is read from their statements, in three formats, of a real server."""

import time
from pathlib import Path

import pytest
from examples.query_cache.postgres import postgres, tools
from hypothesis import given
from hypothesis import strategies as st

import augury
from augury.errors import ConfigError
from augury.recording import KeyedRequest, LeftOut, StatementLog
from augury.recording.log_prefix import read_prefix, seconds_of
from augury.recording.statement import key_of, read_statement

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")

try:
    tools()
    IS_INSTALLED = True
except FileNotFoundError:
    IS_INSTALLED = False

HEAD = "2026-01-02 03:04:05.678 UTC [9] "


def read(folder: Path, text: str, **options: str) -> list[KeyedRequest | LeftOut]:
    """What a log with this text yields."""
    path = folder / "postgresql.log"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return [one for one in StatementLog(path, **options) if one is not None]


def keys(found: list[KeyedRequest | LeftOut]) -> list[bytes]:
    """The keys of the requests."""
    return [one.key for one in found if isinstance(one, KeyedRequest)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select * from t where a = 1", "SELECT *\n\tFROM t -- all\nWHERE a=2;"),
        ("select * from t where a in (1, 2)", "select * from t where a in (1, 2, 3, 4)"),
        ("select * from t where a = 'it''s'", "select * from t where a = E'it\\'s -- no'"),
        ("select * from t where a = $$x$$", "select * from t where a = $q$ $$ $q$"),
        ("select /* by id */ * from t where a = 1.5", "select * from t where a = 1e9"),
        ("select * from t where a = ':' limit 5", "select * from t where a = ';' limit 50"),
    ],
)
def test_statements_that_differ_in_literals_are_of_one_shape(one: str, other: str) -> None:
    """Blanks, comments, case and the length of lists make no difference; values make the key."""
    first, second = read_statement(one), read_statement(other)
    assert (None, None) == (first.reason, second.reason)
    assert first.shape == second.shape
    shapes = {key_of(found, "", "").partition(b":")[0] for found in (first, second)}
    assert 1 == len(shapes)
    assert key_of(first, "", "") != key_of(second, "", "")


def test_parameters_and_databases_make_the_key() -> None:
    """The same statement with other parameters, or in another database, is another object."""
    found = read_statement("select * from t where a = $1")
    made = {key_of(found, given, database) for given in "12" for database in ("a", "b")}
    assert 4 == len(made)
    assert {b"t"} == {key.partition(b".")[0] for key in made}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("insert into t values (1)", "writes"),
        ("with gone as (delete from t returning *) select * from gone", "writes"),
        ("copy t from stdin", "writes"),
        ("begin", "no table"),
        ("select 1", "no table"),
        ("select extract(epoch from now())", "no table"),
        ("show all", "no table"),
        ("", "no table"),
        ("select * from t for update", "lock"),
        ("select * from t for no key update", "lock"),
        ("select nextval('s') from t", "change something"),
        ("select * into u from t", "change something"),
        ("select 1 from t; select 2 from t", "several"),
        ("select * from pg_catalog.pg_class", "catalogue"),
        ("select * from information_schema.tables", "catalogue"),
    ],
)
def test_what_reads_no_rows_or_changes_some_is_left_out(text: str, word: str) -> None:
    """And says why."""
    assert word in (read_statement(text).reason or "")


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("select * from only shop.articles a", "shop.articles"),
        ('select * from "Big"."Table"', "Big.Table"),
        ("select * from (select * from inner_one) x join other on true", "inner_one"),
        ("with a as (select * from t) select * from a", "t"),
        ("select substring(x from 2) from t", "t"),
        ("select * from generate_series(1, 3) join t on true", "t"),
    ],
)
def test_the_first_table_is_the_namespace(text: str, table: str) -> None:
    """By its name as it is written."""
    assert table == read_statement(text).table


@given(st.text(max_size=300))
def test_no_text_does_harm(text: str) -> None:
    """Whatever a client sends as a statement."""
    found = read_statement(text)
    assert key_of(found, text, text).count(b":") >= 1


@pytest.mark.parametrize(
    "text",
    ["/*" * 500_000, "'" * 999_999, "select " + "E'\\" * 300_000, "$a" * 500_000, '"' * 999_999,
     "(" * 1_000_000, "from " * 200_000, "from " + "a." * 400_000, "1e" * 500_000],
)  # fmt: skip
def test_hostile_text_takes_time_in_proportion(text: str) -> None:
    """A megabyte of it takes seconds at most, not hours."""
    started = time.process_time()
    read_statement(text)
    assert time.process_time() - started < 20


def test_lines_for_people(tmp_path: Path) -> None:
    """Details belong to the message before; lines that begin with a tab go on; others are told."""
    text = (
        f"{HEAD}LOG:  execute q: select * from t where a = $1\n"
        f"{HEAD}DETAIL:  parameters: $1 = 'multi\n\tline'\n"
        f"{HEAD}LOG:  statement: select *\n\tfrom t -- LOG:  statement: x\n\twhere a = 1\n"
        f"{HEAD}ERROR:  relation does not exist\n"
        f"{HEAD}STATEMENT:  select * from nope\n"
        f"{HEAD}LOG:  duration: 0.5 ms  statement: select * from t where a = 2\n"
        f"{HEAD}LOG:  duration: 0.5 ms\n"
        f"{HEAD}LOG:  duration: 0.1 ms  bind q: select * from t where a = $1\n"
        f"{HEAD}LOG:  execute fetch from c: select * from t\n"
    )
    found = read(tmp_path, text)
    assert 3 == len(keys(found))
    assert 3 == len(set(keys(found)))
    assert ["fetches from a cursor"] == [
        one.reason for one in found if isinstance(one, LeftOut) and "cursor" in one.reason
    ]
    assert not any(one.malformed for one in found if isinstance(one, LeftOut))
    (moment,) = {one.time for one in found if isinstance(one, KeyedRequest)}
    assert pytest.approx(1_767_323_045.678) == moment


def test_the_parameters_tell_answers_apart(tmp_path: Path) -> None:
    """Two executions with the same ones are one object, in PostgreSQL 16's spelling too."""
    text = "".join(
        f"{HEAD}LOG:  execute q: select * from t where a = $1\n"
        f"{HEAD}DETAIL:  {word}: $1 = '{value}'\n"
        for word, value in (("parameters", 1), ("Parameters", 1), ("parameters", 2))
    )
    first, again, other = keys(read(tmp_path, text))
    assert first == again != other


@pytest.mark.parametrize(
    ("prefix", "head"),
    [
        ("%m [%p] ", HEAD),
        ("%t:%r:%u@%d:[%p]: ", "2026-01-02 03:04:05 UTC:10.0.0.1(53):me@shop:[9]: "),
        ("%m [%p] %q%u@%d ", "2026-01-02 03:04:05.678 UTC [9] me@shop "),
        ("%m [%p] %q%u@%d ", HEAD),
        ("%n %a ", "1767323045.678 psql "),
        ("<%a> %-8p %m ", "<2020-01-01 00:00:00 UTC> 9        2026-01-02 03:04:05.678 UTC "),
    ],
)
def test_prefixes_of_ones_own(tmp_path: Path, prefix: str, head: str) -> None:
    """The time is where the prefix says, whatever stands elsewhere."""
    (found,) = read(tmp_path, f"{head}LOG:  statement: select * from t\n", line_prefix=prefix)
    assert isinstance(found, KeyedRequest)
    assert 1_767_323_045 == int(found.time)


@pytest.mark.parametrize("prefix", ["%p ", "%m %m", "", "%d %m %d"])
def test_prefixes_without_one_time_are_refused(prefix: str) -> None:
    """With what is expected."""
    with pytest.raises(ConfigError, match="line prefix"):
        read_prefix(prefix)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1970-01-01 02:00:00 +02", 0.0), ("1970-01-01 00:00:00.25 -0130", 5400.25), ("x", None),
     ("1970-02-31 00:00:00 UTC", None), ("9999-12-31 23:59:59 -12", None)],
)  # fmt: skip
def test_times(text: str, seconds: float | None) -> None:
    """With offsets; None for what is none or cannot be told."""
    found = seconds_of(text)
    assert seconds == found or (seconds is None and found is not None and found > 2e11)


@pytest.mark.parametrize(
    "noise",
    [
        "noise\n",
        "\tgoes on\n",
        "LOG:  statement: select * from t\n",
        f"{HEAD}SOMETHING:  x\n",
        '2026-01-02 03:04:05.678 UTC,"a"\n',
        '2026-01-02 03:04:05.678 UTC,"never closed\n',
        "{}\n",
        "[1]\n",
        '{"timestamp": "soon", "message": "statement: select * from t"}\n',
        "{" * 5000 + "\n",
        "\x00\n",
        "x" * (2**20 + 1) + "\n",
    ],
)
def test_hostile_lines_are_counted(tmp_path: Path, noise: str) -> None:
    """Before and among sound ones, whose number is as expected where they can still be told."""
    good = f"{HEAD}LOG:  statement: select * from t\n"
    assert 2 == len(keys(read(tmp_path, good + noise + good)))
    first = read(tmp_path, noise + good)
    assert any(isinstance(one, LeftOut) and one.malformed for one in first)


@given(st.lists(st.sampled_from(
    [HEAD, "LOG:  ", "DETAIL:  ", "statement: ", "select 1 from t", "\n", "\t", '"', ",", "{", "}",
     "2026-01-02 03:04:05.678 UTC,", "parameters: ", "'", "\x00", "é"]), min_size=1, max_size=60)
)  # fmt: skip
def test_no_log_does_harm(pieces: list[str]) -> None:
    """Whatever is made of a log's pieces."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        for one in read(Path(name), "".join(pieces)):
            assert isinstance(one, KeyedRequest | LeftOut)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a real server wrote of one session, in its three formats."""
    if not IS_INSTALLED:
        pytest.skip("PostgreSQL is not installed")
    kept = tmp_path_factory.mktemp("postgresql")
    settings = (
        "-c log_statement=all -c logging_collector=on -c log_destination=stderr,csvlog,jsonlog "
        "-c log_filename=pg.log"
    )
    with postgres(settings) as url, psycopg.connect(
        url.replace("+psycopg", ""), autocommit=True
    ) as session:  # fmt: skip
        session.execute("create table articles (id int primary key, name text)")
        session.execute("insert into articles values (%s, %s)", (1, "it's"))
        for number in (1, 2, 1):
            session.execute("select * from articles where id = %s", (number,))
        session.execute("select *\n  from articles\n\twhere name = 'it''s, \"so\"' -- LOG:  x\n")
        session.execute("select name from articles where name = %s", ("multi\nline",))
        with pytest.raises(psycopg.Error):
            session.execute("select * from nope")
        (folder,) = session.execute("show data_directory").fetchone()
        session.execute("select 'the end'")
        source = Path(folder) / "log"
        until = time.monotonic() + 60
        while not all(
            "the end" in (source / f"pg.{kind}").read_text() for kind in ("log", "csv", "json")
        ):
            assert time.monotonic() < until, "the server's collector does not write"
        for path in source.iterdir():
            (kept / path.name).write_bytes(path.read_bytes())
    return kept


@pytest.mark.parametrize("kind", ["log", "csv", "json"])
def test_a_real_server(logs: Path, tmp_path: Path, kind: str) -> None:
    """Six SELECTs from tables, five answers; writes and the rest are told, nothing is malformed."""
    target = tmp_path / "out.csv"
    found = augury.record(logs / f"pg.{kind}", target, log_format="postgresql")
    assert (6, 5, 6) == (found.requests, found.objects, found.sizes_unknown)
    reasons = {one.reason: one.count for one in found.left_out}
    assert not any("malformed" in reason for reason in reasons)
    assert 1 == reasons["writes, which make answers stale that no key tells"]
    names = [row.split(",")[1] for row in target.read_text().splitlines()[1:]]
    assert names[0] == names[2] != names[1]
    assert {"articles", "nope"} == {name.partition(".")[0] for name in names}


def test_options_that_are_about_something_else(tmp_path: Path) -> None:
    """Are refused, both ways."""
    (tmp_path / "a.log").write_text("x\n")
    for options in (
        {"log_format": "postgresql", "query": "drop"},
        {"log_format": "postgresql", "columns": "key=x"},
        {"line_prefix": "%m "},
    ):
        with pytest.raises(ConfigError):
            augury.record(tmp_path / "a.log", tmp_path / "a.csv", **options)
