"""What every ledger promises of events on their way, and of what is erased."""

import pytest

from core.storage.items import Delivery, Failure, ItemState, Lease
from core.storage.ledger import Ledger
from tests.fixtures.ledger import LEASE, content, new_item, one, posted, stored
from tests.fixtures.stores import eventually

pytestmark = pytest.mark.integration

RELAY = Lease("relay:1", 60.0)
BRIEF = Lease("relay:dead", 0.05)
OTHER = Lease("relay:2", 60.0)


def test_an_event_goes_to_one_sender_in_order(ledger: Ledger) -> None:
    items = [posted(ledger, f"tiktok:{n}") for n in range(3)]

    mine, theirs = ledger.outgoing(RELAY, limit=2), ledger.outgoing(OTHER, limit=9)

    assert [event.item_id for event in mine + theirs] == [item.item_id for item in items]
    assert mine[0].key == (items[0].video_id or "").encode()
    assert f'"video_id":"{items[0].video_id}"'.encode() in mine[0].value
    assert ledger.outgoing(RELAY, limit=9) == ledger.stranded(RELAY, limit=9) == []


def test_what_was_sent_waits_no_longer(ledger: Ledger) -> None:
    posted(ledger)
    assert ledger.waiting_events().since is not None
    (event,) = ledger.outgoing(BRIEF, limit=9)

    ledger.sent([Delivery(event.outbox_id, 3, 17)])

    assert (ledger.waiting_events().events, ledger.waiting_events().since) == (0, None)
    assert ledger.stranded(OTHER, limit=9) == []


def test_what_a_dead_sender_held_is_stranded_until_it_is_settled(ledger: Ledger) -> None:
    posted(ledger)
    (event,) = ledger.outgoing(BRIEF, limit=9)

    assert eventually(lambda: ledger.stranded(OTHER, limit=9)) == [event]
    assert ledger.outgoing(OTHER, limit=9) == ledger.stranded(RELAY, limit=9) == []
    ledger.unsent(BRIEF.owner, [event.outbox_id])
    assert ledger.outgoing(OTHER, limit=9) == []
    ledger.unsent(OTHER.owner, [event.outbox_id])

    assert ledger.outgoing(RELAY, limit=9) == [event]


def test_the_search_for_stranded_events_starts_behind_what_was_delivered_before(ledger: Ledger) -> None:
    for number in range(4):
        posted(ledger, f"tiktok:{number}")
    before = ledger.outgoing(RELAY, limit=3)
    ledger.sent([Delivery(event.outbox_id, at % 2, 10 + at) for at, event in enumerate(before[:2])])
    (stranded,) = ledger.outgoing(RELAY, limit=3)
    ledger.sent([Delivery(before[2].outbox_id, 0, 99)])

    assert ledger.offsets_before([stranded.outbox_id]) == {0: 10, 1: 11}
    assert ledger.offsets_before([before[0].outbox_id]) == {}


def test_what_was_forgotten_is_not_taken_in_again(ledger: Ledger) -> None:
    posted(ledger, "tiktok:1", video_id="tiktok:1", sha256="ab" * 32)
    twin = one(ledger, "link:http://twin")
    ledger.fetched(LEASE.owner, [content(twin, sha256="ab" * 32)])
    waiting = one(ledger, "link:http://new")

    ledger.forget("tiktok:1", by="an")

    keys = ("tiktok:1", "link:http://twin", "sha256:" + "ab" * 32)
    found = ledger.found([new_item(key) for key in keys] + [new_item("shop:1", video_id="tiktok:1")])
    assert {(item.item_id, item.state, item.code) for item in found} == {(0, ItemState.REFUSED, "ingest.forgotten")}
    (refused,) = ledger.fetched(LEASE.owner, [content(waiting, sha256="ab" * 32, caption="said again")])
    assert (refused.state, refused.code, refused.caption) == (ItemState.REFUSED, "ingest.forgotten", None)
    assert ledger.retry() == 0


def test_what_was_forgotten_under_way_is_not_posted(ledger: Ledger) -> None:
    known = stored(ledger, one(ledger), video_id="tiktok:1")
    posted(ledger, "tiktok:2", video_id="tiktok:2")

    ledger.forget("tiktok:1", by="an")
    ledger.forget("tiktok:2", by="an")

    assert ledger.item(known.item_id) is None
    assert ledger.outgoing(RELAY, limit=9) == []


def test_forgetting_again_is_no_error(ledger: Ledger) -> None:
    posted(ledger, video_id="tiktok:1")

    assert ledger.forget("tiktok:1", by="an").objects == 1
    assert ledger.forget("tiktok:1", by="an").rows == 0


def test_the_object_of_a_forgotten_video_is_deleted_once(ledger: Ledger) -> None:
    deleted: list[str] = []
    posted(ledger, video_id="tiktok:1", media_uri="s3://clips/1")
    assert ledger.remove_doomed(deleted.append) == 0

    ledger.forget("tiktok:1", by="an")

    assert (ledger.remove_doomed(deleted.append), ledger.remove_doomed(deleted.append)) == (1, 0)
    assert deleted == ["s3://clips/1"]


def test_an_object_that_another_item_needs_stays(ledger: Ledger) -> None:
    deleted: list[str] = []
    for name in ("shop:1", "shop:2"):
        item = one(ledger, name, is_distinct=True)
        stored(ledger, item, video_id=name, sha256="ab" * 32, media_uri="s3://clips/shared")

    ledger.forget("shop:1", by="an")
    ledger.remove_doomed(deleted.append)
    assert deleted == []
    ledger.forget("shop:2", by="an")
    ledger.remove_doomed(deleted.append)

    assert deleted == ["s3://clips/shared"]


def test_an_object_that_could_not_be_deleted_is_deleted_later(ledger: Ledger) -> None:
    posted(ledger, video_id="tiktok:1", media_uri="s3://clips/1")
    ledger.forget("tiktok:1", by="an")

    with pytest.raises(OSError, match="away"):
        ledger.remove_doomed(_away)

    assert ledger.known_objects(["s3://clips/1", "s3://clips/2"]) == {"s3://clips/1"}
    assert ledger.remove_doomed(lambda _: None) == 1


def _away(uri: str) -> None:
    raise OSError(f"{uri}: away")


@pytest.mark.parametrize("ending", ["refused", "replaced", "repeated"])
def test_an_announced_object_does_not_outlive_its_item(ledger: Ledger, ending: str) -> None:
    deleted: list[str] = []
    item = one(ledger)
    ledger.fetched(LEASE.owner, [content(item, media_uri="s3://clips/1")])
    posted(ledger, "tiktok:2", video_id="tiktok:2")
    assert ledger.known_objects(["s3://clips/1"]) != frozenset()

    if ending == "refused":
        ledger.refused(LEASE.owner, item.item_id, Failure("ingest.gone", "404"))
    else:
        changes = {"media_uri": "s3://clips/2"} if ending == "replaced" else {"video_id": "tiktok:2"}
        ledger.fetched(LEASE.owner, [content(item, **changes)])
    ledger.remove_doomed(deleted.append)

    assert deleted == ["s3://clips/1"]
    assert ledger.known_objects(["s3://clips/1"]) == frozenset()
