"""The downloading process, `python -m ingestion.download.child`: strangers' pages are read here, and nowhere else.

One order from stdin, one answer on stdout, and its end; only `Downloader` starts it.
"""

import os
import sys
from pathlib import Path

from core.errors_ingest import IngestTypeRefused
from ingestion.download.causes import to_ingest_error
from ingestion.download.cell import check, confine
from ingestion.download.order import Found, Order, Refusal, to_answer
from ingestion.download.site import Site


def main() -> None:
    """Confine this process, fetch, and say what became of it."""
    order = Order.parse(sys.stdin.buffer.read())
    confine(order)
    folder = Path(order.into).resolve()
    sys.addaudithook(lambda event, arguments: check(event, arguments, port=order.proxy_port, folder=folder))
    # What a library prints must not land in the answer.
    answers_fd = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    os.write(answers_fd, to_answer(_fetch(order)))


def _fetch(order: Order) -> Found | Refusal:
    site = Site(order)
    try:
        return site.fetch()
    except Exception as error:  # noqa: BLE001 - the outermost frame: whatever a page broke has a code
        return _refusal(site, error)


def _refusal(site: Site, error: Exception) -> Refusal:
    cause = to_ingest_error(error)
    if isinstance(cause, IngestTypeRefused):
        cause = site.wall() or cause
    return Refusal(cause.code, cause.message, getattr(cause, "retry_after_s", None))


if __name__ == "__main__":
    main()
