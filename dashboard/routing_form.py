"""The form in which a route is written; what is wrong in it is said, nothing half-written is kept."""

from collections.abc import Callable

import streamlit as st

from core.errors import StoreUnavailable
from core.errors_console import AccessRefused, SettingRefused
from core.labels import VerdictKind
from core.routing import NAME_LIMIT, URL_LIMIT, RouteForm, Terms
from dashboard.cards import notice_lines
from dashboard.frame import draw
from dashboard.language import say, say_error
from dashboard.notices import Notice

FLAGGED = (VerdictKind.HARMFUL, VerdictKind.REVIEW, VerdictKind.PARTIAL, VerdictKind.UNSCORED)
_MINUTE_S = 60


def route_form(key: str, known: RouteForm | None, *, save: Callable[[RouteForm], None]) -> None:
    """Draw the form; `save` gets what was written once it is right."""
    form = known or RouteForm(name="-", url="https://-")
    with st.form(f"route-form-{key}", border=False):
        name = st.text_input(say("Name"), form.name if known else "", max_chars=NAME_LIMIT)
        url = st.text_input(
            say("Address"), form.url if known else "", max_chars=URL_LIMIT, placeholder="https://alerts.example/hook"
        )
        terms = _terms(form.terms)
        is_enabled = st.toggle(say("Enabled"), form.is_enabled)
        if st.form_submit_button(say("Save route"), type="primary"):
            _submit({"name": name.strip(), "url": url.strip(), "terms": terms, "is_enabled": is_enabled}, save)


def _terms(terms: Terms) -> dict[str, object]:
    """The widgets of what the route wants; every one left empty means all."""
    verdicts = st.multiselect(
        say("Verdicts (none: every flagged one)"), [kind.value for kind in FLAGGED], sorted(terms.verdicts)
    )
    first, second, third = st.columns(3)
    labels = first.text_input(say("Labels, by commas"), ", ".join(sorted(terms.labels)))
    sources = second.text_input(say("Sources, by commas"), ", ".join(sorted(terms.sources)))
    languages = third.text_input(say("Languages, by commas"), ", ".join(sorted(terms.languages)))
    first, second, third, fourth = st.columns(4)
    min_score = first.number_input(say("Lowest score"), 0.0, 1.0, terms.min_score, step=0.05)
    per_hour = second.number_input(say("Alerts per hour"), 1, 10_000, terms.per_hour)
    video_min = third.number_input(say("Same video again, min"), 0, 10_080, terms.video_window_s // _MINUTE_S)
    author_min = fourth.number_input(say("Same author again, min"), 0, 10_080, terms.author_window_s // _MINUTE_S)
    return {
        "verdicts": verdicts,
        "labels": _names(labels),
        "sources": _names(sources),
        "languages": _names(languages),
        "min_score": min_score,
        "per_hour": per_hour,
        "video_window_s": video_min * _MINUTE_S,
        "author_window_s": author_min * _MINUTE_S,
        "has_caption": st.checkbox(say("Send captions too"), terms.has_caption),
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
