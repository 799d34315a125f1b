from typing import Any

from core.events import ModalityScore
from core.labels import Action, Modality, VerdictKind
from dashboard.alerts import Alert, Filters, Lane, by_video, choices, headline_score, matching, neighbour, news
from tests.fixtures.stores import make_alert, make_verdict

REVIEW: dict[str, Any] = {"verdict": VerdictKind.REVIEW, "action": Action.REVIEW}


def ids(rows: list[Alert]) -> list[str]:
    return [row.video_id for row in rows]


def test_one_row_per_video_with_its_newest_verdict_and_their_count() -> None:
    older, newer = make_alert("a", minute=0), make_alert("a", minute=5)

    rows = by_video([older, make_alert("b", minute=3), newer])

    assert ids(rows) == ["a", "b"]
    assert rows[0] == Alert(newer, 2)


def test_lanes_part_what_alerts_from_what_a_person_decides() -> None:
    rows = by_video([make_alert("alert"), make_verdict("review", **REVIEW), make_verdict("safe")])

    assert ids(matching(rows, Filters(Lane.ALERTS))) == ["alert"]
    assert ids(matching(rows, Filters(Lane.REVIEW))) == ["review"]
    assert sorted(ids(matching(rows, Filters(Lane.ALL)))) == ["alert", "review", "safe"]


def test_filters_hold_together() -> None:
    rows = by_video([make_alert("a", language="vi", source="x"), make_alert("b", language="vi", source="y")])

    assert ids(matching(rows, Filters(language="vi", source="y"))) == ["b"]
    assert not matching(rows, Filters(label="hate"))


def test_a_filter_offers_each_value_once_and_nothing_for_none() -> None:
    rows = by_video([make_alert("a", language="vi"), make_alert("b", language=None), make_alert("c", language="en")])

    assert choices(rows, "language") == ["en", "vi"]


def test_a_new_verdict_on_a_shown_video_is_news() -> None:
    shown = by_video([make_alert("a")])

    assert news(shown, shown) == 0
    assert news(shown, by_video([make_alert("a", minute=1), make_alert("b")])) == 2


def test_neighbours_end_with_the_list() -> None:
    rows = by_video([make_alert("a", minute=1), make_alert("b")])

    assert neighbour(rows, "a", 1) == "b"
    assert neighbour(rows, "a", -1) is None
    assert neighbour(rows, "b", 1) is None
    assert neighbour(rows, "elsewhere", 1) == "a"
    assert neighbour([], "elsewhere", 1) is None


def test_a_modality_speaks_of_the_verdicts_label_else_of_harm() -> None:
    scores = {"hate": 0.2, "harmful": 0.6}
    modalities = {Modality.TEXT: ModalityScore(scores=scores), Modality.VIDEO: ModalityScore(code="media.empty")}

    assert headline_score(make_alert(label="hate", modalities=modalities), Modality.TEXT) == 0.2
    assert headline_score(make_alert(label="violence", modalities=modalities), Modality.TEXT) == 0.6
    assert headline_score(make_alert(modalities=modalities), Modality.VIDEO) is None
    assert headline_score(make_alert(modalities=modalities), Modality.FUSION) is None
