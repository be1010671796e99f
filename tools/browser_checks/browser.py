"""A headless Chromium that reaches this machine alone and remembers every request and every error."""

from __future__ import annotations

import json
import os
import shutil
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tools.browser_checks.views import View

NAMES = {
    "browser": ("chromium", "chromium-browser", "google-chrome"),
    "driver": ("chromedriver",),
}
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-prefers-reduced-motion",
    # No other host has an address: what a page needs from elsewhere is missing, as for a reader without a network.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def find_program(kind: str) -> str:
    """Path of the browser or of its driver; `FileNotFoundError` says how to name or install it."""
    variable = {"browser": "CHROMIUM", "driver": "CHROMEDRIVER"}[kind]
    names = (os.environ[variable],) if variable in os.environ else NAMES[kind]
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        raise FileNotFoundError(
            f"No {kind} was found under the names {', '.join(names)}. On Debian: apt-get install chromium "
            f"chromium-driver. Elsewhere name it: {variable}=/path/to/it make browser"
        )
    return found


class Browser:
    """One window. Use it in a `with` block."""

    def __init__(self):
        options = webdriver.ChromeOptions()
        options.binary_location = find_program("browser")
        for flag in FLAGS:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(find_program("driver")))
        self.driver.set_script_timeout(300)
        self.driver.set_page_load_timeout(120)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()

    @property
    def version(self) -> str:
        """The browser's own version."""
        return self.driver.capabilities["browserVersion"]

    def set_size(self, view: View) -> None:
        """Take the size of a view; the window of the operating system has a minimum, this has none."""
        metrics = {"width": view.width, "height": view.height, "deviceScaleFactor": 1, "mobile": view.width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def open(self, address: str, view: View) -> None:
        """Load a page as a reader does who has chosen this theme before, and wait until its formulas are set."""
        self.set_size(view)
        if urlsplit(self.driver.current_url).netloc != urlsplit(address).netloc:
            self.driver.get(address)
        self.run("localStorage.setItem('mode', arguments[0]); localStorage.setItem('theme', arguments[0])", view.theme)
        self.take_log()
        # A change of the part after # alone would not load the page again.
        self.driver.get("about:blank")
        self.driver.get(address)
        self.settle()

    def settle(self, milliseconds: int = 150) -> None:
        """Wait for formulas and fonts, and some time after them."""
        self.run_later(
            """const done = arguments[arguments.length - 1];
            const formulas = window.MathJax && MathJax.startup ? MathJax.startup.promise : Promise.resolve();
            formulas.then(() => document.fonts.ready).then(() => setTimeout(done, arguments[0]));""",
            milliseconds,
        )

    def run(self, script: str, *arguments):
        """The value that a script returns."""
        return self.driver.execute_script(script, *arguments)

    def run_later(self, script: str, *arguments):
        """The value that a script hands to its last argument."""
        return self.driver.execute_async_script(script, *arguments)

    def press(self, *keys: str) -> None:
        """Press keys, held together, where the focus is."""
        chain = ActionChains(self.driver, duration=0)
        for key in keys:
            chain.key_down(key)
        for key in reversed(keys):
            chain.key_up(key)
        chain.perform()

    def tab(self) -> None:
        """Go to the next place that the keyboard reaches."""
        self.press(Keys.TAB)

    def take_log(self) -> tuple[list[str], list[str]]:
        """Addresses requested and errors of the console since the last call."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        requests = [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]
        errors = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        return requests, errors
