from datetime import UTC, datetime

from core.clock import FixedClock
from core.storage.ledger_memory import MemoryLedger
from ingestion.crawl.note import LedgerSink
from ingestion.crawl.tiktok import TikTok
from ingestion.links import link_key
from tests.fixtures.hashtags import item, item_list

SEEN_AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_video_is_one_item_with_a_sighting_for_every_time_it_was_listed() -> None:
    ledger = MemoryLedger()
    sink = LedgerSink(ledger, tool="crawl 1", terms="ask", clock=FixedClock(SEEN_AT))
    (video,) = TikTok().parse_items(item_list([item(5)])).videos

    sink([video.model_copy(update={"listed_under": "cats"})])
    sink([video.model_copy(update={"listed_under": "dogs"})])

    (known,) = ledger.items(10)
    assert (known.item_key, known.video_id, known.link) == (video.video_id, video.video_id, video.link)
    assert (known.caption, known.hashtags, known.author_id) == (video.caption, ("cats",), "some.body_5")
    sightings = ledger.sightings(known.item_id)
    assert [(seen.source, seen.hashtag, seen.tool, seen.terms) for seen in sightings] == [
        ("crawl", "cats", "crawl 1", "ask"),
        ("crawl", "dogs", "crawl 1", "ask"),
    ]


def test_a_list_of_links_and_a_crawl_mean_the_same_item() -> None:
    (video,) = TikTok().parse_items(item_list([item(5)])).videos

    assert link_key(video.link) == video.video_id
