"""Users and their rules: answers are those of Redis, and rules hold."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis
from process import Served, executable, serving
from raw import Raw, is_reached

import redis_server

pytestmark = pytest.mark.skipif(executable() is None, reason="augury-server is not built")

RULES = "on >x ~a* %R~b* %W~c* &ch* +@all -@admin -get (+get ~z*)"
#: In order; answers must be the same bytes.
ALIKE = f"""
acl setuser bob {RULES}
acl list
acl users
acl getuser bob
acl getuser nobody
acl setuser bob +nothing
acl setuser bob +acl|nothing
acl setuser bob +acl|setuser|x
acl setuser bob nothing
acl setuser bob +@nothing
acl setuser bob %X~a
acl setuser bob %~a
acl setuser default ~x
acl setuser default &x
acl setuser bob #zz
acl setuser bob <zz
acl setuser bob (+get
acl setuser bob (nothing)
acl setuser bob +select|
acl deluser default
acl deluser nobody nobody2
acl cat nothing
acl genpass 0
acl genpass 4097
acl genpass x
acl dryrun bob set a v
acl dryrun bob set
acl dryrun bob nothing
acl dryrun nobody get x
acl save
acl load
acl nothing
acl
acl whoami x
acl whoami
auth x
auth a b c
auth nobody x
auth bob y
auth bob x
acl whoami
set a1 v
get z1
auth default x
acl log x
acl log reset
acl setuser t reset
acl setuser w %R~x* %W~x* allchannels
acl setuser v on nopass -@all +acl|list +acl allkeys
acl setuser s skip-sanitize-payload +@string resetkeys
acl list
acl getuser w
acl deluser t w v s bob
acl list
""".strip().splitlines()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A server that needs no password."""
    with serving() as server:
        yield server


@pytest.fixture
def client(served: Served) -> Iterator["redis.Redis"]:
    """A client of the default user; all other users go afterwards."""
    with closing(redis.Redis(port=served.port, protocol=2, decode_responses=True)) as default:
        yield default
        others = [user for user in default.acl_users() if user != "default"]
        if others:
            default.acl_deluser(*others)


@pytest.mark.skipif(redis_server.executable() is None, reason="no redis-server")
def test_answers_are_those_of_redis(served: Served, tmp_path: Path) -> None:
    """Byte for byte, errors too."""
    with (
        redis_server.running(tmp_path) as port,
        Raw(served.port) as ours,
        Raw(port) as theirs,
    ):
        for line in ALIKE:
            words = re.findall(r"\S+", line)
            assert theirs.ask(*words) == ours.ask(*words), line


def denied(client: "redis.Redis", *words: str) -> str:
    """The text with which a command is refused."""
    with pytest.raises(redis.exceptions.NoPermissionError) as caught:
        client.execute_command(*words)
    return str(caught.value)


def test_rules_hold_for_keys_and_commands(served: Served, client: "redis.Redis") -> None:
    """What no selector lets is refused, with the texts of Redis 7.2, and logged."""
    client.acl_setuser("bob", enabled=True, passwords=["+x"], commands=["+@all", "-echo"])
    client.execute_command("ACL", "SETUSER", "bob", "%R~in:*", "%W~out:*")
    client.execute_command("ACL", "LOG", "RESET")
    with closing(redis.Redis(port=served.port, protocol=2, username="bob", password="x")) as bob:
        assert bob.get("in:1") is None
        assert bob.set("out:1", "v")
        assert "No permissions to access a key" == denied(bob, "SET", "in:1", "v")
        assert "No permissions to access a key" == denied(bob, "GET", "out:1")
        assert "User bob has no permissions to run the 'echo' command" == denied(bob, "ECHO", "a")
    reasons = [(one["reason"], one["object"]) for one in client.acl_log()]
    assert [("command", "echo"), ("key", "out:1"), ("key", "in:1")] == reasons


def test_rules_hold_at_once(served: Served, client: "redis.Redis") -> None:
    """A change reaches connections that are open; who is removed is cut off."""
    client.execute_command("ACL", "SETUSER", "bob", "on", ">x", "+@all", "~*", "&*")
    with Raw(served.port) as bob:
        assert b"+OK\r\n" == bob.ask("AUTH", "bob", "x")
        assert b"+OK\r\n" == bob.ask("SET", "k", "v")
        client.execute_command("ACL", "SETUSER", "bob", "-set")
        assert bob.ask("SET", "k", "v").startswith(b"-NOPERM")
        assert b"$1\r\nv\r\n" == bob.ask("GET", "k")
        assert 1 == client.acl_deluser("bob")
        assert bob.is_closed()


def test_passwords_stay_out_of_the_log(served: Served, client: "redis.Redis") -> None:
    """A failed attempt is logged by its name."""
    client.execute_command("ACL", "LOG", "RESET")
    with Raw(served.port) as stranger:
        assert stranger.ask("AUTH", "eve", "hunter2").startswith(b"-WRONGPASS")
        entry = stranger.ask("ACL", "LOG")
    assert b"eve" in entry
    assert b"auth" in entry
    assert b"hunter2" not in entry


def test_passwords_are_random(client: "redis.Redis") -> None:
    """As many bits as asked for, and never the same."""
    assert 64 == len(client.acl_genpass())
    assert 2 == len(client.acl_genpass(5))
    assert 20 == len({client.acl_genpass() for _ in range(20)})


def test_a_password_is_asked_for() -> None:
    """Nothing but authentication before it; then everything, in one packet too."""
    with serving("--requirepass", "secret") as server, Raw(server.port) as one:
        assert b"-NOAUTH Authentication required.\r\n" == one.ask("GET", "k")
        assert one.ask("NOTHING").startswith(b"-ERR unknown command")
        assert one.ask("AUTH", "wrong").startswith(b"-WRONGPASS")
        assert b"+OK\r\n" == one.ask("AUTH", "secret")
        assert b"$-1\r\n" == one.ask("GET", "k")


def test_users_survive_in_their_file(tmp_path: Path) -> None:
    """ACL SAVE writes what ACL LOAD and a start read; a bad file changes nothing."""
    path = tmp_path / "users.acl"
    path.write_text("user default on nopass ~* &* +@all\nuser bob on >x ~b:* quota:1mb +@all\n")
    with serving("--aclfile", str(path)) as server, Raw(server.port) as admin:
        assert b"+OK\r\n" == admin.ask("ACL", "SETUSER", "eve", "on", ">y")
        before = admin.ask("ACL", "LIST")
        assert b"+OK\r\n" == admin.ask("ACL", "SAVE")
        assert b"+OK\r\n" == admin.ask("ACL", "LOAD")
        assert before == admin.ask("ACL", "LIST")
        assert 0o600 == path.stat().st_mode & 0o777
        assert b">" not in path.read_bytes()
        path.write_text("user eve +nothing\n")
        assert b"users.acl:1:" in admin.ask("ACL", "LOAD")
        assert before == admin.ask("ACL", "LIST")


def test_a_tenant_keeps_to_its_quota(served: Served, client: "redis.Redis") -> None:
    """Writes beyond it are refused with the numbers; removing or replacing makes room again."""
    client.execute_command("ACL", "SETUSER", "bob", "on", ">x", "+@all", "~b:*", "quota:64kb")
    with closing(redis.Redis(port=served.port, protocol=2, username="bob", password="x")) as bob:

        def refusal(number: int) -> str | None:
            try:
                bob.set(f"b:{number}", "v" * 1000)
            except redis.exceptions.OutOfMemoryError as error:
                return str(error)
            return None

        refusals = [text for text in map(refusal, range(100)) if text]
        assert 36 < len(refusals) < 50
        assert "the keys under 'b:' take" in refusals[0]
        assert "65536 are allowed" in refusals[0]
        client.set("free", "v" * 100_000)
        client.set("b:0", "v")
        bob.set("b:0", "v" * 500)
        assert is_reached(lambda: bob.get("b:0") == b"v" * 500)


def test_quotas_that_would_count_twice_are_refused(client: "redis.Redis") -> None:
    """And those without a prefix."""
    client.execute_command("ACL", "SETUSER", "bob", "~b:*", "quota:64kb")
    with pytest.raises(redis.exceptions.ResponseError, match="overlap"):
        client.execute_command("ACL", "SETUSER", "eve", "~b:e:*", "quota:64kb")
    with pytest.raises(redis.exceptions.ResponseError, match="A quota needs one key pattern"):
        client.execute_command("ACL", "SETUSER", "eve", "~*", "quota:64kb")
    assert "quota:65536" in client.acl_list()[0]


def test_channels_that_are_revoked_end_subscriptions(client: "redis.Redis", served: Served) -> None:
    """Who has subscribed to what its user may not hear any longer is disconnected, and no other.

    Channels of shards are channels, whatever keys the user may use; a bit field may be read by who
    may read the key.
    """
    client.execute_command(
        "ACL", "SETUSER", "hearer", "on", "nopass", "+@all", "%R~bits", "&news*", "&chat"
    )
    with Raw(served.port) as one, Raw(served.port) as other:
        for connection in (one, other):
            assert connection.ask("AUTH", "hearer", "x") == b"+OK\r\n"
        assert one.ask("BITFIELD", "bits", "GET", "u8", "0") == b"*1\r\n:0\r\n"
        assert one.ask("BITFIELD", "bits", "SET", "u8", "0", "1").startswith(b"-NOPERM")
        assert one.ask("SPUBLISH", "elsewhere", "x").startswith(b"-NOPERM")
        assert b"ssubscribe" in one.ask("SSUBSCRIBE", "news")
        assert b"subscribe" in other.ask("SUBSCRIBE", "chat")
        client.execute_command("ACL", "SETUSER", "hearer", "resetchannels", "&chat")
        assert one.is_closed()
        assert client.publish("chat", "still here") == 1
        assert b"still here" in other.answer()
