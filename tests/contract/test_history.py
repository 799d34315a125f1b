from datetime import timedelta
from typing import Any

import pytest

from core.events import ModalityScore, RecordRef, Verdict
from core.labels import Action, Modality, VerdictKind
from core.storage.ports import VerdictHistory, Written
from tests.fixtures.stores import NOON, make_alert, make_dead_letter, make_verdict

HARD_CAPTIONS = [
    '<script>alert("x")</script> & \\u0000 \\',
    "\u202eשלום مرحبا\u202c",  # noqa: RUF001 - it is Hebrew
    "Tie\u0302\u0301ng Vie\u0323\u0302t",
    "👩‍👩‍👧‍👦🏳️‍🌈 \U0001f1fb\U0001f1f3",
    "line\nbreak\ttab 'quote' {brace} %s",
    "",
]


def test_what_was_written_is_current(history: VerdictHistory) -> None:
    verdict = make_alert()

    written = history.write([verdict], [])

    assert written == Written(frozenset({verdict.verdict_id}), frozenset({"v:1"}))
    assert history.current("v:1") == verdict
    assert history.current("v:2") is None


def test_nothing_to_write_writes_nothing(history: VerdictHistory) -> None:
    assert history.write([], []).facts == frozenset()


@pytest.mark.parametrize("caption", HARD_CAPTIONS)
def test_a_caption_comes_back_exactly(history: VerdictHistory, caption: str) -> None:
    history.write([make_verdict(caption=caption, hashtags=(caption[:9],), author_id=caption)], [])

    found = history.current("v:1")

    assert found is not None
    assert (found.caption, found.hashtags, found.author_id) == (caption, (caption[:9],), caption)


def test_nul_in_what_we_wrote_ourselves_does_not_stop_the_writer(history: VerdictHistory) -> None:
    history.write([make_verdict(traceparent="a\x00b", caption="typed \\u0000")], [make_dead_letter(message="a\x00b")])

    found = history.current("v:1")

    assert found is not None
    assert found.caption == "typed \\u0000"


def test_the_same_batch_twice_changes_nothing(history: VerdictHistory) -> None:
    batch = [make_verdict("v:1", offset=1), make_alert("v:2", offset=2)]
    history.write(batch, [make_dead_letter()])

    again = history.write(batch, [make_dead_letter()])

    assert again.facts == frozenset()
    assert again.current == {"v:1", "v:2"}
    assert history.recent(10) == history.recent(10)
    assert history.counts(NOON - timedelta(hours=1))["videos"] == 2
    assert len(history.dead_letters(10)) == 1


def test_the_same_content_posted_again_is_no_new_fact_but_current(history: VerdictHistory) -> None:
    history.write([make_verdict(offset=1)], [])
    repost = make_verdict(offset=2, minute=5)

    written = history.write([repost], [])

    assert written == Written(frozenset(), frozenset({"v:1"}))
    assert history.current("v:1") == repost


@pytest.mark.parametrize(
    "change",
    [
        {"caption_sha256": "ef" * 32},
        {"media_sha256": "ef" * 32},
        {"media_sha256": None},
        {"model_version": "text:4|video:5|fusion:-"},
        {"policy_version": "8+cd"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_content_or_versions_are_a_new_fact(history: VerdictHistory, change: dict[str, Any]) -> None:
    history.write([make_verdict(offset=1)], [])
    other = make_verdict(offset=2, minute=5, verdict_id="other", **change)

    assert history.write([other], []).facts == {"other"}


def test_no_media_twice_is_one_fact(history: VerdictHistory) -> None:
    text_only: dict[str, Any] = {"media_uri": None, "media_sha256": None}
    history.write([make_verdict(offset=1, **text_only)], [])

    assert history.write([make_verdict(offset=2, minute=5, **text_only)], []).facts == frozenset()


def test_an_older_event_arriving_late_adds_its_fact_but_is_not_current(history: VerdictHistory) -> None:
    newer = make_verdict(offset=1, minute=5)
    history.write([newer], [])
    late = make_verdict(offset=2, minute=0, caption_sha256="ef" * 32)

    written = history.write([late], [])

    assert written == Written(frozenset({late.verdict_id}), frozenset())
    assert history.current("v:1") == newer


def test_of_two_events_at_one_instant_the_later_record_is_current(history: VerdictHistory) -> None:
    history.write([make_verdict(offset=7)], [])

    assert history.write([make_verdict(offset=6)], []).current == frozenset()
    assert history.write([make_verdict(offset=8)], []).current == {"v:1"}


def test_two_posts_of_one_video_in_one_batch(history: VerdictHistory) -> None:
    first = make_verdict(offset=1)
    second = make_alert(offset=2, minute=1, caption_sha256="ef" * 32)

    written = history.write([second, first], [])

    assert written == Written(frozenset({first.verdict_id, second.verdict_id}), frozenset({"v:1"}))
    assert history.current("v:1") == second


def test_a_batch_that_repeats_everything_is_written_once(history: VerdictHistory) -> None:
    verdict, letter = make_verdict(), make_dead_letter()

    written = history.write([verdict, verdict, make_verdict(offset=1, minute=1)], [letter, letter])

    assert written == Written(frozenset({verdict.verdict_id}), frozenset({"v:1"}))
    assert len(history.dead_letters(10)) == 1


def _failed(*, offset: int) -> Verdict:
    scores = {Modality.TEXT: ModalityScore(scores={}), Modality.VIDEO: ModalityScore(code="inference.failed")}
    return make_verdict(offset=offset, verdict=VerdictKind.PARTIAL, modalities=scores)


def test_a_replay_that_succeeds_replaces_the_fact_that_had_failed(history: VerdictHistory) -> None:
    history.write([_failed(offset=1)], [])
    replayed = make_alert(offset=2, replay_of="video.posted.v1:0:1")

    written = history.write([replayed], [])

    assert written == Written(frozenset({replayed.verdict_id}), frozenset({"v:1"}))
    assert history.current("v:1") == replayed


def test_a_repeat_that_fails_leaves_the_fact_that_had_succeeded(history: VerdictHistory) -> None:
    history.write([make_verdict(offset=1)], [])

    assert history.write([_failed(offset=2)], []).facts == frozenset()


def test_five_hundred_verdicts_are_one_write(history: VerdictHistory) -> None:
    batch = [make_verdict(f"v:{n}", offset=n, caption="x" * 500) for n in range(500)]

    written = history.write(batch, [])

    assert len(written.facts) == len(written.current) == 500
    assert history.counts(NOON - timedelta(hours=1))["safe"] == 500


def test_recent_is_newest_first_and_ties_are_in_order(history: VerdictHistory) -> None:
    batch = [make_verdict(video_id, offset=n) for n, video_id in enumerate(["v:a", "v:B", "v:10", "v:9"])]
    history.write([*batch, make_verdict("v:new", offset=9, minute=1)], [])

    assert [v.video_id for v in history.recent(3)] == ["v:new", "v:a", "v:B"]


def test_recent_flagged_ones_are_found_behind_safe_ones(history: VerdictHistory) -> None:
    alert, review = make_alert("v:a", offset=1), make_verdict("v:r", offset=2, minute=1, action=Action.REVIEW)
    cleared = [make_alert("v:c", offset=3), make_verdict("v:c", offset=4, minute=1)]
    history.write([alert, review, *cleared, *(make_verdict(f"v:{n}", offset=9 + n, minute=9) for n in range(9))], [])

    assert history.recent(5, flagged_only=True) == [review, alert]
    assert history.recent(1, flagged_only=True) == [review]


def test_counts_are_by_current_verdict_since_an_instant(history: VerdictHistory) -> None:
    old, new = make_verdict("v:old", offset=1), make_verdict("v:new", offset=2, minute=30)
    turned = [make_verdict("v:turn", offset=3, minute=20), make_alert("v:turn", offset=4, minute=21)]

    history.write([old, new, *turned], [make_dead_letter(offset=5), make_dead_letter(offset=6, minute=15)])

    counts = history.counts(NOON + timedelta(minutes=10))
    expected = {"harmful": 1, "review": 0, "safe": 1, "partial": 0, "unscored": 0, "videos": 2, "dead_letters": 1}
    assert counts == expected


def test_a_dead_letter_comes_back_exactly(history: VerdictHistory) -> None:
    letter = make_dead_letter(headers=(("a", b"\x00\xff"), ("a", b"")), attempts=3, payload_uri="s3://dead/1")
    bare = make_dead_letter(offset=1, key=None, headers=(), payload=None, video_id=None)

    history.write([], [letter, bare])

    for written in (letter, bare):
        found = history.dead_letter(written.record, "decode")
        assert found is not None
        assert (found.dead_letter, found.replayed_at) == (written, None)
    assert history.dead_letter(letter.record, "infer") is None


def test_one_record_may_die_in_two_stages(history: VerdictHistory) -> None:
    history.write([], [make_dead_letter(), make_dead_letter(stage="infer", code="inference.failed")])

    assert len(history.dead_letters(10)) == 2


def test_dead_letters_are_newest_first_and_found_by_code(history: VerdictHistory) -> None:
    other = make_dead_letter(offset=3, minute=3, code="event.invalid")
    history.write([], [make_dead_letter(offset=n, minute=n) for n in range(3)])
    history.write([], [other])

    assert [row.dead_letter.record.offset for row in history.dead_letters(3)] == [3, 2, 1]
    assert [row.dead_letter for row in history.dead_letters(9, code="event.invalid")] == [other]


def test_a_replayed_dead_letter_is_marked_and_stays_so(history: VerdictHistory) -> None:
    letter, at = make_dead_letter(), NOON + timedelta(hours=1)
    history.write([], [letter])

    history.mark_replayed(
        [(letter.record, "decode"), (RecordRef(topic="video.posted.v1", partition=9, offset=9), "decode")], at
    )
    history.write([], [letter])

    found = history.dead_letter(letter.record, "decode")
    assert found is not None
    assert found.replayed_at == at
