"""Grouping: what one author or one caption brings is one thing to look at, until it gets worse."""

from core.labels import Action
from dashboard.alerts import by_video
from dashboard.groups import Group, caption_key, grouped
from tests.fixtures.stores import make_alert, make_verdict


def ids(groups: list[Group]) -> list[list[str]]:
    return [[row.video_id for row in group.rows] for group in groups]


def test_alerts_of_one_author_within_the_cooldown_are_one_group_that_stays_in_its_place() -> None:
    verdicts = [make_alert(f"a:{minute}", minute=minute, author_id="an") for minute in (0, 4, 9)]
    between = make_alert("other", minute=2)

    groups = grouped(by_video([*verdicts, between]))

    assert ids(groups) == [["other"], ["a:0", "a:9", "a:4"]]
    assert (groups[1].author, groups[1].span_s) == ("an", 540.0)


def test_after_the_cooldown_a_new_group_begins() -> None:
    verdicts = [make_alert(f"a:{minute}", minute=minute, author_id="an") for minute in (0, 11)]

    assert ids(grouped(by_video(verdicts))) == [["a:11"], ["a:0"]]


def test_the_same_words_of_many_authors_are_one_group() -> None:
    first = make_alert("v:1", caption="Mua ngay tại https://a.example !!! giảm 50%")
    second = make_alert("v:2", minute=1, caption="mua NGAY tại giảm 70 %")

    (group,) = grouped(by_video([first, second]))

    assert group.author is None
    assert len(group.rows) == 2


def test_short_captions_are_alike_by_chance() -> None:
    assert caption_key("xin chào") == caption_key(None) == caption_key("🙂🙂🙂") == ""


def test_one_name_on_two_platforms_is_two_authors() -> None:
    verdicts = [make_alert("v:1", author_id="an"), make_alert("v:2", author_id="an", platform="youtube")]

    assert len(grouped(by_video(verdicts))) == 2


def test_a_worse_one_breaks_the_cooldown() -> None:
    mild = make_verdict("v:1", author_id="an", action=Action.REVIEW, score=0.55)
    same = make_verdict("v:2", minute=1, author_id="an", action=Action.REVIEW, score=0.6)
    alert = make_alert("v:3", minute=2, author_id="an", score=0.6)
    worse = make_alert("v:4", minute=3, author_id="an", score=0.95)
    after = make_alert("v:5", minute=4, author_id="an", score=0.9)

    assert ids(grouped(by_video([mild, same, alert, worse, after]))) == [["v:4", "v:5"], ["v:3"], ["v:1", "v:2"]]
