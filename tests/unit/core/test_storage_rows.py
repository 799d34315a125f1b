import json

from core.events import ModalityScore
from core.labels import Modality
from core.storage.history_rows import body_of, content_id, dead_letter_columns, facts, newest, verdict_columns
from tests.fixtures.stores import make_dead_letter, make_verdict


def test_columns_are_in_the_same_order_whatever_the_batch_order() -> None:
    batch = [make_verdict(f"v:{n}", offset=n) for n in range(5)]

    assert verdict_columns(batch) == verdict_columns(batch[::-1])
    letters = [make_dead_letter(offset=n) for n in range(5)]
    assert dead_letter_columns(letters) == dead_letter_columns(letters[::-1])


def test_a_record_is_one_row_and_the_last_word_counts() -> None:
    columns = verdict_columns([make_verdict(score=0.1), make_verdict(score=0.2)])

    assert columns["score"] == [0.2]


def test_content_is_told_apart_null_safe() -> None:
    ids = {content_id(make_verdict(media_sha256=sha)) for sha in (None, "None", "", "ab")}

    assert len(ids) == 4
    assert content_id(make_verdict(media_sha256=None)) == content_id(
        make_verdict(offset=9, minute=3, media_sha256=None)
    )


def test_the_oldest_of_equal_contents_is_the_fact_and_the_newest_is_current() -> None:
    batch = [make_verdict(offset=n, minute=n) for n in (2, 1, 3)]

    assert [v.record.offset for v in facts(batch)] == [1]
    assert [v.record.offset for v in newest(batch)] == [3]


def test_of_equal_contents_the_one_that_did_not_fail_is_the_fact() -> None:
    failed = make_verdict(offset=1, modalities={Modality.VIDEO: ModalityScore(code="media.timeout")})

    assert facts([failed, make_verdict(offset=2, minute=1)])[0].record.offset == 2


def test_one_verdict_id_is_one_fact_even_with_two_captions() -> None:
    assert len(facts([make_verdict(offset=1), make_verdict(offset=2, caption_sha256="ef" * 32)])) == 1


def test_nul_is_replaced_and_what_looks_like_it_is_not() -> None:
    assert json.loads(body_of(make_verdict(caption="\\u0000")))["caption"] == "\\u0000"
    assert json.loads(body_of(make_verdict(traceparent="a\x00")))["traceparent"] == "a\ufffd"
