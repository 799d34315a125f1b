"""Analytics' totals, ranked names and model versions: questions, and their answers as HTML."""

from collections.abc import Mapping

from core.storage.trends import day_of
from dashboard.audit_address import PARAMETERS, written
from dashboard.data.trends import TALLIED_FROM, Trends, is_by_days
from dashboard.frame import draw
from dashboard.language import say
from dashboard.markup import span
from dashboard.statistics import Rate, mean, wilson
from dashboard.trend_blocks import Look, block, nothing
from dashboard.trend_marks import (
    WAITED,
    TotalFigure,
    challenges_table,
    interval,
    models_table,
    percent,
    ranked,
    totals_strip,
)
from dashboard.trend_rows import Challenge, ModelRow, Tally, Totals
from dashboard.trend_shapes import per_hour, points, relative
from dashboard.wording import NOTHING, count, score


def totals(look: Look, now: Totals, before: Totals) -> None:
    """The strip."""
    rates = [*_shares(now, before), _risk(now, before)]
    draw(totals_strip([_videos(look, now, before), *rates, _dead(look, now, before)]))


def authors(look: Look) -> None:
    """Authors by harmful rate."""
    block(look, "authors", say("Authors with the highest harmful rate"), question=Trends.authors, show=_authors)


def hashtags(look: Look) -> None:
    """Hashtags by harmful rate."""
    block(look, "hashtags", say("Hashtags with the highest harmful rate"), question=Trends.hashtags, show=_hashtags)


def models(look: Look) -> None:
    """Model versions side by side."""
    block(look, "models", say("Model versions"), question=Trends.models, show=_models)


def challenges(look: Look) -> None:
    """Challengers beside champions."""
    block(look, "challenges", say("Challengers"), question=Trends.challenges, show=_challenges)


def _videos(look: Look, now: Totals, before: Totals) -> TotalFigure:
    change = _per_hour(look, now.videos, before.videos)
    return TotalFigure(
        say("videos"),
        count(now.videos),
        "",
        _against(change),
        say("Verdicts in this period; a video judged again counts again. The change is of videos per hour."),
    )


def _shares(now: Totals, before: Totals) -> list[TotalFigure]:
    rate, past = wilson(now.harmful, now.videos), wilson(before.harmful, before.videos)
    review, past_review = wilson(now.review, now.videos), wilson(before.review, before.videos)
    said = (
        (say("harmful rate"), rate, past, say("Over a threshold of the policy, with its 95 % interval.")),
        (say("review share"), review, past_review, say("Close to a threshold: a person decides.")),
    )
    return [
        TotalFigure(
            name,
            percent(this.value) if this else NOTHING,
            interval(this) if this else "",
            _against(points(_value(this), _value(was)), say("points")),
            meaning,
        )
        for name, this, was, meaning in said
    ]


def _value(rate: Rate | None) -> float | None:
    return None if rate is None else rate.value


def _risk(now: Totals, before: Totals) -> TotalFigure:
    risk, past = mean(now.score_sum, now.scored), mean(before.score_sum, before.scored)
    change = _against(points(risk, past, scale=1.0, digits=2))
    return TotalFigure(say("average risk"), score(risk), "", change, say("The mean of all scores, from 0 to 1."))


def _dead(look: Look, now: Totals, before: Totals) -> TotalFigure:
    change = _against(_per_hour(look, now.dead_letters, before.dead_letters))
    meaning = say(
        "Records that could not be used, of all sources and languages. The change is of dead letters per hour."
    )
    return TotalFigure(say("dead letters"), count(now.dead_letters), "", change, meaning)


def _per_hour(look: Look, now: int, before: int) -> str:
    hours, past_hours = (length.total_seconds() / 3600 for length in (look.window.elapsed, look.window.length))
    return relative(per_hour(now, hours), per_hour(before, past_hours))


def _against(change: str, unit: str = "") -> str:
    if change == NOTHING:
        return say("nothing to compare with")
    return say("{change} against the period before", change=f"{change} {unit}".strip())


def _authors(look: Look, found: tuple[Tally, ...]) -> None:
    _names(look, found, "author", "@")


def _hashtags(look: Look, found: tuple[Tally, ...]) -> None:
    _names(look, found, "hashtag", "#")


def _names(look: Look, found: tuple[Tally, ...], parameter: str, sign: str) -> None:
    if not found:
        nothing(say("None with {n} videos or more and a harmful one.", n=TALLIED_FROM))
        return
    draw(ranked(found, parameter, sign=sign, of=say("of"), also=_within(look)))
    notes = [say("{n} videos or more; ranked by the lower end of the 95 % interval", n=TALLIED_FROM)]
    if is_by_days(look.window, look.now):
        notes.append(say("whole days (UTC)"))
    draw(span(" · ".join(notes), "cw-quiet"))


def _within(look: Look) -> Mapping[str, str]:
    """What the content audit is asked beside a name: the same videos that were counted."""
    window = look.window
    start = day_of(window.start) if is_by_days(window, look.now) else window.start
    asked = {
        "source": window.source, "language": window.language, "label": window.label,
        "since": start, "until": window.end,
    }  # fmt: skip
    return {PARAMETERS[name]: written(value) for name, value in asked.items() if value}


def _models(_look: Look, found: tuple[ModelRow, ...]) -> None:
    if not found:
        nothing(say("No video in this period."))
        return
    heads = (say("version"), say("videos"), say("harmful"), say("95 % interval"), say("mean score"))
    draw(models_table(found, (*heads, say("alerts"), *WAITED)))
    draw(span(say("p50, p95: posted to verdict, within 5 %; replays left out"), "cw-quiet"))


def _challenges(_look: Look, found: tuple[Challenge, ...]) -> None:
    if not found:
        nothing(say("No challenger scored a sample in this period."))
        return
    heads = (
        say("challenger / champion"),
        say("sampled"),
        say("disagree"),
        say("95 % interval"),
        say("mean difference"),
    )
    draw(challenges_table(found, heads))
