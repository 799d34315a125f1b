"""Alert routes as HTML: what each is for, how it does, and why a delivery failed. Pure."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from core.routing import MAIL, RouteForm, Terms
from core.storage.ports import Heartbeat
from core.storage.routes import DeliveryRow, RouteRow
from dashboard.cards import when
from dashboard.language import say
from dashboard.markup import Markup, div, span, tag, text
from dashboard.notices import Notice
from dashboard.reading import READY
from dashboard.routing_form import CHANNELS
from dashboard.wording import NOTHING, count, duration, score

ROUTER = "router"


def route_card(row: RouteRow, now: datetime, zone: tzinfo) -> Markup:
    """One route: its state, where it leads, what it takes, what became of it."""
    return div(
        "cw-route",
        div("cw-route-head", _state(row), span(row.form.name, "cw-route-name"), _newest(row, now, zone)),
        div(
            "cw-route-to",
            span(say(CHANNELS[row.form.terms.channel]), "cw-quiet"),
            span(_address(row.form), "cw-route-url"),
        ),
        span(terms_line(row.form.terms), "cw-quiet"),
        div(
            "cw-route-counts",
            _figure(say("delivered, 24 h"), row.delivered),
            _figure(say("held back, 24 h"), row.held),
            _figure(say("waiting"), row.waiting, tone="review" if row.oldest and _is_late(row.oldest, now) else ""),
            _figure(say("dead"), row.dead, tone="bad" if row.dead else ""),
        ),
    )


def terms_line(terms: Terms) -> str:
    """What a route takes, in one line."""
    named = [
        ", ".join(sorted(terms.verdicts)) or say("every flagged verdict"),
        ", ".join(sorted(terms.labels)) or say("all labels"),
        ", ".join(sorted(terms.sources)) or say("all sources"),
        ", ".join(sorted(terms.languages)) or say("all languages"),
        say("score from {score}", score=score(terms.min_score)) if terms.min_score else "",
        say("at most {n} per hour", n=count(terms.per_hour)) if terms.per_hour else say("digests only"),
        say("a digest after {time}", time=duration(terms.digest_s)),
        say("a video again after {time}", time=duration(terms.video_window_s)) if terms.video_window_s else "",
        say("an author again after {time}", time=duration(terms.author_window_s)) if terms.author_window_s else "",
        say("with caption") if terms.has_caption else say("without caption"),
    ]
    return " · ".join(part for part in named if part)


def _address(form: RouteForm) -> str:
    return form.shown_url.removeprefix(MAIL)


def troubles(rows: Sequence[DeliveryRow], now: datetime, zone: tzinfo) -> Markup:
    """The deliveries that failed, the newest first, each with its reason."""
    return div("cw-troubles", *(_trouble(row, now, zone) for row in rows))


def test_line(row: DeliveryRow) -> Markup:
    """What came of the last test."""
    if row.state == "delivered":
        said = [say("Test delivered: the receiver answered {status}.", status=row.status or NOTHING)]
        tone = "good"
    elif row.state == "dead":
        said, tone = [say("The test did not arrive.")], "bad"
    else:
        said, tone = [say("The test is on its way.")], "wait"
    return div(
        f"cw-test cw-test-{tone}", span(said[0], "cw-test-word"), span(row.reason, "cw-test-answer"), role="status"
    )


def router_notices(heartbeats: Sequence[Heartbeat], *, has_routes: bool) -> list[Notice]:
    """Whether anybody sends."""
    routers = [beat for beat in heartbeats if beat.kind == ROUTER]
    kept = say("Alerts for routes wait in the database; none is lost.")
    if has_routes and not routers:
        return [Notice("warn", say("No router is running."), kept, "python -m operations.router")]
    if routers and not any(beat.state == READY for beat in routers):
        return [Notice("warn", say("The router waits for something it needs."), f"{kept} {routers[0].detail}".strip())]
    return []


def _state(row: RouteRow) -> Markup:
    if not row.form.is_enabled:
        return span(say("paused"), "cw-route-state cw-route-paused")
    if row.dead or (row.oldest and not row.newest and row.waiting):
        return span(say("failing"), "cw-route-state cw-route-failing")
    return span(say("sending"), "cw-route-state cw-route-sending")


def _newest(row: RouteRow, now: datetime, zone: tzinfo) -> Markup:
    if row.newest is None:
        return span(say("nothing delivered yet"), "cw-quiet cw-route-when")
    return div("cw-route-when", span(say("last delivered"), "cw-quiet"), when(row.newest, now, zone))


def _figure(name: str, number: int, tone: str = "") -> Markup:
    toned = f" cw-tone-{tone}" if tone else ""
    return div(f"cw-route-count{toned}", span(count(number), "cw-number"), span(name, "cw-quiet"))


def _is_late(oldest: datetime, now: datetime) -> bool:
    return (now - oldest).total_seconds() > 60  # noqa: PLR2004 - a minute is longer than a healthy delivery takes


def _trouble(row: DeliveryRow, now: datetime, zone: tzinfo) -> Markup:
    ended = say("not tried again") if row.state == "dead" else say("tried again")
    about = say("attempt {n}, {ended}", n=row.attempts, ended=ended)
    return div(
        "cw-trouble",
        div("cw-code-head", span(row.video_id or row.kind, "cw-origin"), when(row.created_at, now, zone)),
        tag("span", text(row.reason), cls="cw-origin"),
        span(about, "cw-quiet"),
    )
