"""The settings of ingestion: what may come in, from where, and what one item may cost."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from core.settings_section import Names, Section


def _are_addresses(entries: tuple[str, ...]) -> tuple[str, ...]:
    for entry in entries:
        host, _, port = entry.rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError(f"{entry!r} is no address: write host:port, as 127.0.0.1:8080")
    return entries


class IngestionSettings(Section):
    """What brings videos in.

    `allow` opens single addresses (`host:port`, as in the link) to the gate that keeps links out of private networks:
    for tests, and for a site of your own. `cookies_file` is Netscape's format, readable by its owner alone.
    `extractors` are the sites that links may lead to, by yt-dlp's names; `generic` is any page.
    """

    work_dir: Path = Path(".clipwarden/ingestion")
    allow: Annotated[Names, AfterValidator(_are_addresses)] = ()
    connect_timeout_s: float = Field(default=10.0, gt=0)
    idle_timeout_s: float = Field(default=20.0, gt=0)
    max_redirects: int = Field(default=5, ge=0, le=20)
    download_workers: int = Field(default=2, ge=1, le=64)
    download_max_bytes: int = Field(default=200_000_000, gt=0)
    download_max_s: float = Field(default=300.0, gt=0)
    download_memory_bytes: int = Field(default=1_500_000_000, ge=500_000_000)
    download_bytes_per_s: int = Field(default=0, ge=0)
    download_pause_s: float = Field(default=0.0, ge=0)
    cookies_file: Path | None = None
    extractors: Names = ("TikTok", "vm.tiktok", "youtube", "generic")
