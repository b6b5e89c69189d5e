"""The page on which the server is watched: in a real browser, and for those who may not see it."""

import base64
import contextlib
import http.client
import itertools
import json
import random
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from browser import Visit, chromium, faults, visiting
from playwright.sync_api import Browser, expect
from process import Served, executable, serving

pytestmark = pytest.mark.skipif(executable() is None, reason="no augury-server was built")

DEADLINE = 60.0
#: Keys that would do harm if they were taken for anything but text.
HOSTILE = [
    b"<script>alert('key')</script>",
    b"<img src=x onerror=alert('key')>",
    b"\"><svg onload=alert('key')>",
    b"</code></bdi></th><h1>taken over</h1>",
    b"{{7*7}} ${7*7} javascript:alert('key')",
    "a\u202ecod.exe\u200b".encode(),
    b"\xff\xfe\x00\x1b[31m\r\n",
]
PARTS = ["now", "shadows", "curve", "hot", "big", "prefetch", "evictions"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests of this file."""
    with chromium() as browser:
        yield browser


def connected(served: Served, **options: Any) -> "redis.Redis":
    """A client."""
    return redis.Redis(port=served.port, socket_timeout=DEADLINE, **options)


def traffic(client: "redis.Redis", rounds: int, seed: int = 1) -> None:
    """A skewed stream, each key set where it was missed; hostile keys are the hottest."""
    dice = random.Random(seed)
    for _ in range(rounds):
        numbers = [int(dice.paretovariate(0.3)) % 50_000 for _ in range(500)]
        keys = [
            HOSTILE[number - 1] if 0 < number <= len(HOSTILE) else b"user:%d" % number
            for number in numbers
        ]
        pipe = client.pipeline(transaction=False)
        for key in keys:
            pipe.get(key)
        found = pipe.execute()
        for key, value in zip(keys, found, strict=True):
            if value is None:
                pipe.set(key, b"x" * (4_000 if key in HOSTILE else 300))
        pipe.execute()


@pytest.fixture(scope="module")
def busy() -> Iterator[Served]:
    """A server that simulates and has evicted."""
    arguments = ("--memory", "1mb", "--simulate", "yes", "--http-port", "0")
    with serving(*arguments, protocols=("redis", "http")) as served:
        with connected(served) as client:
            # What leaves is noted from the first look on.
            data(served)
            traffic(client, 12)
            until = time.monotonic() + DEADLINE
            fillers = itertools.count()
            while not data(served)["evictions"]["shown"]:
                pipe = client.pipeline(transaction=False)
                for number in itertools.islice(fillers, 200):
                    pipe.set(f"filler:{number}", "x" * 2_000)
                pipe.execute()
                assert time.monotonic() < until
        yield served


def url(served: Served) -> str:
    """Of the page."""
    return f"http://127.0.0.1:{served.ports['http']}/"


def ask(
    served: Served, path: str = "/", address: str = "127.0.0.1", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body."""
    connection = http.client.HTTPConnection(address, served.ports["http"], timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, answer.read()


def login(name: str, password: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def data(served: Served, **headers: str) -> dict[str, Any]:
    """What is on the page."""
    status, _, body = ask(served, "/page.json", **headers)
    assert status == 200, body
    found: dict[str, Any] = json.loads(body)
    return found


def wait_for(visit: Visit, script: str) -> None:
    """Until this is true in the page; its policy keeps the browser from waiting by itself."""
    until = time.monotonic() + DEADLINE
    while not visit.page.evaluate(f"() => Boolean({script})"):
        assert time.monotonic() < until, script
        visit.page.wait_for_timeout(100)


def test_data_is_what_the_commands_say(busy: Served) -> None:
    """JSON beside the page: counters of INFO, the curve and shadows of our own commands, keys."""
    told = data(busy)
    with connected(busy, protocol=3, decode_responses=False) as client:
        stats = client.info("stats")
        curve = client.execute_command("AUGURY.CURVE")
    assert told["counts"]["hits"] == stats["keyspace_hits"]
    assert told["counts"]["misses"] == stats["keyspace_misses"]
    assert told["capacity"] == curve[b"capacity_bytes"]
    points = {point["capacity"]: point for point in told["curve"]["shown"]}
    assert points[told["capacity"]]["miss_ratio"] is not None
    assert sorted(points) == list(points)
    assert {"lru", "fifo", "sieve"} <= {it["name"] for it in told["shadows"]["shown"]["others"]}
    assert told["experts"]["shown"]
    assert "upstream" in told["prefetch"]["missing"]
    hot = [it["key"] for it in told["hot"]["shown"]]
    assert "<script>alert('key')</script>" in hot
    assert max(it["size"] for it in told["big"]["shown"]) > 4_000
    reasons = [it["why"] for it in told["evictions"]["shown"] if it["why"]]
    assert reasons
    assert all(it["looks"] > 0 and it["ruling"] for it in reasons)


def test_it_is_whole_and_quiet_in_a_browser(busy: Served, browser: Browser) -> None:
    """Every part is there; nothing is asked of another host, nothing is blocked or wrong."""
    with visiting(browser, url(busy)) as visit:
        for part in PARTS:
            expect(visit.page.locator(f"#{part} h2")).to_be_visible()
        assert visit.page.locator("[role=img] svg").count() == 2
        # Until it has exchanged something.
        before = visit.page.locator("#course").inner_html()
        wait_for(visit, f"document.querySelector('#course').innerHTML !== {json.dumps(before)}")
        assert {address.split("/")[2] for address in visit.asked} == {url(busy).split("/")[2]}
        assert visit.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(busy: Served, browser: Browser, scheme: Any, width: int) -> None:
    """Contrast, names, roles, landmarks, order of headings: light and dark, wide and narrow."""
    size = {"width": width, "height": 900}
    with visiting(browser, url(busy), color_scheme=scheme, viewport=size) as visit:
        for summary in visit.page.locator("summary").all():
            summary.click()
        assert faults(visit.page) == []
        # Nothing runs out of the page to the side.
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_colours_follow_the_scheme(busy: Served, browser: Browser) -> None:
    """Of the page and of what is drawn, though the drawing is the same."""
    script = """() => [getComputedStyle(document.body).backgroundColor,
        getComputedStyle(document.querySelector('#course polyline[stroke="#010001"]')).stroke]"""
    seen = []
    for scheme in ("light", "dark"):
        with visiting(browser, url(busy), color_scheme=scheme) as visit:
            wait_for(visit, "document.querySelector('#course polyline[stroke=\"#010001\"]')")
            seen.append(visit.page.evaluate(script))
    (light, one), (dark, other) = seen
    assert light != dark
    assert one != other
    assert "rgb(1, 0, 1)" not in (one, other)


def test_keys_are_text(busy: Served, browser: Browser) -> None:
    """Whatever they hold is shown, and does nothing: not at first, and not when it is exchanged."""
    with connected(busy) as client:
        until = time.monotonic() + DEADLINE
        while sum(row["size"] > 8_000 for row in data(busy)["big"]["shown"]) < len(HOSTILE):
            for key in HOSTILE:
                client.set(key, b"x" * 8_000)
            assert time.monotonic() < until
    with visiting(browser, url(busy)) as visit:
        shown = visit.page.locator("#big tbody code").all_inner_texts()
        assert "<script>alert('key')</script>" in shown
        assert "a\\u{202e}cod.exe\\u{200b}" in shown
        assert "\\xff\\xfe\\x00\\x1b[31m\\x0d\\x0a" in shown
        visit.page.evaluate("document.querySelector('#hot-part').dataset.mark = 'old'")
        with connected(busy) as client:
            traffic(client, 3, seed=2)
        wait_for(visit, "!document.querySelector('#hot-part').dataset.mark")
        assert visit.page.locator("h1").all_inner_texts() == ["augury server"]
        assert visit.page.locator("img, script:not([src])").count() == 0
        assert (visit.dialogs, visit.complaints) == ([], [])


def test_it_keeps_itself_up_to_date_and_leaves_the_reader_alone(
    busy: Served, browser: Browser
) -> None:
    """Numbers change; what is opened stays open, what is focused focused; nothing is announced."""
    with visiting(browser, url(busy)) as visit:
        visit.page.evaluate(
            """() => {
                window.announced = 0;
                new MutationObserver(() => { window.announced += 1; }).observe(
                    document.getElementById('status'), {childList: true, subtree: true});
            }"""
        )
        summary = visit.page.locator("#shadows summary").first
        summary.click()
        region = visit.page.locator("#evictions .scroll")
        region.focus()
        before = visit.page.locator("#facts").inner_text()
        with connected(busy) as client:
            traffic(client, 10, seed=3)
        wait_for(
            visit, f"document.querySelector('#facts').innerText.trim() !== {json.dumps(before)}"
        )
        assert visit.page.locator("#shadows details").first.get_attribute("open") is not None
        assert region.evaluate("part => part === document.activeElement")
        assert visit.page.evaluate("window.announced") == 0


def test_it_can_be_paused(busy: Served, browser: Browser) -> None:
    """By a button, with the keyboard; nothing is asked for until it goes on."""
    with visiting(browser, url(busy)) as visit:
        pause = visit.page.get_by_role("button", name="Pause updates")
        pause.focus()
        visit.page.keyboard.press("Space")
        assert pause.get_attribute("aria-pressed") == "true"
        expect(visit.page.get_by_role("status")).to_have_text("Updates are paused.")
        asked = len(visit.asked)
        visit.page.wait_for_timeout(2_500)
        assert len(visit.asked) == asked
        visit.page.keyboard.press("Space")
        wait_for(visit, f"performance.getEntriesByType('resource').length >= {asked}")
        assert pause.get_attribute("aria-pressed") == "false"


def test_everything_can_be_reached_by_keys(busy: Served, browser: Browser) -> None:
    """The first stop leads past the navigation, and whatever has the focus shows it."""
    with visiting(browser, url(busy)) as visit:
        keyboard = visit.page.keyboard
        keyboard.press("Tab")
        assert visit.page.evaluate("document.activeElement.className") == "skip"
        stops = []
        for _ in range(60):
            told = visit.page.evaluate(
                """() => {
                    const it = document.activeElement;
                    const height = it.getBoundingClientRect().height;
                    return [it.tagName, getComputedStyle(it).outlineStyle, height > 0];
                }"""
            )
            if told[0] == "BODY":
                break
            stops.append(told)
            keyboard.press("Tab")
        assert {"A", "BUTTON", "SUMMARY", "DIV"} <= {name for name, _, _ in stops}
        assert [stop for stop in stops if stop[1] == "none" or not stop[2]] == []
        visit.page.locator(".skip").focus()
        keyboard.press("Enter")
        assert visit.page.evaluate("document.activeElement.id") == "main"


def test_charts_have_their_numbers_beside_them(busy: Served, browser: Browser) -> None:
    """Each is an image with a name in words, and there is a table with a caption for it."""
    with visiting(browser, url(busy)) as visit:
        told = visit.page.locator("main").aria_snapshot()
        assert re.search(r'img "Share of reads answered.*lru would answer', told), told
        assert re.search(r'img "Share of reads that would miss.*as it is', told), told
        for table in ("#course-table", "#curve-table", "#shadows-table"):
            assert visit.page.locator(f"{table} caption").count() == 1
            assert visit.page.locator(f"{table} tbody td").count() >= 2
        tables = visit.page.locator("table").count()
        assert visit.page.locator("table > caption").count() == tables


def test_without_scripts_it_is_whole(busy: Served, browser: Browser) -> None:
    """And offers to load itself again, which is left to the reader."""
    with visiting(browser, url(busy), java_script_enabled=False) as visit:
        for part in PARTS:
            expect(visit.page.locator(f"#{part} h2")).to_be_visible()
        expect(visit.page.locator("#pause")).to_be_hidden()
        assert visit.page.locator("#hot tbody tr").count() > 0
        visit.page.get_by_role("link", name="load again every 10 seconds").click()
        assert visit.page.locator("meta[http-equiv=refresh]").get_attribute("content") == "10"


def test_a_server_that_ends_is_missed_once(browser: Browser) -> None:
    """The numbers stay, and it is said that they are old."""
    with contextlib.ExitStack() as stack:
        served = stack.enter_context(serving("--http-port", "0", protocols=("redis", "http")))
        visit = stack.enter_context(visiting(browser, url(served)))
        assert visit.page.locator("#shadows-off").inner_text().count("CONFIG SET simulate yes") == 1
        assert visit.page.locator("#curve-off").count() == 1
        assert faults(visit.page) == []
        served.process.terminate()
        served.process.wait(timeout=DEADLINE)
        expect(visit.page.get_by_role("status")).to_contain_text("No answer")
        expect(visit.page.locator("#facts")).to_be_visible()


def test_parts_come_when_they_are_switched_on(browser: Browser) -> None:
    """Simulation begins while the page is open: its chart and tables appear."""
    with (
        serving("--memory", "2mb", "--http-port", "0", protocols=("redis", "http")) as served,
        connected(served) as client,
        visiting(browser, url(served)) as visit,
    ):
        assert visit.page.locator("#curve svg").count() == 0
        client.config_set("simulate", "yes")
        traffic(client, 10)
        wait_for(visit, "document.querySelector('#curve [role=img] svg')")
        wait_for(visit, "document.querySelector('#shadows-table')")
        assert visit.page.locator("#shadows-off").count() == 0


def test_headers_keep_everything_out(busy: Served) -> None:
    """A strict policy, no framing, no caching, of every answer."""
    for path in ("/", "/page.json", "/page.css", "/page.js", "/page.svg"):
        _, told, _ = ask(busy, path)
        policy = told["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert told["x-content-type-options"] == "nosniff"
        assert told["cache-control"] == "no-store"
        assert told["cross-origin-resource-policy"] == "same-origin"
    assert ask(busy, "/none")[0] == 404


def test_names_of_others_open_nothing(busy: Served) -> None:
    """DNS rebinding: without a password the page is shown under addresses and localhost alone."""
    for host in ("attacker.example", "attacker.example:80", "127.0.0.1.attacker.example", ""):
        for path in ("/", "/page.json"):
            status, _, body = ask(busy, path, Host=host)
            assert status in (400, 421), host
            assert b"hits" not in body
    for host in ("localhost", "127.0.0.1", "[::1]:80"):
        assert ask(busy, "/page.json", Host=host)[0] == 200


def test_whoever_may_not_is_shown_nothing() -> None:
    """With a password it is asked for; a wrong one, a user that is off, one without INFO."""
    arguments = ("--requirepass", "sesame", "--http-port", "0")
    with (
        serving(*arguments, protocols=("redis", "http")) as served,
        connected(served, password="sesame") as client,
    ):
        client.set("secret", "x" * 100)
        client.acl_setuser("off", enabled=False, passwords="+p", commands=["+@all"], keys="*")
        client.acl_setuser("ann", enabled=True, passwords="+p", commands=["+get"], keys="*")
        for name, password, status in [
            ("default", "", 401), ("default", "wrong", 401), ("off", "p", 401),
            ("nobody", "sesame", 401), ("ann", "p", 403), ("", "sesame", 200),
            ("default", "sesame", 200),
        ]:  # fmt: skip
            for path in ("/", "/page.json"):
                got, told, body = ask(served, path, Authorization=login(name, password))
                assert got == status, name
                assert (b"secret" in body) == (status == 200)
                assert ("www-authenticate" in told) == (status == 401)
        assert ask(served)[0] == 401
        for wrong in ("Basic", "Basic !", "Bearer x", "Basic bm9jb2xvbg=="):
            assert ask(served, Authorization=wrong)[0] == 401
        # Under another name a password is as good: a browser gives it to that name alone.
        assert ask(served, Authorization=login("", "sesame"), Host="cache.example")[0] == 200
        log = client.acl_log()
        assert {"auth"} == {entry["reason"] for entry in log}
        assert "sesame" not in str(log)
        # Metrics hold no keys, and are open as before.
        assert ask(served, "/metrics")[0] == 200


def test_a_user_is_shown_its_own_keys() -> None:
    """Keys and parts are those that its rules allow, from the moment when they change."""
    arguments = ("--requirepass", "sesame", "--memory", "1mb", "--http-port", "0")
    with (
        serving(*arguments, protocols=("redis", "http")) as served,
        connected(served, password="sesame") as client,
    ):
        rules = "on >p ~a:* +info +augury.bigkeys +augury.hotkeys +augury.explain"
        client.execute_command("ACL", "SETUSER", "ann", *rules.split())
        ann = {"Authorization": login("ann", "p")}
        data(served, **ann)
        until = time.monotonic() + DEADLINE
        number = 0
        while not data(served, **ann)["evictions"]["shown"]:
            pipe = client.pipeline(transaction=False)
            for _ in range(200):
                number += 1
                pipe.set(f"a:{number}", b"x" * 500)
                pipe.set(f"b:{number}", b"x" * 500)
                pipe.get(f"b:{number}")
            pipe.execute()
            assert time.monotonic() < until
        told = data(served, **ann)
        keys = [row["key"] for part in ("hot", "big", "evictions") for row in told[part]["shown"]]
        assert keys
        assert all(key.startswith("a:") for key in keys)
        assert "AUGURY.CURVE" in told["curve"]["missing"]
        assert "AUGURY.SHADOWS" in told["shadows"]["missing"]
        client.execute_command("ACL", "SETUSER", "ann", "-augury.bigkeys")
        assert "AUGURY.BIGKEYS" in data(served, **ann)["big"]["missing"]
        client.acl_deluser("ann")
        assert ask(served, **ann)[0] == 401


def test_guessing_is_slow() -> None:
    """Failures count with those of clients: after some, an attempt waits or is not looked at."""
    arguments = ("--requirepass", "sesame", "--http-port", "0")
    with serving(*arguments, protocols=("redis", "http")) as served:
        for _ in range(17):
            assert ask(served, Authorization=login("", "wrong"))[0] == 401
        begin = time.monotonic()
        for _ in range(4):
            assert ask(served, Authorization=login("", "wrong"))[0] == 401
        # 50, 100, 200 and 400 ms.
        assert time.monotonic() - begin > 0.5


def test_a_browser_keeps_the_password(browser: Browser) -> None:
    """It is asked once, and the page keeps itself up to date."""
    arguments = ("--requirepass", "sesame", "--http-port", "0")
    with (
        serving(*arguments, protocols=("redis", "http")) as served,
        visiting(
            browser, url(served), http_credentials={"username": "", "password": "sesame"}
        ) as visit,
        connected(served, password="sesame") as client,
    ):
        client.set("k", "v")
        client.get("k")
        wait_for(visit, "document.querySelector('#facts').innerText.includes('of 1 reads')")
        assert "sesame" not in visit.page.content()


def test_slow_clients_do_not_shut_others_out() -> None:
    """More connections than there are places, silent or not done: others are served in the end."""
    with serving("--http-port", "0", protocols=("redis", "http")) as served:
        address = ("127.0.0.1", served.ports["http"])
        with contextlib.ExitStack() as stack:
            for number in range(80):
                silent = stack.enter_context(socket.create_connection(address, timeout=DEADLINE))
                if number % 2:
                    silent.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
            assert ask(served, "/healthz")[0] == 200
            assert ask(served)[0] == 200


def test_heads_are_bounded(busy: Served) -> None:
    """A head without end is refused, and so is one of too many lines."""
    for header in (b"X: " + b"x" * 100_000, b"X: x\r\n" * 1_000):
        address = ("127.0.0.1", busy.ports["http"])
        with (
            socket.create_connection(address, timeout=DEADLINE) as raw,
            contextlib.suppress(ConnectionError),
        ):
            raw.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\n")
            assert raw.recv(100).split(b" ")[1] == b"431"
    assert ask(busy)[0] == 200


def test_the_course_is_bounded_and_begins_anew_with_the_counters(busy: Served) -> None:
    """Moments are two seconds apart and at most three hundred; a reset is no negative rate."""
    with connected(busy) as client:
        traffic(client, 1, seed=4)
        client.config_resetstat()
        until = time.monotonic() + DEADLINE
        told = data(busy)
        last = told["course"]["moments"][-1]["at"] if told["course"]["moments"] else 0
        while not (moments := data(busy)["course"]["moments"]) or moments[-1]["at"] == last:
            assert time.monotonic() < until
            time.sleep(0.2)
    assert 0 < len(moments) <= 300
    assert all(it["requests_per_second"] >= 0 for it in moments)
    assert all(it["hit_ratio"] is None or 0 <= it["hit_ratio"] <= 1 for it in moments)
