"""`python -m operations.screenshots ENTRY`: pictures of every page of a running console, for the documents.

ENTRY is the console's address, or a one-time link into it. Captions, stills and videos are blurred before anything is
drawn, and a picture on which one is not is never written.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from selenium import webdriver

from core.errors import ConfigError
from dashboard.navigation import ENTRIES
from operations.browser import chromium
from operations.seat import errors_as_lines

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SIZES_PX = ((1440, 900), (390, 844))
READY_TIMEOUT_S = 30.0
CALM_S = 1.5
"""What a page needs after its script ended: fonts, charts."""
# What may hold words or pictures of others; a table is drawn on a canvas, so it is blurred whole.
TENDER = (
    ".cw-excerpt, [class*='cw-'][class*='caption'], [class*='cw-'][class*='still'], video, "
    "img:not([data-testid='stLogo']):not([data-testid='stHeaderLogo']):not([class*='Logo']), "
    "[data-testid='stDataFrame']"
)
STYLE = f":is({TENDER}) {{ filter: blur(8px) !important; }}"
INJECT = f"""
const blur = () => {{
  if (document.head && !document.getElementById("tender")) {{
    const style = document.createElement("style");
    style.id = "tender";
    style.textContent = {STYLE!r};
    document.head.append(style);
  }}
}};
new MutationObserver(blur).observe(document, {{childList: true, subtree: true}});
blur();
"""
EXPOSED = f"""
return [...document.querySelectorAll({TENDER!r})].filter((found) => !getComputedStyle(found).filter.includes("blur"))
  .length
"""
IS_READY = """
const app = document.querySelector(".stApp");
return app !== null && app.dataset.testScriptState === "notRunning" && document.querySelector("h1") !== null
  && document.querySelector(".cw-loading, [data-testid='stSkeleton'], [role='dialog']") === null
"""


class Camera:
    """Takes pictures with a browser; from its making on, every page that the browser opens is blurred."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": INJECT})

    def open(self, url: str) -> None:
        """Go to a page and wait until it is drawn.

        Raises:
            ConfigError: nothing is drawn there in time.
        """
        self._driver.get(url)
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        while not self._driver.execute_script(IS_READY):
            if time.monotonic() > deadline_s:
                raise ConfigError(
                    f"{urlsplit(url).path} was not drawn within {READY_TIMEOUT_S:.0f} s; is it a console?"
                )
            time.sleep(0.1)
        time.sleep(CALM_S)

    def take(self, path: Path, *, width_px: int, height_px: int) -> None:
        """Write what is seen at this size.

        Raises:
            ConfigError: something on it is not blurred.
        """
        metrics = {"width": width_px, "height": height_px, "deviceScaleFactor": 1, "mobile": False}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        time.sleep(CALM_S)
        if exposed := self.exposed():
            raise ConfigError(f"{path.name}: {exposed} captions or pictures are not blurred; nothing was written")
        self._driver.save_screenshot(str(path))

    def exposed(self) -> int:
        """How many captions and pictures on the page are not blurred."""
        return int(self._driver.execute_script(EXPOSED))


def shoot(driver: webdriver.Chrome, entry: str, folder: Path) -> list[Path]:
    """Every page in the order of the navigation, at every size; the pictures' paths."""
    camera, parts = Camera(driver), urlsplit(entry)
    console = f"{parts.scheme}://{parts.netloc}"
    camera.open(entry)
    pictures = []
    for page in ENTRIES:
        # The first page is what an address without a path opens, and has no other.
        camera.open(console if page is ENTRIES[0] else f"{console}/{page.path}")
        for width_px, height_px in SIZES_PX:
            pictures.append(folder / f"{page.path}-{width_px}.png")
            camera.take(pictures[-1], width_px=width_px, height_px=height_px)
    return pictures


def main(argv: Sequence[str]) -> int:
    """Write the pictures; 2 when there is no browser, or no console."""
    parser = argparse.ArgumentParser(prog="python -m operations.screenshots", description=__doc__)
    parser.add_argument("entry", metavar="ENTRY", help="http://127.0.0.1:8501, or a one-time link")
    parser.add_argument("--out", type=Path, default=IMAGES, help="where the pictures go")
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    with errors_as_lines(), chromium() as driver:
        for path in shoot(driver, options.entry, options.out):
            sys.stderr.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
