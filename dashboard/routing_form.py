"""The form in which a route is written; what is wrong in it is said, nothing half-written is kept."""

from collections.abc import Callable

import streamlit as st

from core.errors import StoreUnavailable
from core.errors_console import AccessRefused, SettingRefused
from core.labels import VerdictKind
from core.routing import MAIL, NAME_LIMIT, URL_LIMIT, Channel, RouteForm, Terms, Tongue
from dashboard.cards import notice_lines
from dashboard.frame import draw
from dashboard.language import say, say_error
from dashboard.notices import Notice

FLAGGED = (VerdictKind.HARMFUL, VerdictKind.REVIEW, VerdictKind.PARTIAL, VerdictKind.UNSCORED)
CHANNELS = {
    Channel.WEBHOOK: "Signed webhook",
    Channel.CHAT: "Chat (Slack-compatible)",
    Channel.EMAIL: "E-mail",
}
TONGUES = {Tongue.ENGLISH: "English", Tongue.VIETNAMESE: "Tiếng Việt"}
_MINUTE_S = 60


def route_form(key: str, known: RouteForm | None, *, save: Callable[[RouteForm], None]) -> None:
    """Draw the form; `save` gets what was written once it is right."""
    form = known or RouteForm(name="-", url="https://-")
    with st.form(f"route-form-{key}", border=False):
        name = st.text_input(say("Name"), form.name if known else "", max_chars=NAME_LIMIT)
        channel = st.segmented_control(
            say("By"),
            list(Channel),
            default=form.terms.channel,
            required=True,
            key=f"channel-{key}",
            format_func=lambda one: say(CHANNELS[one]),
        )
        address = st.text_input(
            say("Address"),
            form.url.removeprefix(MAIL) if known else "",
            max_chars=URL_LIMIT,
            placeholder="https://alerts.example/hook, team@example.org",
            help=say("Where it is sent: https:// for a webhook or a chat, a mailbox for e-mail."),
        )
        terms = {**_terms(form.terms), "channel": channel}
        is_enabled = st.toggle(say("Enabled"), form.is_enabled)
        if st.form_submit_button(say("Save route"), type="primary"):
            url = f"{MAIL}{address.strip()}" if channel is Channel.EMAIL else address.strip()
            _submit({"name": name.strip(), "url": url, "terms": terms, "is_enabled": is_enabled}, save)


def _terms(terms: Terms) -> dict[str, object]:
    """The widgets of what the route wants; every one left empty means all."""
    verdicts = st.multiselect(
        say("Verdicts (none: every flagged one)"), [kind.value for kind in FLAGGED], sorted(terms.verdicts)
    )
    first, second, third = st.columns(3)
    labels = first.text_input(say("Labels, by commas"), ", ".join(sorted(terms.labels)))
    sources = second.text_input(say("Sources, by commas"), ", ".join(sorted(terms.sources)))
    languages = third.text_input(say("Languages, by commas"), ", ".join(sorted(terms.languages)))
    first, second, third = st.columns(3)
    min_score = first.number_input(say("Lowest score"), 0.0, 1.0, terms.min_score, step=0.05)
    per_hour = second.number_input(say("Alerts per hour (0: digests only)"), 0, 10_000, terms.per_hour)
    digest_min = third.number_input(say("Digest after, min"), 1, 10_080, terms.digest_s // _MINUTE_S)
    first, second, third = st.columns(3)
    video_min = first.number_input(say("Same video again, min"), 0, 10_080, terms.video_window_s // _MINUTE_S)
    author_min = second.number_input(say("Same author again, min"), 0, 10_080, terms.author_window_s // _MINUTE_S)
    tongue = third.selectbox(
        say("Messages in"), list(Tongue), list(Tongue).index(terms.tongue), format_func=TONGUES.__getitem__
    )
    return {
        "verdicts": verdicts,
        "labels": _names(labels),
        "sources": _names(sources),
        "languages": _names(languages),
        "min_score": min_score,
        "per_hour": per_hour,
        "digest_s": digest_min * _MINUTE_S,
        "video_window_s": video_min * _MINUTE_S,
        "author_window_s": author_min * _MINUTE_S,
        "has_caption": st.checkbox(say("Send captions too"), terms.has_caption),
        "tongue": tongue,
    }


def _names(written: str) -> list[str]:
    return [part.strip() for part in written.split(",") if part.strip()]


def _submit(fields: dict[str, object], save: Callable[[RouteForm], None]) -> None:
    try:
        save(RouteForm.read(**fields))
    except (SettingRefused, AccessRefused) as error:
        draw(notice_lines([Notice("bad", say("Nothing was saved. Correct this:"), say_error(error))]))
    except StoreUnavailable:
        draw(notice_lines([Notice("bad", say("The database does not answer; nothing was changed."), "")]))
