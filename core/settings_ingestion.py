"""The settings of ingestion: what may come in, from where, and what one item may cost."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from core.settings_section import Names, Section


def are_addresses(entries: tuple[str, ...]) -> tuple[str, ...]:
    """The entries, each host:port; else ValueError."""
    for entry in entries:
        host, _, port = entry.rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError(f"{entry!r} is no address: write host:port, as 127.0.0.1:8080")
    return entries


class IngestionSettings(Section):
    """What brings videos in.

    `allow` opens single addresses (`host:port`, as in the link) to the gate that keeps links out of private networks:
    for tests, and for a site of your own. `cookies_file` is Netscape's format, readable by its owner alone.
    `extractors` are the sites that links may lead to, by yt-dlp's names; `generic` and `html5` are any page. Two
    downloads from one host begin `download_pause_s` apart, none is faster than `download_bytes_per_s`; 0 is no limit.

    An item whose worker was not heard of for `lease_s` goes to the next. A passing failure is tried again after
    `retry_s`, twice that, and so on up to `retry_max_s`, `max_attempts` times in all.

    A hashtag counts as dry after `crawl_dry_s` without a new video; a browser is replaced after `crawl_browser_s`.
    After a wall the crawl waits `crawl_backoff_s`, doubled each time, or as long as the site says; past
    `crawl_backoff_max_s` it gives the hashtag up for this round. `crawl_sandbox` is Chromium's own; root runs without.
    """

    work_dir: Path = Path(".clipwarden/ingestion")
    allow: Annotated[Names, AfterValidator(are_addresses)] = ()
    connect_timeout_s: float = Field(default=10.0, gt=0)
    idle_timeout_s: float = Field(default=20.0, gt=0)
    max_redirects: int = Field(default=5, ge=1, le=20)
    download_workers: int = Field(default=2, ge=1, le=64)
    download_max_bytes: int = Field(default=200_000_000, gt=0)
    download_max_s: float = Field(default=300.0, gt=0)
    download_memory_bytes: int = Field(default=1_500_000_000, ge=500_000_000)
    download_bytes_per_s: int = Field(default=0, ge=0)
    download_pause_s: float = Field(default=0.0, ge=0)
    cookies_file: Path | None = None
    extractors: Names = ("TikTok", "vm.tiktok", "youtube", "html5", "generic")
    http_port: int = Field(default=0, ge=0, le=65_535)
    lease_s: float = Field(default=60.0, ge=1)
    max_attempts: int = Field(default=6, ge=1)
    retry_s: float = Field(default=30.0, gt=0)
    retry_max_s: float = Field(default=3_600.0, gt=0)
    crawl_pause_s: float = Field(default=10.0, ge=0)
    crawl_dry_s: float = Field(default=15.0, gt=0)
    crawl_attempts: int = Field(default=3, ge=1, le=20)
    crawl_backoff_s: float = Field(default=30.0, gt=0)
    crawl_backoff_max_s: float = Field(default=1_800.0, gt=0)
    crawl_browser_s: float = Field(default=2_700.0, gt=0)
    crawl_page_timeout_s: float = Field(default=30.0, gt=0)
    crawl_answer_max_bytes: int = Field(default=8 * 1024 * 1024, ge=65_536)
    crawl_max_bytes: int = Field(default=2_000_000_000, gt=0)
    crawl_user_agent: str = ""
    crawl_sandbox: bool = True
