"""Exposure: the server's clock counts, and only while something unblurred is seen."""

import io
import wave
from base64 import b64decode

from dashboard.exposure import STEP_S, Seen, step
from dashboard.sound import LENGTH_S, tone


def test_time_counts_from_the_first_look_that_saw_it_to_the_first_that_did_not() -> None:
    seen = step(Seen(), 100.0, weight=0.5)
    assert seen.pending_s == 0
    for now_s in (101.0, 102.0):
        seen = step(seen, now_s, weight=0.5)
    seen = step(seen, 102.5, weight=None)

    assert (seen.pending_s, seen.at_s, seen.weight) == (2.5, None, 0.5)
    assert step(seen, 200.0, weight=None).pending_s == 2.5


def test_after_a_silence_nobody_knows_what_was_seen() -> None:
    assert step(step(Seen(), 0.0, weight=1.0), 3600.0, weight=1.0).pending_s == STEP_S


def test_the_tone_is_a_short_wav_of_our_own() -> None:
    head, _, body = tone().partition(",")

    assert head == "data:audio/wav;base64"
    with wave.open(io.BytesIO(b64decode(body))) as file:
        assert file.getnframes() / file.getframerate() == LENGTH_S
