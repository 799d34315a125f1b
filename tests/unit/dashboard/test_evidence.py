import pytest

from core.events import ModalityScore, Segment, Verdict
from core.labels import Modality, Mode, VerdictKind
from dashboard.evidence import facts, label_bars, modality_table, why, worst_moment
from tests.fixtures.stores import NOON, make_alert, make_verdict


def scored(mode: Mode = Mode.LATE_SCORE, **scores: float | None) -> Verdict:
    modalities = {
        Modality(name): ModalityScore(code="media.empty") if value is None else ModalityScore(scores={"hate": value})
        for name, value in scores.items()
    }
    return make_alert(label="hate", mode=mode, modalities=modalities)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (scored(text=0.41, video=0.93), "video alone decides (text 0.41)"),
        (scored(text=0.95, video=0.1), "text alone decides (video 0.10)"),
        (scored(text=0.81, video=0.93), "video and text agree (video 0.93, text 0.81)"),
        (scored(Mode.TEXT_ONLY, text=0.9), "text alone decides (0.90)"),
        (scored(Mode.TEXT_ONLY, text=0.9, video=None), "text alone decides (0.90)"),
        (scored(Mode.FUSION, fusion=0.9, text=0.4, video=0.6), "fusion decides (video 0.60, text 0.40)"),
        (scored(Mode.NONE, video=None), "no score: nothing of the post could be scored"),
    ],
)
def test_why_names_what_carries_the_verdict(verdict: Verdict, expected: str) -> None:
    assert why(verdict) == expected


@pytest.mark.parametrize("kind", [VerdictKind.SAFE, VerdictKind.PARTIAL])
def test_why_of_a_verdict_without_harm_claims_no_decision(kind: VerdictKind) -> None:
    verdict = make_verdict(verdict=kind, modalities={Modality.TEXT: ModalityScore(scores={"harmful": 0.05})})

    assert why(verdict) == "text 0.05: under every threshold"


def test_bars_come_with_the_highest_first_and_never_leave_their_track() -> None:
    bars = label_bars(make_alert(label_scores={"hate": 0.2, "violence": 1.2, "spam": -0.1}, label="violence"))

    assert bars.index("violence") < bars.index("hate") < bars.index("spam")
    assert "width:100.0%" in bars
    assert "width:0.0%" in bars
    assert bars.count("cw-bar-leads") == 1


def test_a_modality_without_scores_shows_dashes() -> None:
    table = modality_table(scored(text=0.9, video=None))

    assert "<td" in table
    assert "\u2013" in table


def test_the_worst_moment_is_the_earliest_of_equals() -> None:
    parts = tuple(Segment(start_s=at, end_s=at + 2, score=value) for at, value in ((0, 0.1), (2, 0.9), (4, 0.9)))

    assert worst_moment(make_alert(segments=parts)) == 2
    assert worst_moment(make_alert()) == 0


def test_facts_say_when_in_the_viewers_zone_and_what_was_replayed() -> None:
    said = facts(make_alert(replay_of="video.posted.v1/0/7"), NOON.tzinfo)  # type: ignore[arg-type]  # NOON is aware

    assert "2026-03-01 12:00:00 UTC" in said
    assert "video.posted.v1/0/7" in said
