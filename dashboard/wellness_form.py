"""Settings, tab Wellness: how media is shown to oneself, and, for who may set policy, to everybody."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.access import Capability, Person
from core.errors import StoreUnavailable
from core.errors_console import AccessRefused, SettingRefused
from dashboard import queries
from dashboard.data.wellness import OWN, Blur, Wellness, WellnessStore, stricter
from dashboard.frame import draw
from dashboard.language import say, say_error
from dashboard.markup import span
from dashboard.outage import comes_back, database_is_down
from dashboard.resources import resources
from dashboard.speed import speed_control
from dashboard.viewer import viewer

BLURS = {Blur.LIGHT: "Light", Blur.MEDIUM: "Medium", Blur.STRONG: "Strong"}
MINE, ALL = "mine", "all"
_TOLD, _FLOOR = "wellness-told", "wellness-floor"


@dataclass(frozen=True)
class Choices:
    """What a form offers, and what is chosen in it now.

    Attributes:
        now: what holds for whom the form is.
        floor: nothing looser is offered; None: everything is.
        labels: what videos can be warned of.
    """

    whose: str
    now: Wellness
    labels: list[str]
    floor: Wellness | None = None

    @property
    def blurs(self) -> list[Blur]:
        """From the floor's on."""
        every = list(Blur)
        return every if self.floor is None else every[every.index(self.floor.blur) :]

    @property
    def warned_anyway(self) -> tuple[str, ...]:
        """Labels that nobody's own choice leaves out."""
        return self.floor.warn if self.floor else ()

    def key(self, name: str) -> str:
        """A field's widget."""
        return f"{self.whose}-{name}"

    def is_settled(self, name: str, *, strict: bool) -> bool:
        """Whether a switch stands where it is strict already, so that nothing is left to choose."""
        return self.floor is not None and getattr(self.floor, name) is strict


def tab(person: Person) -> None:
    """Draw the tab."""
    store = resources().wellness
    try:
        default, mine, labels = store.default(person), store.of(person), store.labels(person)
    except StoreUnavailable:
        draw(database_is_down(say("Nothing here can be read or changed meanwhile; videos are blurred and muted.")))
        comes_back()
        return
    if told := st.session_state.pop(_TOLD, None):
        draw(span(told, "cw-quiet", role="status"))
    if person.may(Capability.SEE_MEDIA):
        _begin_anew_over(default)
        st.subheader(say("For you"), anchor=False)
        _form(Choices(MINE, mine, labels, floor=default))
    if person.may(Capability.SET_POLICY):
        st.subheader(say("For everybody"), anchor=False)
        _form(Choices(ALL, default, labels))


def changes(default: Wellness, chosen: Wellness) -> dict[str, Any]:
    """What a person wants other than everybody: the rest follows the default, also when that changes. Pure."""
    holds = stricter(default, chosen)
    more = {name: value for name in OWN if (value := getattr(holds, name)) != getattr(default, name)}
    return more | ({"warn": tuple(sorted({*holds.warn} - {*default.warn}))} if "warn" in more else {})


def _form(choices: Choices) -> None:
    whose = choices.whose
    with st.container(key=f"wellness-{whose}", border=True, gap="small"):
        if choices.floor is not None:
            draw(
                span(
                    say("Stricter than everybody's setting, never looser: what is grey is set for everybody."),
                    "cw-quiet",
                )
            )
        _looks(choices)
        _warnings(choices)
        if whose == ALL:
            words = say("Suggest a break after so many minutes a day, unblurred (0: never)")
            st.number_input(words, 0, 24 * 60, choices.now.limit_min, key=choices.key("limit_min"), width=320)
        with st.container(horizontal=True, gap="small"):
            st.button(say("Save"), key=f"wellness-save-{whose}", type="primary", on_click=_save, args=(whose,))
            if whose == MINE:
                st.button(say("As everybody"), key="wellness-reset", on_click=_reset)


def _looks(choices: Choices) -> None:
    now = choices.now
    st.segmented_control(
        say("Blur"),
        choices.blurs,
        default=now.blur,
        required=True,
        key=choices.key("blur"),
        disabled=len(choices.blurs) == 1,
        format_func=lambda blur: say(BLURS[blur]),
        help=say("Of stills, and of the video until you ask to see it."),
    )
    switches = (
        ("greyscale", say("Without colour"), True),
        ("stills", say("Stills in the list and before the video"), False),
        ("muted", say("Muted"), True),
        ("autoplay", say("Play at once when the player opens"), False),
    )
    for name, words, strict in switches:
        settled = choices.is_settled(name, strict=strict)
        st.toggle(words, value=getattr(now, name), key=choices.key(name), disabled=settled)
    speed_control(now.speed, choices.key("speed"))


def _warnings(choices: Choices) -> None:
    anyway = choices.warned_anyway
    if anyway:
        draw(span(say("Everybody is warned before videos with: {labels}", labels=", ".join(anyway)), "cw-quiet"))
    st.multiselect(
        say("Warn me also before videos with") if anyway else say("Warn before videos with"),
        sorted({*choices.labels, *choices.now.warn} - {*anyway}),
        default=sorted({*choices.now.warn} - {*anyway}),
        key=choices.key("warn"),
    )


def _chosen(whose: str) -> dict[str, Any]:
    fields = {name: st.session_state[f"{whose}-{name}"] for name in OWN}
    return {**fields, "warn": tuple(sorted(fields["warn"]))}


def _save(whose: str) -> None:
    _do(lambda person, store: _keep(person, store, whose))


def _keep(person: Person, store: WellnessStore, whose: str) -> None:
    chosen = _chosen(whose)
    if whose == MINE:
        store.set_own(person, changes(store.default(person), Wellness(**chosen)))
    else:
        store.set_default(person, Wellness(**chosen, limit_min=st.session_state[f"{ALL}-limit_min"]))


def _reset() -> None:
    _do(lambda person, store: store.set_own(person, {}))
    st.session_state.pop(_FLOOR, None)


def _begin_anew_over(floor: Wellness) -> None:
    """What was chosen over another default may no longer be on offer."""
    if st.session_state.get(_FLOOR) != floor:
        for name in OWN:
            st.session_state.pop(f"{MINE}-{name}", None)
    st.session_state[_FLOOR] = floor


def _do(action: Callable[[Person, WellnessStore], None]) -> None:
    try:
        action(viewer(), resources().wellness)
    except StoreUnavailable:
        st.session_state[_TOLD] = say("The database does not answer; nothing was changed.")
    except (SettingRefused, AccessRefused) as error:
        st.session_state[_TOLD] = say("Nothing was changed: {why}", why=say_error(error))
    else:
        st.session_state[_TOLD] = say("Kept.")
    queries.forget_wellness()
