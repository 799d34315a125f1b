"""What is produced is in the ledger and on the topic once each, however often it is given and whatever is killed."""

import json
import os
import signal
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.storage.items import ItemState
from core.storage.ledger_pg import PostgresLedger
from core.topics import VIDEO_POSTED
from ingestion.feed import feeding
from ingestion.posts import Line, Post
from operations.producing import Account, Producing
from tests.fixtures.clients import posted, records
from tests.fixtures.media import VideoShelf
from tests.fixtures.platform import Platform
from tests.fixtures.stores import eventually

pytestmark = pytest.mark.integration

COMMAND = str(Path(sys.executable).with_name("clipwarden"))
LEASE_S = 2.0


@pytest.fixture
def clip(videos: VideoShelf, tmp_path: Path) -> Callable[[str], Path]:
    """A clip that no other test has the bytes of."""
    shot = videos.get("clip.mp4").read_bytes()

    def make(name: str) -> Path:
        path = tmp_path / "in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(shot + struct.pack(">I4s", 24, b"free") + uuid.uuid4().bytes)
        return path

    return make


@pytest.fixture
def ledger(platform: Platform) -> Iterator[PostgresLedger]:
    found = PostgresLedger(platform.settings.store)
    yield found
    found.close()


def produce(platform: Platform, *lines: Line) -> Account:
    account = Account()
    with feeding(platform.settings) as feed:
        Producing(platform.settings, feed, account, clock=SystemClock()).run(lines)
    return account


def of_file(ledger: PostgresLedger, path: Path) -> list[str]:
    """The video_ids of the items that lie at a path, by state."""
    return [f"{item.state} {item.video_id}" for item in ledger.items(1000) if item.path == str(path)]


def start(platform: Platform, *arguments: str) -> "subprocess.Popen[bytes]":
    env = {**os.environ, **platform.env, "CLIPWARDEN_INGESTION__LEASE_S": str(LEASE_S)}
    return subprocess.Popen([COMMAND, "produce", *arguments], env=env, cwd=platform.root, stderr=subprocess.DEVNULL)


def kill(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def on_topic(platform: Platform, ledger: PostgresLedger, paths: list[Path]) -> list[int]:
    """How often each file's video is on the topic."""
    keys = [key for key, _ in records(platform, VIDEO_POSTED.name)]
    ids = {item.path: item.video_id for item in ledger.items(10_000, state=ItemState.POSTED)}
    return [keys.count((ids.get(str(path)) or "nothing").encode()) for path in paths]


def test_a_file_is_posted_once_however_often_it_is_given_and_under_whatever_name(
    platform: Platform, ledger: PostgresLedger, clip: Callable[[str], Path]
) -> None:
    path = clip("a.mp4")
    copy = path.with_name("copy.mp4")
    copy.write_bytes(path.read_bytes())

    accounts = [produce(platform, (path, Post("mèo"))), produce(platform, (path, Post())), produce(platform, (copy, Post()))]  # fmt: skip  # noqa: E501

    assert [(account.posted, account.repeated) for account in accounts] == [(1, 0), (0, 1), (0, 1)]
    assert on_topic(platform, ledger, [path]) == [1]
    (item,) = [item for item in ledger.items(100) if item.path == str(path)]
    (event,) = posted(platform, item.video_id or "")
    assert (event.caption, event.sha256) == ("mèo", item.sha256)


def test_what_its_sender_named_is_posted_although_others_have_the_same_bytes(
    platform: Platform, clip: Callable[[str], Path]
) -> None:
    path, name = clip("a.mp4"), uuid.uuid4().hex

    account = produce(platform, *[(path, Post(video_id=f"{name}:{number}")) for number in (1, 2, 1)])

    assert (account.posted, account.repeated) == (2, 1)
    assert [len(posted(platform, f"{name}:{number}")) for number in (1, 2)] == [1, 1]


def test_words_and_recorded_events_are_posted(platform: Platform) -> None:
    name = uuid.uuid4().hex
    event = {"schema": "video.posted.v1", "video_id": f"{name}:event", "platform": "p", "source": "test"}

    account = produce(
        platform,
        (None, Post("only words", f"{name}:words")),
        event | {"posted_at": "2026-11-22T09:30:00Z"},
        event | {"video_id": f"{name}:bad"},
    )

    assert (account.posted, list(account.refused)) == (2, [f"{name}:bad"])
    assert posted(platform, f"{name}:words")[0].caption == "only words"
    assert len(posted(platform, f"{name}:event")) == 1


def test_what_was_refused_is_tried_again_when_it_is_given_again(
    platform: Platform, clip: Callable[[str], Path], tmp_path: Path
) -> None:
    page, later = tmp_path / "page.mp4", tmp_path / "later.mp4"
    page.write_text("<html>")

    first = produce(platform, (page, Post()), (later, Post()))
    clip("a.mp4").rename(later)
    second = produce(platform, (page, Post()), (later, Post()))

    assert {name: reason.split(":")[0] for name, reason in first.refused.items()} == {
        str(page): "ingest.type",
        str(later): "media.missing",
    }
    assert (list(second.refused), second.posted) == ([str(page)], 1)


def test_a_command_that_is_killed_goes_on_when_it_is_given_again(
    platform: Platform, ledger: PostgresLedger, clip: Callable[[str], Path]
) -> None:
    paths = [clip(f"{number:03}.mp4") for number in range(60)]
    folder = str(paths[0].parent)
    process = start(platform, folder)
    eventually(lambda: any(of_file(ledger, path) for path in paths), within_s=60)
    kill(process)

    again = start(platform, folder)

    assert again.wait(timeout=90) == 0
    assert on_topic(platform, ledger, paths) == [1] * len(paths)


def test_a_watched_folder_is_taken_file_by_file_also_across_a_restart(
    platform: Platform, ledger: PostgresLedger, clip: Callable[[str], Path]
) -> None:
    first = clip("first.mp4")
    watching = start(platform, "--watch", str(first.parent))
    eventually(lambda: on_topic(platform, ledger, [first]) == [1], within_s=60)
    growing = first.with_name("growing.mp4")
    whole = clip("whole.tmp").read_bytes()
    with growing.open("wb") as file:
        for start_bytes in range(0, len(whole), len(whole) // 4 + 1):
            file.write(whole[start_bytes : start_bytes + len(whole) // 4 + 1])
            file.flush()
            time.sleep(0.7)
    eventually(lambda: on_topic(platform, ledger, [growing]) == [1], within_s=30)
    kill(watching)

    moved = clip("moved.tmp").rename(first.with_name("moved.mp4"))
    watching = start(platform, "--watch", str(first.parent))
    eventually(lambda: on_topic(platform, ledger, [first, growing, moved]) == [1, 1, 1], within_s=60)
    watching.send_signal(signal.SIGINT)

    assert watching.wait(timeout=30) == 130
    assert [of_file(ledger, path)[0].split()[0] for path in (first, growing, moved)] == ["posted"] * 3


def test_the_command_says_what_became_of_everything(
    platform: Platform, clip: Callable[[str], Path], tmp_path: Path
) -> None:
    name = uuid.uuid4().hex
    lines = [{"file": str(clip("a.mp4")), "video_id": f"{name}:1"}, {"caption": "mèo", "video_id": f"{name}:2"}]
    (tmp_path / "posts.jsonl").write_text("\n".join(map(json.dumps, lines)))
    env = {**os.environ, **platform.env}
    command = [COMMAND, "produce", "--jsonl", str(tmp_path / "posts.jsonl"), "--rate", "50", "--json"]

    done = subprocess.run(command, env=env, cwd=platform.root, capture_output=True, text=True, check=True, timeout=60)

    assert json.loads(done.stdout) == {"posted": 2, "repeated": 0, "waiting": {}, "refused": {}}
