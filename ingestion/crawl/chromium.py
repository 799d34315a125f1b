"""A Chromium process of our own: headless, without a way past the proxy, dying with us, ended with all it started."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from selenium.common import WebDriverException
from selenium.webdriver import ChromeOptions, Remote
from selenium.webdriver.chrome.remote_connection import ChromeRemoteConnection
from selenium.webdriver.common.proxy import Proxy, ProxyType
from selenium.webdriver.remote.client_config import ClientConfig
from urllib3.exceptions import HTTPError

from core import leash
from core.errors import BrowserUnavailable, ConfigError
from core.settings_ingestion import IngestionSettings

START_TIMEOUT_S = 30.0
END_TIMEOUT_S = 3.0
SCRIPT_TIMEOUT_S = 10.0
PROFILES = "clipwarden-browser-"
STARTED = re.compile(rb"started successfully on port (\d+)")

NOWHERE = "http://127.0.0.1:1"
"""A port that Chromium itself refuses to ask, so that nothing leaves, not even to the proxy."""

FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--no-default-browser-check",
    # Cookies stay in memory: a killed browser leaves no session on the disk.
    "--incognito",
    # No debugging port for others on this machine, and a browser that ends when its driver is gone.
    "--remote-debugging-pipe",
    # Loopback and link-local addresses go through the proxy too, so that the gate sees, and refuses, them.
    "--proxy-bypass-list=<-loopback>",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    # Nothing is asked for but what the page asks for.
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-features=AutofillServerCommunication,MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,Translate",
    "--disable-sync",
    "--no-pings",
    f"--component-updater=url-source={NOWHERE}",
    f"--gaia-url={NOWHERE}",
    f"--gcm-checkin-url={NOWHERE}",
    f"--gcm-mcs-endpoint={NOWHERE}",
    f"--gcm-registration-url={NOWHERE}",
    f"--google-apis-url={NOWHERE}",
    f"--google-base-url={NOWHERE}",
    # The page's own answers are wanted, not its pictures and films.
    "--autoplay-policy=user-gesture-required",
    "--blink-settings=imagesEnabled=false",
    "--deny-permission-prompts",
    "--mute-audio",
    # Containers have a small /dev/shm; a page that eats memory ends itself.
    "--disable-dev-shm-usage",
    "--js-flags=--max-old-space-size=512",
)
PREFERENCES = {
    "credentials_enable_service": False,
    "download_restrictions": 3,  # None at all.
    "net.network_prediction_options": 2,
    "safebrowsing.enabled": False,
    "search.suggest_enabled": False,
    "signin.allowed": False,
}


class Chromium:
    """A running Chromium with its driver; `close` ends both, whatever state they are in.

    Raises:
        ConfigError: Chromium or its driver is not installed.
        BrowserUnavailable: it did not start.
    """

    def __init__(self, proxy: str, settings: IngestionSettings) -> None:
        chromium, chromedriver = _installed("chromium"), _installed("chromedriver")
        _sweep()
        self._profile = tempfile.TemporaryDirectory(prefix=f"{PROFILES}{os.getpid()}-")
        self._driver_process = _start_driver(chromedriver, self._profile.name)
        self._browser_pidfd: int | None = None
        try:
            self.driver = self._start(options(chromium, proxy, self._profile.name, settings=settings), settings)
            self.pid = int(self.driver.capabilities["goog:processID"])
            self._browser_pidfd = os.pidfd_open(self.pid)
        except (WebDriverException, HTTPError, OSError) as error:
            self.close()
            raise BrowserUnavailable(f"Chromium did not start: {first_line(error)}") from error
        except BaseException:
            self.close()
            raise

    @property
    def driver_pid(self) -> int:
        """The process id of its driver."""
        return self._driver_process.pid

    def close(self) -> None:
        """Ask both to end, then kill what did not; by handles of our own, which no other process can inherit."""
        self._quit()
        self._driver_process.terminate()
        try:
            self._driver_process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._driver_process.kill()
            self._driver_process.wait()
        if self._driver_process.stdout is not None:
            self._driver_process.stdout.close()
        self._end_browser()
        self._profile.cleanup()

    def _start(self, chosen: ChromeOptions, settings: IngestionSettings) -> Remote:
        address = f"http://127.0.0.1:{_port_of(self._driver_process)}"
        # A proxy named in the environment is not for talking to our own driver.
        config = ClientConfig(
            address,
            proxy=Proxy({"proxyType": ProxyType.DIRECT}),
            # Past the page's own time the driver itself hangs, and would hang again.
            timeout=int(settings.crawl_page_timeout_s + SCRIPT_TIMEOUT_S + END_TIMEOUT_S),
            init_args_for_pool_manager={"init_args_for_pool_manager": {"retries": False}},
        )
        driver = Remote(ChromeRemoteConnection(address, client_config=config), options=chosen)
        driver.set_page_load_timeout(settings.crawl_page_timeout_s)
        driver.set_script_timeout(SCRIPT_TIMEOUT_S)
        return driver

    def _quit(self) -> None:
        driver = getattr(self, "driver", None)
        if driver is None or self._driver_process.poll() is not None:
            return
        driver.command_executor.client_config.timeout = END_TIMEOUT_S
        try:
            driver.quit()
        except (WebDriverException, HTTPError, OSError):
            return  # What does not end when asked is killed next.

    def _end_browser(self) -> None:
        if self._browser_pidfd is None:
            return
        pidfd, self._browser_pidfd = self._browser_pidfd, None
        try:
            if not _has_ended(pidfd):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                _has_ended(pidfd)
        except ProcessLookupError:
            pass  # It ended in between.
        finally:
            os.close(pidfd)


def options(chromium: str, proxy: str, profile: str, *, settings: IngestionSettings) -> ChromeOptions:
    """How Chromium is started: behind `proxy`, `http://host:port`, and nowhere else."""
    chosen = ChromeOptions()
    chosen.binary_location = chromium
    chosen.page_load_strategy = "eager"
    chosen.unhandled_prompt_behavior = "dismiss"
    for flag in (*FLAGS, *_flags_of(proxy, profile, settings)):
        chosen.add_argument(flag)
    chosen.add_experimental_option("prefs", PREFERENCES)
    chosen.add_experimental_option("excludeSwitches", ["disable-popup-blocking"])
    chosen.add_experimental_option("perfLoggingPrefs", {"enableNetwork": True, "enablePage": False})
    chosen.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    return chosen


def first_line(error: BaseException) -> str:
    """What it says, without the driver's stack."""
    text = (error.msg if isinstance(error, WebDriverException) else str(error)) or type(error).__name__
    return text.strip().splitlines()[0][:200]


def _flags_of(proxy: str, profile: str, settings: IngestionSettings) -> list[str]:
    # Names are resolved by the proxy alone: a look-up of Chromium's own would tell, and could answer otherwise.
    resolver = f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {urlsplit(proxy).hostname}"
    flags = [f"--proxy-server={proxy}", resolver, f"--user-data-dir={profile}/profile"]
    if not settings.crawl_sandbox or os.geteuid() == 0:
        flags.append("--no-sandbox")
    if settings.crawl_user_agent:
        flags.append(f"--user-agent={settings.crawl_user_agent}")
    return flags


def _sweep() -> None:
    """Delete the folders of browsers whose crawl was killed; they are named after its process."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PROFILES}*-*"):
        pid = folder.name.removeprefix(PROFILES).partition("-")[0]
        if not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _installed(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise ConfigError(
            f"{program} is not installed, which reads the pages: apt-get install chromium chromium-driver"
        )
    return found


def _start_driver(chromedriver: str, home: str) -> "subprocess.Popen[bytes]":
    tied = (sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), "-", chromedriver, "--port=0")
    return subprocess.Popen(  # noqa: S603 - the installed driver
        tied,
        # No secrets for a process that opens strangers' pages.
        env={"PATH": os.defpath, "HOME": home, "TMPDIR": home, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path("/"),
        # Ctrl-C in a terminal goes to its whole group; what was found is still noted then.
        start_new_session=True,
    )


def _port_of(process: "subprocess.Popen[bytes]") -> int:
    deadline_s, said = time.monotonic() + START_TIMEOUT_S, b""
    assert process.stdout is not None  # noqa: S101 - it was asked for
    while (left_s := deadline_s - time.monotonic()) > 0 and select.select([process.stdout], [], [], left_s)[0]:
        chunk = os.read(process.stdout.fileno(), 4_096)
        said += chunk
        if found := STARTED.search(said):
            return int(found[1])
        if not chunk:
            break
    raise BrowserUnavailable("the browser's driver did not start; try `chromedriver --version`")


def _has_ended(pidfd: int) -> bool:
    return bool(select.select([pidfd], [], [], END_TIMEOUT_S)[0])
