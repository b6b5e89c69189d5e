"""Debian's Chromium without a window, as the tests of the page drive it."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

__all__ = ["Visit", "chromium", "faults", "visiting"]

#: Debian's own; nothing is downloaded.
CHROMIUM = shutil.which("chromium")
#: Milliseconds: a slow machine takes its time.
DEADLINE = 30_000


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, until the block ends."""
    assert CHROMIUM is not None, "no chromium: as root, apt-get install chromium"
    # As root, and in containers, Chromium's sandbox cannot be had.
    arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """A page that is open, and what the browser says of it."""

    page: Page
    #: Addresses that were asked for.
    asked: list[str] = field(default_factory=list)
    #: Errors and warnings of the console: whatever the policy of the page has kept from it, too.
    complaints: list[str] = field(default_factory=list)
    #: Dialogs that something has opened.
    dialogs: list[str] = field(default_factory=list)


@contextlib.contextmanager
def visiting(browser: Browser, url: str, **options: Any) -> Iterator[Visit]:
    """The page at this address, in a context of its own with these options."""
    context = browser.new_context(**options)
    context.set_default_timeout(DEADLINE)
    try:
        visit = Visit(context.new_page())
        visit.page.on("request", lambda request: visit.asked.append(request.url))
        visit.page.on("console", lambda said: note(visit, said.type, said.text))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))

        def dismiss(dialog: Any) -> None:
            visit.dialogs.append(dialog.message)
            dialog.dismiss()

        visit.page.on("dialog", dismiss)
        visit.page.goto(url)
        yield visit
    finally:
        context.close()


def note(visit: Visit, kind: str, text: str) -> None:
    """What the console says, where it is a complaint."""
    if kind in ("error", "warning"):
        visit.complaints.append(text)


def faults(page: Page) -> list[str]:
    """What axe finds wrong, by all of its rules."""
    found = Axe().run(page)
    return [
        f"{fault['id']} ({fault['impact']}): {node['html']}: {node['failureSummary']}"
        for fault in found.response["violations"]
        for node in fault["nodes"]
    ]
