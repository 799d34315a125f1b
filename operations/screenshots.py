"""`python -m operations.screenshots ENTRY`: pictures of every page of a running console, for the documents.

ENTRY is the console's address, or a one-time link into it (`clipwarden users link admin`). Captions, stills and videos
are blurred before anything is drawn, and a picture on which one is not is never written.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import WebDriverException

from core.errors import ConfigError
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
PAGES = "return [...document.querySelectorAll('[data-testid=stSidebarNavLink]')].map((found) => found.href)"
FIRST_PAGE = "live"
"""What an address without a path opens, and has no other."""
OPEN_ALERT = """
const found = document.querySelector("[class*='st-key-open-'] button");
if (found) found.click();
return found !== null
"""


class Camera:
    """Takes pictures with a browser; every page that the browser opens is blurred until this is closed."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver
        self._script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": INJECT})

    def close(self) -> None:
        """Blur no page that is opened from now on."""
        self._driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", self._script)

    def open(self, url: str) -> None:
        """Go to a page and wait until it is drawn.

        Raises:
            ConfigError: nothing is drawn there in time.
        """
        try:
            self._driver.get(url)
        except WebDriverException as error:
            raise ConfigError(f"{url} cannot be opened: {(error.msg or '').splitlines()[0]}; does it run?") from error
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        while not self._driver.execute_script(IS_READY):
            if time.monotonic() > deadline_s:
                raise ConfigError(
                    f"{urlsplit(url).path} was not drawn within {READY_TIMEOUT_S:.0f} s; is it a console?"
                )
            time.sleep(0.1)
        time.sleep(CALM_S)

    def pages(self) -> list[str]:
        """The addresses of the navigation, in its order."""
        found: list[str] = self._driver.execute_script(PAGES)
        return found

    def size(self, width_px: int, height_px: int) -> None:
        """Make the window this large."""
        metrics = {"width": width_px, "height": height_px, "deviceScaleFactor": 1, "mobile": False}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def open_alert(self) -> bool:
        """Open the first alert of the list; whether there is one."""
        if not self._driver.execute_script(OPEN_ALERT):
            return False
        time.sleep(CALM_S)
        return True

    def take(self, path: Path, *, width_px: int, height_px: int) -> None:
        """Write what is seen at this size.

        Raises:
            ConfigError: something on it is not blurred.
        """
        self.size(width_px, height_px)
        time.sleep(CALM_S)
        if exposed := self.exposed():
            raise ConfigError(f"{path.name}: {exposed} captions or pictures are not blurred; nothing was written")
        self._driver.save_screenshot(str(path))

    def exposed(self) -> int:
        """How many captions and pictures on the page are not blurred."""
        return int(self._driver.execute_script(EXPOSED))


def shoot(driver: webdriver.Chrome, entry: str, folder: Path) -> list[Path]:
    """Every page in the order of the navigation, then an open alert, at every size; the pictures' paths.

    Raises:
        ConfigError: it is no address, or no console; or something is not blurred.
    """
    parts = urlsplit(entry)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{entry} is no address; write it as http://127.0.0.1:8501")
    pictures = []
    with closing(Camera(driver)) as camera:
        camera.size(*SIZES_PX[0])
        camera.open(entry)
        for page in camera.pages():
            camera.open(page)
            pictures += _sizes(camera, folder, urlsplit(page).path.strip("/") or FIRST_PAGE)
        camera.open(f"{parts.scheme}://{parts.netloc}")
        if camera.open_alert():
            pictures += _sizes(camera, folder, "alert")
    return pictures


def _sizes(camera: Camera, folder: Path, name: str) -> list[Path]:
    pictures = []
    for width_px, height_px in SIZES_PX:
        pictures.append(folder / f"{name}-{width_px}.png")
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
