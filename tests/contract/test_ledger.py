"""What every ledger promises of items, in memory and in the database."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from core.storage.items import Content, Failure, Item, ItemState, Lease
from core.storage.ledger import Ledger
from tests.fixtures.ledger import LEASE, content, event, new_item, one, posted, stored
from tests.fixtures.stores import eventually

pytestmark = pytest.mark.integration

OTHER = Lease("work:2", 60.0)
GONE = Failure("ingest.gone", "404")


def states(ledger: Ledger, *items: Item) -> list[ItemState | None]:
    return [found.state if (found := ledger.item(item.item_id)) else None for item in items]


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


def test_an_item_found_again_is_the_same_item_seen_twice(ledger: Ledger) -> None:
    first, again = ledger.found([new_item("tiktok:1"), new_item("tiktok:1", source="import")])
    (later,) = ledger.found([new_item("tiktok:1", source="watch")])

    assert first.item_id == again.item_id == later.item_id
    assert later.state is ItemState.FOUND
    assert [seen.source for seen in ledger.sightings(first.item_id)] == ["crawl", "import", "watch"]


def test_the_same_call_again_adds_no_sighting(ledger: Ledger) -> None:
    batch = [new_item("tiktok:1"), new_item("tiktok:2")]

    first, _ = ledger.found(batch)
    ledger.found(batch)

    assert len(ledger.sightings(first.item_id)) == 1


def test_an_item_is_as_it_was_told(ledger: Ledger) -> None:
    told = new_item("tiktok:1", caption="xin\x00 chào \ud800", hashtags=("a", "b"), posted_at=soon(), language="vi")

    (item,) = ledger.found([told])

    assert (item.caption, item.hashtags, item.posted_at, item.language) == (
        "xin\ufffd chào ?",
        ("a", "b"),
        told.posted_at,
        "vi",
    )
    assert ledger.item(item.item_id) == item


def test_one_item_has_one_worker(ledger: Ledger) -> None:
    ledger.found([new_item(f"tiktok:{n}") for n in range(5)])

    mine, theirs = ledger.claim(LEASE, limit=3), ledger.claim(OTHER, limit=9)

    assert [item.item_key for item in mine + theirs] == [f"tiktok:{n}" for n in range(5)]
    assert {item.lease_owner for item in mine} == {LEASE.owner}
    assert ledger.claim(LEASE, limit=9) == []


def test_what_a_dead_worker_held_is_claimed_again(ledger: Ledger) -> None:
    item = one(ledger, lease=Lease("work:dead", 0.05))

    assert eventually(lambda: ledger.claim(OTHER, limit=1))[0].item_id == item.item_id
    assert ledger.fetched("work:dead", [content(item)]) == []


def test_a_lease_that_is_renewed_lasts(ledger: Ledger) -> None:
    one(ledger, lease=Lease("work:1", 0.05))
    ledger.renew(LEASE)

    eventually(lambda: datetime.now(UTC) > (ledger.items(1)[0].found_at + timedelta(seconds=0.1)))
    assert ledger.claim(OTHER, limit=1) == []


def test_what_was_released_can_be_claimed_at_once(ledger: Ledger) -> None:
    first, second = one(ledger, "tiktok:1"), one(ledger, "tiktok:2")

    ledger.release(LEASE.owner, [first.item_id])
    assert [item.item_id for item in ledger.claim(OTHER, limit=9)] == [first.item_id]
    ledger.release(LEASE.owner)
    assert [item.item_id for item in ledger.claim(OTHER, limit=9)] == [second.item_id]


def test_an_item_goes_all_the_way(ledger: Ledger) -> None:
    item = one(ledger, caption="said before", hashtags=("a",))

    (fetched,) = ledger.fetched(LEASE.owner, [content(item, video_id="tiktok:1", provenance={"tool": "t"})])
    ledger.stored(LEASE.owner, [item.item_id])
    (done,) = ledger.posted(LEASE.owner, [(item.item_id, event(fetched))])

    assert (fetched.state, fetched.caption, fetched.hashtags) == (ItemState.FETCHED, "said before", ("a",))
    assert (done.state, done.video_id, done.lease_owner, done.provenance) == (
        ItemState.POSTED,
        "tiktok:1",
        None,
        {"tool": "t"},
    )
    assert ledger.claim(LEASE, limit=9) == []


def test_every_step_may_be_made_again(ledger: Ledger) -> None:
    item = one(ledger)
    told = content(item)

    for _ in range(2):
        (fetched,) = ledger.fetched(LEASE.owner, [told])
    for _ in range(2):
        ledger.stored(LEASE.owner, [item.item_id])
    for _ in range(2):
        ledger.posted(LEASE.owner, [(item.item_id, event(fetched))])

    assert states(ledger, item) == [ItemState.POSTED]
    assert ledger.waiting_events().events == 1


def test_an_event_needs_its_object(ledger: Ledger) -> None:
    item = one(ledger)
    (fetched,) = ledger.fetched(LEASE.owner, [content(item)])

    assert ledger.posted(LEASE.owner, [(item.item_id, event(fetched))]) == []
    assert ledger.waiting_events().events == 0


def test_a_post_without_media_has_nothing_to_store(ledger: Ledger) -> None:
    item = one(ledger, "upload:k:1", link=None, caption="a text")
    (known,) = ledger.fetched(LEASE.owner, [Content(item.item_id, "gateway:1", platform="upload")])

    (done,) = ledger.posted(LEASE.owner, [(item.item_id, event(known))])

    assert (done.state, done.caption, done.media_uri) == (ItemState.POSTED, "a text", None)


def test_the_same_bytes_are_posted_once(ledger: Ledger) -> None:
    first = posted(ledger, "tiktok:1", video_id="tiktok:1", sha256="ab" * 32)
    second = one(ledger, "tiktok:2")

    (repeat,) = ledger.fetched(LEASE.owner, [content(second, video_id="tiktok:2", sha256="ab" * 32)])

    assert (repeat.state, repeat.code, repeat.video_id) == (ItemState.REPEATED, "ingest.repeat", "tiktok:1")
    assert [item.item_id for item in ledger.of_video("tiktok:1")] == [first.item_id, repeat.item_id]
    assert ledger.waiting_events().events == 1


def test_the_same_video_id_is_posted_once(ledger: Ledger) -> None:
    posted(ledger, "tiktok:1", video_id="tiktok:1")
    link = one(ledger, "link:http://b.example")

    assert stored(ledger, link, video_id="tiktok:1").state is ItemState.REPEATED


def test_of_two_under_way_at_once_one_is_posted(ledger: Ledger) -> None:
    items = [one(ledger, f"tiktok:{n}") for n in range(3)]
    under_way = [stored(ledger, item, video_id=item.item_key, sha256="ab" * 32) for item in items]
    assert {item.state for item in under_way} == {ItemState.FETCHED}

    (second,) = ledger.posted(LEASE.owner, [(under_way[1].item_id, event(under_way[1]))])
    rest = ledger.posted(LEASE.owner, [(item.item_id, event(item)) for item in (under_way[0], under_way[2])])

    assert second.state is ItemState.POSTED
    assert {(item.state, item.video_id) for item in rest} == {(ItemState.REPEATED, "tiktok:1")}


def test_twins_of_one_batch_are_posted_once(ledger: Ledger) -> None:
    items = [one(ledger, f"tiktok:{n}") for n in range(2)]
    known = [stored(ledger, item, sha256="ab" * 32) for item in items]

    done = ledger.posted(LEASE.owner, [(item.item_id, event(item)) for item in known])

    assert sorted(item.state.value for item in done) == ["posted", "repeated"]
    assert ledger.waiting_events().events == 1


def test_videos_named_by_their_sender_may_have_the_same_bytes(ledger: Ledger) -> None:
    for name in ("shop:1", "shop:2"):
        item = one(ledger, name, is_distinct=True)
        known = stored(ledger, item, video_id=name, sha256="ab" * 32)
        assert ledger.posted(LEASE.owner, [(item.item_id, event(known))])[0].state is ItemState.POSTED


def test_a_failure_is_tried_again_until_attempts_are_used_up(ledger: Ledger) -> None:
    failure, now = Failure("ingest.timeout", "stalled"), datetime.now(UTC)
    item = one(ledger)

    assert ledger.later(LEASE.owner, item.item_id, failure, next_try=now, max_attempts=2) is ItemState.FOUND
    (again,) = ledger.claim(LEASE, limit=9)
    assert (again.attempts, again.code, again.message) == (1, "ingest.timeout", "stalled")
    assert ledger.later(LEASE.owner, item.item_id, failure, next_try=now, max_attempts=2) is ItemState.FAILED

    assert ledger.claim(LEASE, limit=9) == []
    assert ledger.later(LEASE.owner, item.item_id, failure, next_try=now, max_attempts=2) is None


def test_nothing_is_tried_before_its_time(ledger: Ledger) -> None:
    item = one(ledger)

    ledger.later(LEASE.owner, item.item_id, GONE, next_try=soon(), max_attempts=9)

    assert ledger.claim(LEASE, limit=9) == []
    assert ledger.oldest_waiting() == item.found_at


def test_a_refused_item_opens_again_when_asked_for(ledger: Ledger) -> None:
    items = [one(ledger, f"tiktok:{n}", source=source) for n, source in enumerate(("crawl", "crawl", "import"))]
    for item in items:
        ledger.refused(LEASE.owner, item.item_id, GONE)
    assert ledger.claim(LEASE, limit=9) == []

    assert ledger.retry(source="crawl", code="ingest.gone") == 2
    assert ledger.retry(item_id=items[2].item_id) == 1
    assert ledger.retry() == 0

    assert [(item.code, item.attempts) for item in ledger.claim(LEASE, limit=9)] == [(None, 0)] * 3


def test_a_paused_source_gives_out_nothing(ledger: Ledger) -> None:
    ledger.found([new_item("tiktok:1"), new_item("tiktok:2", source="import")])

    ledger.pause("crawl", by="an")
    ledger.pause("crawl", by="an")
    assert ledger.paused() == {"crawl"}
    assert [item.source for item in ledger.claim(LEASE, limit=9)] == ["import"]

    ledger.resume("crawl")
    assert [item.source for item in ledger.claim(LEASE, limit=9)] == ["crawl"]


def test_a_file_is_given_out_on_its_own_host_only(ledger: Ledger) -> None:
    ledger.found([new_item("sha256:ab", link=None, path="/clips/a.mp4", host="here")])

    assert ledger.claim(LEASE, limit=9) == ledger.claim(LEASE, limit=9, host="there") == []
    assert ledger.claim(LEASE, limit=9, host="here") != []


def test_counts_tell_source_state_and_code(ledger: Ledger) -> None:
    posted(ledger, "tiktok:1")
    ledger.refused(LEASE.owner, one(ledger, "tiktok:2").item_id, GONE)
    one(ledger, "tiktok:3", source="import")

    assert {(row.source, row.state.value, row.code, row.items) for row in ledger.counts()} == {
        ("crawl", "posted", None, 1),
        ("crawl", "refused", "ingest.gone", 1),
        ("import", "found", None, 1),
    }
    assert [item.item_key for item in ledger.items(9, code="ingest.gone")] == ["tiktok:2"]
    assert [item.item_key for item in ledger.items(9, state=ItemState.POSTED, source="crawl")] == ["tiktok:1"]
    assert ledger.items(1)[0].item_key == "tiktok:3"


def test_an_unknown_item_is_none(ledger: Ledger) -> None:
    assert ledger.item(uuid.uuid4().int >> 80) is None
    assert ledger.oldest_waiting() is None
