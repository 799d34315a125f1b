import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.errors import InputError, MediaNoVideo, ObjectsUnavailable
from core.errors_ingest import IngestGone, IngestRateLimited, IngestServerFailed, IngestTruncated
from core.media.protocol import Probe
from core.settings_ingestion import IngestionSettings
from core.storage.items import Content, Item, ItemState, Lease
from core.storage.ledger_memory import MemoryLedger
from core.storage.memory import MemoryMedia
from ingestion.bring import Answers, Bringer, Site, _mark, sweep
from ingestion.fetch import Fetched
from ingestion.inspect import Inspected
from tests.fixtures.ledger import new_item

LEASE = Lease("work:1", 60.0)
BUCKET = "clips"
CLIP = b"a video"
PROBE = Probe(64, 64, 1.0, 25, "h264", 0, "video/mp4")


class Away(MemoryMedia):
    """A store that refuses."""

    def put_file(self, bucket: str, key: str, path: Path, content_type: str) -> None:
        raise ObjectsUnavailable("away")


@dataclass
class Links:
    """A fetcher whose links lead to one video, or to errors."""

    errors: list[InputError] = field(default_factory=list)
    fetched: int = 0
    body: bytes = CLIP
    caption: str | None = "hello"

    def fetch(self, link: str, into: Path) -> Fetched:
        self.fetched += 1
        if self.errors:
            raise self.errors.pop(0)
        (into / "video").write_bytes(self.body)
        return Fetched(into / "video", tool="t 1", platform="tiktok", platform_id="7", caption=self.caption)


class Eyes:
    """An inspector that takes everything."""

    @contextmanager
    def inspected(self, path: Path) -> Iterator[Inspected]:
        body = path.read_bytes()
        if body == b"no video":
            raise MediaNoVideo("none")
        yield Inspected(path, len(body), hashlib.sha256(body).hexdigest(), PROBE)


@dataclass
class Rig:
    work_dir: Path
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    media: MemoryMedia = field(default_factory=MemoryMedia)
    links: Links = field(default_factory=Links)

    def item(self, **changes: object) -> Item:
        (item,) = self.ledger.found([new_item("link:http://a", **changes)], lease=LEASE)
        return item

    def run(self, item: Item, **settings: float) -> Item:
        self.media.ensure_buckets([BUCKET])
        site = Site(BUCKET, self.work_dir)
        bringer = Bringer(self.ledger, self.media, fetcher=self.links, inspector=Eyes(), site=site, owner=LEASE.owner)
        answers = Answers(self.ledger, IngestionSettings(**settings), owner=LEASE.owner, clock=SystemClock())
        answers.run(bringer, item)
        known = self.ledger.item(item.item_id)
        assert known is not None
        return known

    def objects(self) -> list[str]:
        return [found.key for found in self.media.listed(BUCKET)]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path / "work")


def test_a_link_becomes_an_object_and_an_event(rig: Rig) -> None:
    done = rig.run(rig.item())

    assert (done.state, done.video_id, done.caption) == (ItemState.POSTED, "tiktok:7", "hello")
    assert done.media_uri == f"s3://{BUCKET}/{rig.objects()[0]}"
    assert done.provenance["tool"] == "t 1"
    assert rig.ledger.waiting_events().events == 1
    assert list(rig.work_dir.iterdir()) == []


def test_an_object_that_was_put_is_not_fetched_again(rig: Rig) -> None:
    item = rig.item()
    rig.run(item)
    digest = hashlib.sha256(CLIP).hexdigest()
    other = rig.ledger.found([new_item("link:http://b", is_distinct=True)], lease=LEASE)[0]
    announced = Content(other.item_id, "b:1", digest, len(CLIP), media_uri=f"s3://{BUCKET}/{rig.objects()[0]}")
    (known,) = rig.ledger.fetched(LEASE.owner, [announced])

    assert rig.run(known).state is ItemState.POSTED
    assert rig.links.fetched == 1


def test_an_object_that_was_only_announced_is_fetched_again(rig: Rig) -> None:
    item = rig.item()
    (known,) = rig.ledger.fetched(LEASE.owner, [Content(item.item_id, "a:1", "0" * 64, 9, media_uri="s3://clips/x")])

    assert rig.run(known).state is ItemState.POSTED
    assert rig.links.fetched == 1


def test_a_passing_failure_is_tried_later(rig: Rig) -> None:
    rig.links.errors = [IngestServerFailed("503")]

    known = rig.run(rig.item(), retry_s=100)

    assert (known.state, known.code, known.attempts, known.lease_owner) == (ItemState.FOUND, "ingest.server", 1, None)
    wait = known.next_try - known.updated_at
    assert timedelta(seconds=49) < wait < timedelta(seconds=151)


def test_a_site_that_says_how_long_is_believed(rig: Rig) -> None:
    rig.links.errors = [IngestRateLimited("429", 5_000.0)]

    known = rig.run(rig.item(), retry_s=1)

    assert known.next_try - known.updated_at > timedelta(seconds=4_990)


def test_attempts_end(rig: Rig) -> None:
    rig.links.errors = [IngestServerFailed("503")]

    assert rig.run(rig.item(), max_attempts=1).state is ItemState.FAILED


@pytest.mark.parametrize(("error", "code"), [(IngestGone("404"), "ingest.gone"), (MediaNoVideo("x"), "media.no_video")])
def test_what_will_not_pass_is_refused_at_once(rig: Rig, error: InputError, code: str) -> None:
    rig.links.errors = [error]

    known = rig.run(rig.item())

    assert (known.state, known.code) == (ItemState.REFUSED, code)


def test_a_caption_that_no_event_can_hold_is_refused_before_it_is_stored(rig: Rig) -> None:
    rig.links.caption = "x" * 30_000

    known = rig.run(rig.item())

    assert (known.state, known.code) == (ItemState.REFUSED, "event.invalid")
    assert rig.objects() == []


def test_a_store_that_is_away_costs_no_attempt(rig: Rig) -> None:
    rig.media = Away()

    with pytest.raises(ObjectsUnavailable):
        rig.run(rig.item())

    (again,) = rig.ledger.claim(LEASE, limit=9)
    assert (again.state, again.attempts) == (ItemState.FETCHED, 0)


def test_a_text_is_posted_without_an_object(rig: Rig) -> None:
    done = rig.run(rig.item(link=None, caption="words", platform="upload"))

    assert (done.state, done.media_uri, done.caption) == (ItemState.POSTED, None, "words")
    assert rig.links.fetched == 0


def test_an_upload_that_is_whole_is_posted_where_it_lies(rig: Rig) -> None:
    rig.media.ensure_buckets([BUCKET])
    rig.media.put_bytes(BUCKET, "uploads/1", CLIP, "video/mp4")

    done = rig.run(rig.item(link=None, media_uri="s3://clips/uploads/1", platform="upload"))

    assert (done.state, done.media_uri) == (ItemState.POSTED, "s3://clips/uploads/1")
    assert rig.objects() == ["uploads/1"]


def test_an_upload_that_was_broken_off_is_said_to_be(rig: Rig) -> None:
    known = rig.run(rig.item(link=None, media_uri="s3://clips/uploads/1"))

    assert known.code == "ingest.truncated"


def test_what_was_rewritten_while_it_was_stored_is_not_kept(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Eyes, "inspected", _changed_at_the_end)

    known = rig.run(rig.item())

    assert (known.state, known.code) == (ItemState.FETCHED, "ingest.truncated")
    assert rig.objects() == []


@contextmanager
def _changed_at_the_end(_: Eyes, path: Path) -> Iterator[Inspected]:
    yield Inspected(path, len(CLIP), hashlib.sha256(CLIP).hexdigest(), PROBE)
    raise IngestTruncated("it was written to")


def test_what_dead_workers_left_is_swept_away(tmp_path: Path) -> None:
    for name in (f"{_mark()}-999999999-x", f"{_mark()}-1-y", "item-elsewhere-999999999-z", "cookies"):
        (tmp_path / name).mkdir()

    sweep(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {f"{_mark()}-1-y", "item-elsewhere-999999999-z", "cookies"}
