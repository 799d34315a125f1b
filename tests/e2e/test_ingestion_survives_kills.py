"""Workers killed again and again: every link is posted once, or refused with a code, and nothing is left behind."""

import pytest

from operations.bench.ingest import bench_ingest

pytestmark = pytest.mark.e2e


@pytest.mark.timeout(300)
def test_every_item_is_posted_once_or_refused_whatever_is_killed() -> None:
    account = bench_ingest(80, kill_every_s=3)

    assert account["kills"] != 0
    assert account["is_exact"], account
    assert account["codes"] == {"ingest.gone": 4, "ingest.type": 4, "ingest.repeat": 4}
