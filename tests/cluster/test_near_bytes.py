"""What comes from a socket is an answer, or it ends the connection: nothing else comes of it."""

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augury.near.link import Asked, Changed, Link, LinkError, Read, Renewed
from augury.near.slots import SLOTS, forms_of, key_bytes, slot_of
from augury.near.topology import TopologyError, read_nodes

PIECES = st.sampled_from(
    [b"+OK\r\n", b"+PONG\r\n", b"_\r\n", b"$1\r\na\r\n", b">2\r\n$10\r\ninvalidate\r\n",
     b"*1\r\n$1\r\na\r\n", b"*2\r\n", b":1\r\n", b"-ERR no\r\n", b">1\r\n", b"%1\r\n", b"#t\r\n"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["n1", "n2", "10.0.0.1:7000@17000", ":0@0", "myself,master", "master", "slave", "fail?", "-",
     "0", "7", "connected", "0-5460", "5461-16383", "[7->-n2]", "[x->-]", "16384", "9-3", "\n"]
)  # fmt: skip


def link(is_cluster: bool = False) -> Link:
    """One with a read and a renewal under way."""
    made = Link(hiredis.Reader(), hiredis.pack_command, is_cluster, None)
    made.open(1.0)
    made.read(Asked((b"a", b"b"), None))
    return made


@given(data=st.one_of(st.binary(max_size=60), st.lists(PIECES).map(b"".join)), split=st.integers(0))
def test_any_bytes_are_messages_or_an_error(data: bytes, split: int) -> None:
    """However they are cut, they bring what a link knows, or end it; and the same, cut or not.

    What stands before an error may have been brought or not.
    """

    def outcome(*parts: bytes) -> tuple[list[object], bool]:
        made = link()
        found: list[object] = []
        try:
            for part in parts:
                for one in made.receive(part):
                    found.append(repr(one))
        except LinkError:
            return found, True
        return found, False

    at = split % (len(data) + 1)
    (whole, is_error), (cut, is_cut_error) = outcome(data), outcome(data[:at], data[at:])
    assert is_error == is_cut_error
    common = min(len(whole), len(cut)) if is_error else len(whole)
    assert (whole[:common], len(whole) == len(cut) or is_error) == (cut[:common], True)


@given(text=st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=40).map(" ".join)))
def test_any_text_is_a_view_or_an_error(text: str) -> None:
    """Of a cluster in which nobody has a slot twice and everybody is somebody."""
    try:
        view = read_nodes(text)
    except TopologyError:
        return
    owned = [slot for node in view.nodes.values() for slot in node.slots]
    assert len(owned) == len(set(owned))
    assert all(0 <= slot < SLOTS for slot in owned)
    assert view.nodes[view.myself.identity] is view.myself


def test_messages_are_what_they_say() -> None:
    """Answers in order, invalidations between them, pushes of another kind passed by."""
    made = link()
    data = (
        b"+OK\r\n*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n"
        b"+PONG\r\n>2\r\n$10\r\ninvalidate\r\n_\r\n>3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\ny\r\n"
        b"*2\r\n$1\r\n1\r\n_\r\n"
    )
    changed, renewed, flushed, read = made.receive(data)
    assert Changed((b"a",)) == changed
    assert Renewed(1.0, None, True) == renewed
    assert Changed(None) == flushed
    assert isinstance(read, Read)
    assert [b"1", None] == read.values


@pytest.mark.parametrize(
    "data",
    [b"-NOPERM tracking\r\n", b"+OK\r\n*0\r\n+PANG\r\n", b"+OK\r\n*0\r\n+PONG\r\n*1\r\n_\r\n"],
)
def test_a_refusal_ends_the_link(data: bytes) -> None:
    """Tracking that is not allowed, a PING answered otherwise, fewer values than keys."""
    with pytest.raises(LinkError):
        list(link().receive(data))


def test_a_replica_says_so() -> None:
    """By its role."""
    made = link()
    role = b"*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:1\r\n"
    assert [Renewed(1.0, None, False)] == list(made.receive(b"+OK\r\n" + role + b"+PONG\r\n"))


@given(key=st.binary(max_size=20))
def test_every_form_of_a_key_is_the_key(key: bytes) -> None:
    """And has its slot."""
    assert {key} == {key_bytes(form) for form in forms_of(key)}
    assert 0 <= slot_of(key) < SLOTS
