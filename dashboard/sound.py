"""A tone for a new alert: off until asked for, made here, at most a few a minute."""

import base64
import io
import math
import struct
import wave
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.alerts import Alert

NAME = "clipwarden_tone"
MAX_PER_MINUTE = 4
RATE_HZ = 8000
LENGTH_S = 0.25
PITCH_HZ = 660.0
ON = "sound"
_JS = (Path(__file__).parent / "tone.js").read_text(encoding="utf-8")
_KNOWN, _RUNG, _RINGS = "sound-known", "sound-rung", "sound-rings"


def is_on() -> bool:
    """Whether the person asked for it."""
    return bool(st.session_state.get(ON))


def ring_for(alerts: Sequence[Alert], now_s: float, *, silent: bool) -> None:
    """Ring once when there is an alert that was not there before; nothing is mounted while sound is off."""
    if not is_on():
        st.session_state.pop(_KNOWN, None)
        return
    known: frozenset[str] | None = st.session_state.get(_KNOWN)
    there = frozenset(row.verdict.verdict_id for row in alerts)
    rung = [at_s for at_s in st.session_state.get(_RUNG, []) if now_s - at_s < 60.0]  # noqa: PLR2004 - a minute
    if known is not None and there - known and not silent and len(rung) < MAX_PER_MINUTE:
        rung.append(now_s)
        st.session_state[_RINGS] = st.session_state.get(_RINGS, 0) + 1
    st.session_state[_KNOWN], st.session_state[_RUNG] = there, rung
    _ringer()(key="tone", data={"tone": tone(), "rings": st.session_state.get(_RINGS, 0)})


@cache
def tone() -> str:
    """A quarter of a second of one soft note, as a data address of a WAV file."""
    frames = int(RATE_HZ * LENGTH_S)
    # It swells and fades, so that it never clicks.
    samples = [
        int(9000 * math.sin(math.pi * place / frames) * math.sin(2 * math.pi * PITCH_HZ * place / RATE_HZ))
        for place in range(frames)
    ]
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(struct.pack(f"<{frames}h", *samples))
    return f"data:audio/wav;base64,{base64.b64encode(out.getvalue()).decode()}"


@st.cache_resource(show_spinner=False)
def _ringer() -> Callable[..., Any]:
    ringer: Callable[..., Any] = st.components.v2.component(NAME, js=_JS)
    return ringer
