"""Thirty hostile links: each is refused with its code, and what nobody may reach is not even connected to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import IngestError
from core.settings_ingestion import IngestionSettings
from ingestion.download.fetcher import Downloader
from ingestion.egress.gate import Gate
from ingestion.egress.route import resolve_by_system
from tests.fixtures.site import Site

pytestmark = pytest.mark.integration

NAMES = {
    "inner.test": ["10.0.0.1"],
    "rebind.test": ["93.184.215.14", "127.0.0.1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "translated.test": ["64:ff9b::7f00:1"],
    "metadata.test": ["169.254.169.254"],
}
# S is the site that may be reached, F the server that may not; its port is as good to the gate as 80.
LINKS = [
    ("file:///etc/passwd", "ingest.scheme"),
    ("ftp://F/clip.mp4", "ingest.scheme"),
    ("gopher://F/_GET%20/clip.mp4", "ingest.scheme"),
    ("data:text/html,<video/src=//F/clip.mp4>", "ingest.scheme"),
    ("http://me:secret@F/clip.mp4", "ingest.link"),
    ("http://F\r\nHost: x/clip.mp4", "ingest.link"),
    ("http://F/clip.mp4", "ingest.address"),
    ("https://F/clip.mp4", "ingest.address"),
    ("http://localhost:P/clip.mp4", "ingest.address"),
    ("http://2130706433:P/clip.mp4", "ingest.address"),
    ("http://0x7f.0.0.1:P/clip.mp4", "ingest.address"),
    ("http://0177.0.0.1:P/clip.mp4", "ingest.address"),
    ("http://\uff11\uff12\uff17.0.0.1:P/clip.mp4", "ingest.address"),
    ("http://[::1]:P/clip.mp4", "ingest.address"),
    ("http://[::ffff:127.0.0.1]:P/clip.mp4", "ingest.address"),
    ("http://inner.test:P/clip.mp4", "ingest.address"),
    ("http://rebind.test:P/clip.mp4", "ingest.address"),
    ("http://translated.test:P/clip.mp4", "ingest.address"),
    ("http://169.254.169.254/latest/meta-data/", "ingest.address"),
    ("https://metadata.test/computeMetadata/v1/", "ingest.address"),
    ("http://127.0.0.1:22/clip.mp4", "ingest.address"),
    ("http://S/to/http://F/clip.mp4", "ingest.address"),
    ("http://S/to/http://169.254.169.254/latest/", "ingest.address"),
    ("http://S/to/ftp://F/clip.mp4", "ingest.scheme"),
    ("http://S/to/file:///etc/passwd", "ingest.scheme"),
    ("http://S/holds/http://F/clip.mp4", "ingest.address"),
    ("http://S/holds/file:///etc/passwd", "ingest.type"),
    ("http://S/list/http://F", "ingest.type"),
    ("http://S/loop", "ingest.redirects"),
    ("http://S/hops/30", "ingest.redirects"),
    ("http://S/meta/0", "ingest.redirects"),
    ("http://S/huge", "ingest.too_large"),
    ("http://S/endless", "ingest.too_large"),
    ("http://S/drip", "ingest.timeout"),
    ("http://S/bomb/text/html", "ingest.too_large"),
    ("http://S/bomb/video/mp4", "ingest.too_large"),
    ("http://S/many", "ingest.playlist"),
    ("http://S/feed", "ingest.playlist"),
]


@pytest.fixture(scope="module")
def downloader(site: Site, forbidden: Site) -> Iterator[Downloader]:
    async def resolve(host: str, port: int) -> list[str]:
        return NAMES.get(host) or await resolve_by_system(host, port)

    settings = IngestionSettings(
        allow=(site.address,),
        connect_timeout_s=2.0,
        download_max_bytes=5_000_000,
        download_max_s=10.0,
        download_memory_bytes=600_000_000,
    )
    with Gate(settings, resolve=resolve, ports=frozenset({80, 443, forbidden.port})) as gate:
        yield Downloader(gate, settings)


@pytest.mark.parametrize(("link", "code"), LINKS, ids=[link for link, _ in LINKS])
def test_a_hostile_link_is_refused_with_its_code_and_reaches_nothing(
    downloader: Downloader, site: Site, forbidden: Site, link: str, code: str, tmp_path: Path
) -> None:
    written = link.replace("P/", f"{forbidden.port}/").replace("S/", f"{site.address}/").replace("F", forbidden.address)

    with pytest.raises(IngestError) as refusal:
        downloader.fetch(written, tmp_path)

    assert refusal.value.code == code
    assert forbidden.connections == 0
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 6_000_000
