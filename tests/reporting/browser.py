"""A real browser: Chromium without a window, that looks at pages from disk and tells what they did.

The fixture `browser` gives a `Browser`. Where Chromium or its driver is missing, tests that want one are
skipped; with ``SPECGL_BROWSER=required`` they fail.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

REQUIRED = os.environ.get("SPECGL_BROWSER") == "required"
SCREENSHOTS = "SPECGL_SCREENSHOTS"
"""Variable that names a folder in which screenshots are kept."""

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--use-gl=angle",  # WebGL in software, since few machines that test have a graphics card
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",  # containers have little of it
    "--disable-sync",
    "--hide-scrollbars",
    "--no-default-browser-check",
    "--no-first-run",
)
_INNER = frozenset({"data", "blob", "about"})
"""Schemes that fetch nothing from elsewhere."""


@dataclass(frozen=True, eq=False)
class Browser:
    """Chromium, and what it is asked.

    Attributes
    ----------
    driver
        Selenium's driver, for what is not here.
    folder
        Where screenshots and prints go.
    """

    driver: Chrome
    folder: Path

    def open(self, page: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Open a page from disk at a width in CSS pixels, in light or dark colours."""
        self.driver.get("about:blank")
        self.resize(width, height)
        self.colours(dark=dark)
        self.console()
        self.requests()
        self.driver.get(page.resolve().as_uri())

    def resize(self, width: int, height: int = 900) -> None:
        """Give the page a width and height, narrower than windows can be where it has to."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def colours(self, *, dark: bool) -> None:
        """Let the reader prefer light or dark pages, and no motion, which a test would wait for."""
        wishes = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wishes.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def console(self) -> list[str]:
        """What the console has said since it was last asked, as ``LEVEL: text``."""
        return [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """URLs that were asked for since the last call, but data and blobs, which are the page's own."""
        asked = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.append(message["params"]["request"]["url"])
        return [url for url in asked if urlsplit(url).scheme not in _INNER]

    def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript in the page and return what it returns; promises are awaited."""
        return self.driver.execute_script(script, *arguments)

    def until(self, condition: str, *arguments: Any, seconds: float = 60.0) -> Any:
        """Wait until a JavaScript expression is true, and return its value."""
        end = time.monotonic() + seconds
        while not (held := self.run(f"return {condition}", *arguments)):
            if time.monotonic() > end:
                raise AssertionError(f"after {seconds:g} s still not: {condition}; console: {self.console()}")
            time.sleep(0.05)
        return held

    def find(self, selector: str) -> WebElement:
        """The first element that a CSS selector chooses."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector: str) -> list[WebElement]:
        """All elements that a CSS selector chooses."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def pixels(self, selector: str) -> bytes:
        """An element as it is on the screen, as PNG."""
        return self.find(selector).screenshot_as_png

    def screenshot(self, name: str, selector: str | None = None) -> Path:
        """Keep a picture of an element, or of the whole page, for people to look at."""
        path = self._file(f"{name}.png")
        if selector is None:
            size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"]}
        else:
            script = """const {left, top, width, height} = arguments[0].getBoundingClientRect();
                return {x: left + scrollX, y: top + scrollY, width, height};"""
            clip = self.run(script, self.find(selector))
        asked = {"captureBeyondViewport": True, "clip": {**clip, "scale": 1}}
        path.write_bytes(
            base64.b64decode(self.driver.execute_cdp_cmd("Page.captureScreenshot", asked)["data"])
        )
        return path

    def print(self, name: str) -> Path:
        """Print the page on A4 as PDF."""
        paper = {"printBackground": True, "paperWidth": 8.27, "paperHeight": 11.69}
        path = self._file(f"{name}.pdf")
        path.write_bytes(base64.b64decode(self.driver.execute_cdp_cmd("Page.printToPDF", paper)["data"]))
        return path

    def _file(self, name: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / name


def found() -> tuple[str, str]:
    """Paths of Chromium and its driver; skips, or fails, where one is missing."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        missing = " and ".join(
            name for name, path in (("chromium", chromium), ("chromedriver", driver)) if not path
        )
        (pytest.fail if REQUIRED else pytest.skip)(f"not on this machine: {missing}")
    return chromium, driver


@contextmanager
def started() -> Iterator[Chrome]:
    """A driver with a Chromium and a profile of its own; both end with it."""
    chromium, driver = found()
    # Chromium may still write into its profile while it ends.
    with tempfile.TemporaryDirectory(prefix="specgl-chromium-", ignore_cleanup_errors=True) as profile:
        options = ChromeOptions()
        options.binary_location = chromium
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = Service(executable_path=driver, log_output=subprocess.DEVNULL)
        chrome = Chrome(options=options, service=service)
        try:
            chrome.set_script_timeout(120)
            yield chrome
        finally:
            chrome.quit()
