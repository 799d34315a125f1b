"""How long a real Chromium needs until a page's own content is on the screen, by Chromium's own clock."""

import json
import time
from typing import Any

from selenium import webdriver

from core.errors import DependencyError
from operations.bench.console.looks import Look

TIMEOUT_S = 60.0
# Frame by frame: once the content has a place, it is on the screen when the next frame is done.
_WATCH = """
(() => {
  const look = () => {
    const found = document.querySelector(%s);
    if (found === null || found.getBoundingClientRect().height === 0) return requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => { window.benchPaintedMs = performance.now(); }, 0));
  };
  requestAnimationFrame(look);
})();
"""
_PAINTED = "return window.benchPaintedMs"
_SAYS = "return document.querySelector('#root')?.innerText.slice(0, 200) ?? ''"


class Painter:
    """Opens pages in a browser that is signed in."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver
        metrics = {"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def forget(self) -> None:
        """Empty the browser's cache, as on a first visit."""
        self._driver.execute_cdp_cmd("Network.clearBrowserCache", {})

    def open(self, url: str, look: Look) -> float:
        """Go to a page; seconds from the start of the navigation to the first frame with the page's own content.

        Raises:
            DependencyError: it does not come.
        """
        watch = {"source": _WATCH % json.dumps(look.marker)}
        script: dict[str, Any] = self._driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", watch)
        try:
            self._driver.get(url)
            return self._painted(look)
        finally:
            self._driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)

    def _painted(self, look: Look) -> float:
        until_s = time.monotonic() + TIMEOUT_S
        while time.monotonic() < until_s:
            painted_ms = self._driver.execute_script(_PAINTED)
            if painted_ms is not None:
                return float(painted_ms) / 1e3
            time.sleep(0.05)
        raise DependencyError(f"{look.name} was not drawn; the page says: {self._driver.execute_script(_SAYS)}")
