"""clipwarden crawl: the videos of hashtag pages into the ledger, for `clipwarden download`."""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from core.clock import SystemClock
from core.errors import ConfigError
from core.settings import Settings
from core.storage.ledger_pg import PostgresLedger
from ingestion.cookies import Cookie, load_cookies
from ingestion.crawl.adapter import PlatformAdapter
from ingestion.crawl.browser import browser_behind
from ingestion.crawl.crawl import Crawl
from ingestion.crawl.note import LedgerSink
from ingestion.crawl.scroll import Harvest
from ingestion.crawl.tiktok import TikTok
from ingestion.crawl.youtube import YouTubeShorts
from ingestion.egress.gate import Gate
from operations.seat import EXIT_FAILED, load_settings, screen

app = typer.Typer()


class Platform(StrEnum):
    """Those with an adapter."""

    TIKTOK = "tiktok"
    YOUTUBE = "youtube"


ADAPTERS: Mapping[Platform, type[TikTok] | type[YouTubeShorts]] = {
    Platform.TIKTOK: TikTok,
    Platform.YOUTUBE: YouTubeShorts,
}
UNITS_S = {"m": 60, "h": 3_600, "d": 86_400}


@app.command()
def crawl(
    hashtag: Annotated[list[str], typer.Option(help="With or without #; give it again for more.")],
    *,
    most: Annotated[int, typer.Option("--max", help="Videos of each hashtag.", min=1, max=10_000)] = 100,
    every: Annotated[str | None, typer.Option(help="Again and again: 30m, 1h, 1d.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout for each round.")] = False,
    platform: Annotated[Platform, typer.Option(help="Whose hashtag pages.")] = Platform.TIKTOK,
    site: Annotated[str | None, typer.Option(hidden=True, help="Another address of the platform.")] = None,
) -> None:
    """Find videos on hashtag pages. Example: clipwarden crawl --hashtag cats --max 50 --every 1h.

    Fails if a wall (login, captcha, rate limit) ended a hashtag's page early; what came before the wall is kept.
    """
    every_s = None if every is None else parse_every(every)
    adapter = ADAPTERS[platform]
    with _crawl(load_settings(), adapter() if site is None else adapter(site)) as run:
        if every_s is not None:
            run.repeat(hashtag, most, every_s=every_s, report=partial(_report, as_json=as_json))
            return
        harvests = run.round(hashtag, most)
    _report(harvests, as_json=as_json)
    if any(harvest.failure for harvest in harvests):
        raise typer.Exit(EXIT_FAILED)


def parse_every(text: str) -> float:
    """Seconds of `30m`, `1h`, `1d`.

    Raises:
        ConfigError: it is none of these.
    """
    match = re.fullmatch(r"([1-9]\d{0,3})([mhd])", text)
    if match is None:
        raise ConfigError(f"--every {text!r} is no time between rounds; give minutes, hours or days: 30m, 1h, 1d")
    return float(int(match[1]) * UNITS_S[match[2]])


@contextmanager
def _crawl(settings: Settings, adapter: PlatformAdapter) -> Iterator[Crawl]:
    clock, ingestion = SystemClock(), settings.ingestion
    cookies = _cookies(ingestion.cookies_file, adapter.cookie_domain, now_s=clock.now().timestamp())
    ledger = PostgresLedger(settings.store)
    try:
        # A ledger that is away is told now, not after a page was read.
        ledger.ping()
        sink = LedgerSink(ledger, tool=f"clipwarden crawl {version('clipwarden')}", terms=adapter.terms, clock=clock)
        with Gate(ingestion) as gate:
            open_browser = partial(browser_behind, gate, ingestion, cookies=cookies, clock=clock)
            yield Crawl(adapter, open_browser, sink, settings=ingestion, clock=clock, wait=time.sleep)
    finally:
        ledger.close()


def _cookies(file: Path | None, domain: str, *, now_s: float) -> list[Cookie]:
    return [] if file is None else load_cookies(file, domain, now_s=now_s)


def _report(harvests: Sequence[Harvest], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"hashtags": [_row(harvest) for harvest in harvests]}))
    for harvest in harvests:
        why = f": {harvest.failure}" if harvest.failure else ""
        skipped = f", {sum(harvest.skipped.values())} skipped" if harvest.skipped else ""
        screen.print(
            f"#{harvest.tag}: {len(harvest.videos)} videos{skipped}, {harvest.ending}{why}",
            markup=False,
            soft_wrap=True,
        )


def _row(harvest: Harvest) -> dict[str, Any]:
    return {
        "hashtag": harvest.tag,
        "videos": len(harvest.videos),
        "skipped": dict(harvest.skipped),
        "ending": harvest.ending,
        "attempts": harvest.attempts,
        "code": harvest.failure.code if harvest.failure else None,
        "message": harvest.failure.message if harvest.failure else None,
    }
