"""What goes to the origin and what does not: RFC 9110, 7; attacks on caches between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augury.proxy.asked import Asked
from augury.proxy.origin import OriginFailed
from augury.proxy.targets import Refused, normalised
from world import World, answer, played


@played()
async def test_the_request_arrives_as_it_is(world: World) -> None:
    """7: method, target, fields and body."""
    await world.ask("/a?b=c&d=%20e", method="PUT", body=b"text", content_type="a/b", x_own="1")
    asked = world.log[0]
    assert ("PUT", "/a?b=c&d=%20e", b"text") == (asked.method, asked.target, asked.body)
    assert ("a/b", "1", "4") == tuple(
        asked.fields[name] for name in ("content-type", "x-own", "content-length")
    )


@played()
async def test_what_the_proxy_says_of_the_client(world: World) -> None:
    """7.6.3: Via; and who the client is, by the proxy's own knowledge."""
    await world.ask(x_forwarded_for="10.0.0.1", x_forwarded_proto="https", via="1.0 front")
    fields = world.log[0].fields
    assert "1.0 front, 1.1 augury" == fields["via"]
    assert ("192.0.2.7", "http", "shop.example", "origin.example") == tuple(
        fields[name]
        for name in ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "host")
    )


@pytest.mark.parametrize(
    "name",
    [
        "forwarded", "x-forwarded-scheme", "x-original-url", "x-rewrite-url", "x-host",
        "x-http-method-override", "x-method-override", "x-forwarded-prefix", "x-forwarded-server",
        "x-real-ip", "x-forwarded-port", "x-forwarded-ssl", "front-end-https", "x-original-host",
    ],
)  # fmt: skip
@played()
async def test_claims_do_not_reach_the_origin(world: World, name: str) -> None:
    """An answer made of what does not name it would be everybody's (cache poisoning)."""
    await world.ask(lines=[(name, "evil.example")])
    assert name not in world.log[0].fields


@played(behind_proxy=True)
async def test_claims_of_a_trusted_proxy_do(world: World) -> None:
    """By the setting."""
    await world.ask(x_forwarded_for="10.0.0.1", forwarded="for=10.0.0.1")
    assert "10.0.0.1" == world.log[0].fields["x-forwarded-for"]
    assert "for=10.0.0.1" == world.log[0].fields["forwarded"]


@played(preserve_host=True)
async def test_the_clients_host_if_so_wished(world: World) -> None:
    """By the setting; it names the answer in any case."""
    await world.ask(host="Shop.Example")
    assert "shop.example" == world.log[0].fields["host"]


@played(hosts="shop.example, www.shop.example")
async def test_hosts_that_are_not_answered_for(world: World) -> None:
    """RFC 9110, 7.4: 421."""
    statuses = [
        (await world.ask(host=host)).status
        for host in ("shop.example", "shop.example:8080", "www.shop.example", "other.example")
    ]
    assert [200, 200, 200, 421] == statuses


@played()
async def test_fields_of_the_connection_end_here(world: World) -> None:
    """7.6.1: those that Connection names too, but for what the message is about."""
    await world.ask(
        connection="close, X-Private, Authorization, Cookie, Host", x_private="1", keep_alive="x",
        authorization="a", cookie="b", te="trailers", upgrade="h2c", http2_settings="x",
        proxy_authorization="x", proxy_connection="x", trailer="x", expect="100-continue",
    )  # fmt: skip
    fields = world.log[0].fields
    gone = {"connection", "x-private", "keep-alive", "te", "upgrade", "http2-settings", "trailer",
            "proxy-authorization", "proxy-connection", "expect"}  # fmt: skip
    assert set() == gone & fields.keys()
    assert ("a", "b") == (fields["authorization"], fields["cookie"])


@pytest.mark.parametrize(
    ("method", "fields", "expected"),
    [
        ("CONNECT", {}, 501), ("TRACE", {}, 501), ("GET", {"upgrade": "websocket"}, 501),
        ("GET", {"host": ""}, 400), ("GET", {"host": "a b"}, 400), ("GET", {"host": "a/b"}, 400),
        ("GET", {"host": "a@b"}, 400), ("GET", {"host": "[::1]:80"}, 200),
        ("GET", {"content_length": "5x"}, 400), ("GET", {"content_length": "+5"}, 400),
        ("GET", {"via": ", ".join(["1.1 augury"] * 8)}, 508),
    ],
)  # fmt: skip
@played()
async def test_requests_that_are_refused(
    world: World, method: str, fields: dict[str, str], expected: int
) -> None:
    """With a status and a sentence, and without a word to the origin."""
    reply = await world.ask(method=method, **fields)
    assert (expected, expected == 200) == (reply.status, bool(world.log))
    assert reply.body.endswith(b"\n") or expected == 200


@played()
async def test_several_hosts_or_lengths_are_refused(world: World) -> None:
    """RFC 9112, 3.2 and 6.3."""
    for lines in ([("host", "other")], [("content-length", "1"), ("content-length", "2")]):
        assert 400 == (await world.ask(lines=lines)).status
    assert [] == world.log


@played(max_body="10")
async def test_bodies_have_a_limit(world: World) -> None:
    """RFC 9110, 15.5.14: what says that it is larger is not even begun."""
    assert 413 == (await world.ask(method="PUT", body=b"x" * 11)).status
    assert [] == world.log
    assert 200 == (await world.ask(method="PUT", body=b"x" * 10)).status


@played()
async def test_a_get_with_a_body_names_no_answer(world: World) -> None:
    """What the body says is not in the name: neither stored nor served."""
    world(answer(cache_control="max-age=60"))
    await world.ask(body=b"x=1")
    assert not (await world.ask()).is_hit
    assert not (await world.ask(body=b"x=2")).is_hit


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        (b"/", b"", b"/"),
        (b"//a//b", b"", b"//a//b"),
        (b"/a/../../../etc/passwd", b"", b"/etc/passwd"),
        (b"/static/%2e%2e/%2E%2E/admin", b"", b"/admin"),
        (b"/a/..", b"", b"/"),
        (b"/a/.", b"", b"/a/"),
        (b"/a/...", b"", b"/a/..."),
        (b"/a%2fb%2F", b"", b"/a%2Fb%2F"),
        (b"/a%5c..%5cb", b"", b"/a%5C..%5Cb"),
        (b"/a\\..\\b", b"", b"/a%5C..%5Cb"),
        (b"/%", b"%&%zz", b"/%25?%25&%25zz"),
        (b"/a b\xff", b"c\"d", b"/a%20b%FF?c%22d"),
        (b"/%7Euser/%41", b"%41=%42", b"/~user/A?A=B"),
        (b"/x", b"a=%2B+%20", b"/x?a=%2B+%20"),
        (b"/x\r\nHost: y", b"", b"/x%0D%0AHost:%20y"),
    ],
)  # fmt: skip
def test_targets_in_one_form(path: bytes, query: bytes, expected: bytes) -> None:
    """RFC 3986, 6.2.2: nothing leads out, nothing breaks the line."""
    assert expected == normalised(path, query)


@given(st.binary(max_size=60), st.binary(max_size=40))
def test_targets_stay_in_form(path: bytes, query: bytes) -> None:
    """What is in form stays as it is, has no octet that means anything and no way up."""
    once = normalised(b"/" + path, query)
    first, _, rest = once.partition(b"?")
    assert once == normalised(first, rest)
    assert all(0x21 <= octet < 0x7F for octet in once)
    assert not any(segment in (b".", b"..") for segment in first.split(b"/"))


@given(st.lists(st.tuples(st.sampled_from([
    b"host", b"range", b"cache-control", b"content-length", b"transfer-encoding", b"upgrade",
    b"if-none-match", b"vary", b"connection", b"accept-language"]), st.binary(max_size=30)),
    max_size=8))  # fmt: skip
def test_any_fields_are_read_or_refused(fields: list[tuple[bytes, bytes]]) -> None:
    """Untrusted bytes lead to a request or to a refusal."""
    scope = {"method": "GET", "http_version": "1.1", "scheme": "http", "client": None,
             "raw_path": b"/", "query_string": b"", "headers": fields}  # fmt: skip
    status = 200
    try:
        Asked.of(scope)
    except Refused as refusal:
        status = refusal.status
    assert status in (200, 400, 501)


@given(st.lists(st.tuples(st.sampled_from([
    "cache-control", "cdn-cache-control", "expires", "date", "age", "last-modified", "vary",
    "etag", "cache-groups", "content-length", "connection", "set-cookie"]),
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=40)),
    max_size=8), st.sampled_from([200, 204, 301, 304, 404, 500]))  # fmt: skip
def test_any_answer_is_passed_on(fields: list[tuple[str, str]], status: int) -> None:
    """Whatever an origin says of its answer, the client gets it, twice."""

    @played()
    async def twice(world: World) -> None:
        world((status, fields, b"body"))
        for _ in range(2):
            reply = await world.ask()
            expected = b"" if status in (204, 304) else b"body"
            assert (status, expected) == (reply.status, reply.body)

    twice()


@pytest.mark.parametrize("status", [502, 503, 504])
@played()
async def test_errors_of_the_way_to_the_origin(world: World, status: int) -> None:
    """RFC 9110, 15.6: a status, a sentence, and that it is not to be stored."""
    world(OriginFailed(status, "the origin did not answer in time"))
    reply = await world.ask()
    assert (status, "no-store") == (reply.status, reply["cache-control"])
    assert b"the origin did not answer in time\n" == reply.body
    assert "augury; fwd=miss; detail=origin-failed" == reply["cache-status"]
