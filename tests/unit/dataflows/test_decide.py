"""Scores and policy → verdict: total, and never safe without its scores."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import ModalityScore, RecordRef, VideoPosted
from core.labels import Action, Modality, Mode, VerdictKind
from dataflows.decide import Judgement, Origin, Scores, decide, judge
from dataflows.policy import BUNDLED, FusionUse, Policy, parse_policy

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY = parse_policy(BUNDLED.read_bytes(), origin="bundled")
MISSING = ModalityScore(code="media.undecodable")


def scored(**labels: float) -> ModalityScore:
    return ModalityScore(scores=labels)


def judged(policy: Policy = POLICY, *, gate: bool = False, **modalities: ModalityScore) -> Judgement:
    by_name = {Modality(name): score for name, score in modalities.items()}
    return judge(Scores(by_name, "text:1|video:1|fusion:-", fusion_passed_gate=gate), policy)


def test_a_calm_video_does_not_average_a_hateful_caption_away() -> None:
    result = judged(text=scored(harmful=0.95), video=scored(harmful=0.1))

    assert (result.verdict, result.action, result.mode) == (VerdictKind.HARMFUL, Action.ALERT, Mode.LATE_SCORE)
    assert result.score == pytest.approx(0.95)


def test_late_score_weighs_the_modalities_that_emit_the_label() -> None:
    result = judged(text=scored(harmful=0.5, hate=0.2), video=scored(harmful=0.3))

    assert result.label_scores["hate"] == pytest.approx(0.2)
    assert result.score == pytest.approx(0.3 * 0.5 + 0.7 * 0.3)


def test_a_hateful_caption_alerts_although_its_video_cannot_be_decoded() -> None:
    result = judged(text=scored(hate=0.9), video=MISSING)

    assert (result.verdict, result.label, result.mode) == (VerdictKind.HARMFUL, "hate", Mode.TEXT_ONLY)


def test_what_would_be_safe_is_partial_when_a_modality_failed() -> None:
    assert judged(text=scored(hate=0.01), video=MISSING).verdict is VerdictKind.PARTIAL


def test_no_score_at_all_is_unscored() -> None:
    result = judged(video=MISSING)

    assert (result.verdict, result.score, result.mode) == (VerdictKind.UNSCORED, None, Mode.NONE)


def test_no_caption_is_no_failure() -> None:
    result = judged(video=scored(violence=0.05))

    assert (result.verdict, result.mode) == (VerdictKind.SAFE, Mode.VIDEO_ONLY)


def test_between_the_bars_a_person_judges() -> None:
    result = judged(text=scored(hate=0.45))

    assert (result.verdict, result.action) == (VerdictKind.REVIEW, Action.REVIEW)


def test_fusion_decides_only_when_it_passed_its_gate() -> None:
    modalities = {"text": scored(harmful=0.1), "video": scored(harmful=0.1), "fusion": scored(harmful=0.9)}

    assert judged(gate=False, **modalities).mode is Mode.LATE_SCORE
    fused = judged(gate=True, **modalities)
    assert (fused.mode, fused.verdict) == (Mode.FUSION, VerdictKind.HARMFUL)
    off = POLICY.model_copy(update={"fusion": FusionUse.OFF})
    assert judged(off, gate=True, **modalities).mode is Mode.LATE_SCORE


def test_fusion_alone_failing_makes_no_partial_verdict() -> None:
    result = judged(text=scored(hate=0.0), fusion=ModalityScore(code="inference.failed"))

    assert result.verdict is VerdictKind.SAFE


PROBABILITY = st.floats(0, 1)
LABELS = st.dictionaries(st.sampled_from(["harmful", "hate", "violence", "undeclared"]), PROBABILITY, min_size=1)
RESULT = st.one_of(st.builds(ModalityScore, scores=LABELS), st.just(MISSING))


@given(st.dictionaries(st.sampled_from(list(Modality)), RESULT))
def test_every_combination_gets_a_verdict_and_none_is_safe_without_all_its_scores(
    modalities: dict[Modality, ModalityScore],
) -> None:
    result = judge(Scores(modalities, "text:1|video:1|fusion:1"), POLICY)

    singles = [score for modality, score in modalities.items() if modality is not Modality.FUSION]
    if result.verdict is VerdictKind.SAFE:
        assert singles
        assert all(score.code is None for score in singles)
    if not any(score.scores for score in singles):
        assert result.verdict is VerdictKind.UNSCORED


def test_a_verdict_carries_its_identity_and_versions() -> None:
    event = VideoPosted(
        schema_="video.posted.v1", video_id="v:1", platform="demo", posted_at=NOW, source="test", caption="xin chào"
    )
    origin = Origin(RecordRef(topic="video.posted.v1", partition=3, offset=9), NOW)
    scores = Scores({Modality.TEXT: scored(hate=0.9)}, "text:1|video:1|fusion:-")

    first = decide(event, origin, scores, signals=(), policy=POLICY, now=NOW)
    again = decide(event, origin, scores, signals=(), policy=POLICY, now=NOW)

    assert first == again
    assert first.verdict_id == again.verdict_id
    assert first.policy_version.startswith("starter@")
    other = decide(
        event, origin, Scores(scores.modalities, "text:2|video:1|fusion:-"), signals=(), policy=POLICY, now=NOW
    )
    assert other.verdict_id != first.verdict_id
