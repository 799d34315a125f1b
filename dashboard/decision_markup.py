"""Decisions as HTML: one line each, shape and word and colour. Pure."""

from datetime import datetime, tzinfo

from core.storage.reviews import Answer, Decision, Outcome, Tally
from dashboard.charts import score_bar
from dashboard.data.wellness import Exposure, Wellness
from dashboard.language import say
from dashboard.markup import Markup, div, span, text
from dashboard.wording import ANSWERS, OUTCOMES, REASONS, ago, count, exact

SHAPES = {Outcome.CONFIRM: "✓", Outcome.REJECT: "✗", Outcome.PARTLY: "◪"}


def decision_line(decision: Decision, now: datetime, zone: tzinfo) -> Markup:
    """Who said what, when: `✓ confirmed by An, 2 min ago`."""
    said = {"outcome": say(OUTCOMES[decision.outcome]), "name": decision.reviewer_name}
    words = say("{outcome} by {name}, {ago}", **said, ago=ago(decision.decided_at, now))
    state = "cw-decision cw-undone" if decision.undone_at else f"cw-decision cw-said-{decision.outcome.value}"
    shape = span(SHAPES[decision.outcome], "cw-said", aria_hidden="true")
    undone = span(say("undone"), "cw-quiet") if decision.undone_at else text("")
    return div(state, shape, span(words, "", title=exact(decision.decided_at, zone)), undone)


def decision_history(decisions: list[Decision], verdict_id: str, now: datetime, *, zone: tzinfo) -> Markup:
    """Every decision with what it says of each label, newest first."""
    return div("cw-decisions", *(_told(decision, verdict_id, now, zone=zone) for decision in decisions))


def label_line(label: str, score: float | None, *, leads: bool) -> Markup:
    """A label that can be confirmed or rejected, with the score it has."""
    if score is None:
        return div("cw-bar", span(label, "cw-bar-name"))
    return score_bar(label, score, leads=leads)


def day_line(exposure: Exposure, tally: Tally, wellness: Wellness) -> Markup:
    """What looking cost this person today, quietly; louder once a break would do good."""
    seen_min, limit_min = int(exposure.weighted_s // 60), wellness.limit_min
    numbers = {"seen": seen_min, "limit": limit_min}
    seen = (
        say("{seen} of {limit} min unblurred today", **numbers)
        if limit_min
        else say("{seen} min unblurred today", seen=seen_min)
    )
    decided = say("{n} decided, {m} without playing", n=count(tally.decided), m=count(tally.without_playing))
    explained = say("Minutes count by how bad the video is: an alert whole, review half, any other a quarter.")
    line = div("cw-day-line", span(seen, "cw-number", title=explained), span(decided, "cw-number"))
    if not limit_min or exposure.weighted_s < limit_min * 60:
        return div("cw-day", line)
    pause = span(say("That is a lot for one day. A break of ten minutes does good; nothing runs away."), "")
    return div("cw-day cw-day-long", line, pause)


def _told(decision: Decision, verdict_id: str, now: datetime, *, zone: tzinfo) -> Markup:
    answers = [
        span(f"{label}: {say(ANSWERS[said])}", f"cw-answer cw-said-{_tone(said)}")
        for label, said in sorted(decision.answers.items())
    ]
    more = [say(REASONS[decision.reason]) if decision.reason else "", decision.note]
    earlier = say("on an earlier verdict") if decision.verdict_id != verdict_id else ""
    unplayed = say("without playing") if decision.played is False else ""
    quiet = " · ".join(part for part in (*more, earlier, unplayed) if part)
    return div(
        "cw-decision-row",
        decision_line(decision, now, zone),
        div("cw-answers", *answers),
        span(quiet, "cw-quiet", dir="auto"),
    )


def _tone(said: Answer) -> str:
    return Outcome(said.value).value
