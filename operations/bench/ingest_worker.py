"""`python -m operations.bench.ingest_worker`: `python -m ingestion.work` with a plain client for the bench's own site.

What is measured is what the ledger promises when workers are killed, not what an extractor costs.
"""

import sys
from http import HTTPStatus
from pathlib import Path

import urllib3

from core.errors_ingest import IngestGone, IngestServerFailed, IngestTruncated, IngestUnreachable
from core.settings import Settings
from core.telemetry import configure_logging
from ingestion.fetch import Fetched
from ingestion.work import serve


class PlainFetcher:
    """Fetches a link's body as it is."""

    def __init__(self) -> None:
        self._http = urllib3.PoolManager(timeout=10.0, retries=False)

    def fetch(self, link: str, into: Path) -> Fetched:
        """Fetch one file; see `ingestion.fetch.Fetcher`."""
        try:
            answer = self._http.request("GET", link)
        except (urllib3.exceptions.ProtocolError, urllib3.exceptions.IncompleteRead) as error:
            raise IngestTruncated(f"{link}: {error}") from error
        except urllib3.exceptions.HTTPError as error:
            raise IngestUnreachable(f"{link}: {error}") from error
        if answer.status == HTTPStatus.NOT_FOUND:
            raise IngestGone(f"{link}: 404")
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise IngestServerFailed(f"{link}: {answer.status}")
        path = into / "video"
        path.write_bytes(answer.data)
        return Fetched(path, tool="bench", platform="bench")


if __name__ == "__main__":
    settings = Settings.load()
    configure_logging(settings.telemetry)
    sys.exit(serve(settings, PlainFetcher()))
