"""Stills: decoded in a cage from the object store, blurred, kept; what can never be shown is tried once."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.clock import FixedClock
from core.errors import MediaCrashed, MediaError, MediaMissing, MediaTimeout
from core.events import Segment
from core.settings import Settings
from core.storage.memory import MemoryMedia
from dashboard.data.wellness import Blur, Veil
from dashboard.stills import RETRY_S, KeptBytes, Stills
from tests.fixtures.media import write_video
from tests.fixtures.stores import NOON, make_alert

pytestmark = pytest.mark.integration

BUCKET = "clipwarden-media"


class CountingMedia(MemoryMedia):
    """How often an object was fetched."""

    fetched = 0

    def fetch(self, bucket: str, key: str, to: Path, *, max_bytes: int) -> str:
        self.fetched += 1
        return super().fetch(bucket, key, to, max_bytes=max_bytes)


@pytest.fixture
def media() -> CountingMedia:
    media = CountingMedia()
    media.ensure_buckets([BUCKET])
    return media


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def stills(media: CountingMedia, clock: FixedClock) -> Iterator[Stills]:
    found = Stills(media, Settings(), clock)
    yield found
    found.close()


def test_a_still_is_a_small_blurred_jpeg_and_made_once(media: CountingMedia, stills: Stills, tmp_path: Path) -> None:
    media.put_file(BUCKET, "v:1.mp4", write_video(tmp_path / "clip.mp4", frames=60), "video/mp4")
    verdict = make_alert("v:1", segments=(Segment(start_s=1, end_s=2, score=0.9),))

    first, again = stills.still(verdict, Veil(Blur.STRONG)), stills.still(verdict, Veil(Blur.STRONG))

    picture = np.asarray(Image.open(io.BytesIO(first)).convert("L")).astype(float)
    assert max(picture.shape) == 240
    # Neighbours differ by next to nothing: there is no edge left in it.
    assert max(np.abs(np.diff(picture, axis=axis)).max() for axis in (0, 1)) < 16
    assert (first is again, media.fetched) == (True, 1)
    assert len(first) < 20_000
    assert stills.still(verdict, Veil(Blur.LIGHT)) != first


def test_what_can_never_be_decoded_is_tried_once(media: CountingMedia, stills: Stills, clock: FixedClock) -> None:
    media.put_bytes(BUCKET, "v:1.mp4", b"no video at all" * 100, "video/mp4")

    for _ in range(3):
        with pytest.raises(MediaMissing):
            stills.still(make_alert("v:1"), Veil(Blur.STRONG))
        clock.elapsed_s += RETRY_S

    assert media.fetched == 1


@pytest.mark.parametrize("passing", [MediaTimeout, MediaCrashed, MediaMissing])
def test_what_may_have_been_chance_is_tried_again_after_a_while(
    passing: type[MediaError], stills: Stills, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[bytes | MediaError] = [passing("not now"), b"a picture"]

    def made(*_: object) -> bytes:
        answer = answers.pop(0)
        if isinstance(answer, MediaError):
            raise answer
        return answer

    monkeypatch.setattr(stills, "_make", made)
    for _ in range(3):
        with pytest.raises(MediaMissing):
            stills.still(make_alert("v:1"), Veil(Blur.STRONG))
    assert len(answers) == 1

    clock.elapsed_s += RETRY_S
    assert stills.still(make_alert("v:1"), Veil(Blur.STRONG)) == b"a picture"


@pytest.mark.parametrize("uri", [None, "s3://clipwarden-dead/secret"])
def test_only_videos_in_their_own_buckets_have_stills(media: CountingMedia, stills: Stills, uri: str | None) -> None:
    with pytest.raises(MediaMissing):
        stills.still(make_alert("v:1", media_uri=uri), Veil(Blur.STRONG))
    assert media.fetched == 0


def test_what_is_kept_is_bounded_and_the_last_used_stays() -> None:
    kept = KeptBytes(10, FixedClock(NOON))
    for name in ("a", "b"):
        kept.put((name,), b"x" * 4)
    kept.get(("a",))
    kept.put(("c",), b"x" * 4)

    assert [kept.get((name,)) is not None for name in ("a", "b", "c")] == [True, False, True]
