"""The real FiftyOne App in a real browser."""

from __future__ import annotations

import shutil
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from demo.sandbox import find_free_port

SCREENSHOTS = Path(__file__).resolve().parents[2] / "test-output" / "screenshots"
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
TIMEOUT = 60_000  # ms; the App's first page takes seconds on a small machine


@pytest.fixture(scope="module")  # its event loop is in the way of other tests' asyncio.run()
def browser(require):
    chromium = shutil.which("chromium")
    require(chromium, "chromium (Debian's package of that name)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


def _answers(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except OSError:
        return False


def _wait_until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the App's server did not start"
        time.sleep(0.5)


@pytest.fixture(scope="session")
def session():
    import fiftyone as fo

    port = find_free_port()
    session = fo.launch_app(address="127.0.0.1", port=port, remote=True)
    _wait_until(lambda: _answers(f"http://127.0.0.1:{port}/fiftyone"))
    _wait_until(lambda: session._client._connected)
    yield session
    session.close()


class App:
    """A page of the App, and what a person does on it."""

    def __init__(self, page, session):
        self.page = page
        self.session = session
        advertisement = page.get_by_text("Dismiss", exact=True)
        page.add_locator_handler(advertisement, lambda dismiss: dismiss.click())

    def open(self, dataset):
        self.session.dataset = dataset  # all of it, whatever view was open before
        self.page.goto(f"http://127.0.0.1:{self.session.server_port}/datasets/{dataset.name}")
        self.page.locator("[data-cy=looker]").first.wait_for(state="attached")

    def operator(self, label):
        """Opens an operator's form from the operator browser."""
        self.page.keyboard.press("`")
        search = self.page.get_by_placeholder("Search operations by name")
        search.fill(label)
        self.page.get_by_text(label, exact=True).first.wait_for()
        search.press("Enter")

    def press_button(self, label):
        self.page.get_by_role("button", name=label, exact=True).last.click()

    def sidebar_field(self, name):
        return self.page.locator(f"[data-cy='sidebar-field-{name}']")

    def open_sidebar_field(self, name):
        """Unfolds a field's filter in the sidebar."""
        self.page.locator(f"[data-cy='sidebar-field-arrow-enabled-{name}']").click()

    def open_panel(self, label):
        self.page.locator("[data-cy=new-panel-btn]").first.click()
        self.page.get_by_text(label, exact=True).first.click()

    def screenshot(self, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.fixture
def app(browser, session):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(TIMEOUT)
    app = App(page, session)
    yield app
    app.screenshot("last")
    page.close()
