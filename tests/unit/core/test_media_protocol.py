from typing import Any

import pytest

from core.media.protocol import HEADER, MAX_MESSAGE_BYTES, ClipTarget, parse_length, parse_message, to_frame


def test_a_message_comes_out_as_it_went_in() -> None:
    message = {"path": "/media/\udcff.mp4", "times_s": [0.5]}
    frame = to_frame(message)

    assert parse_length(frame[: HEADER.size]) == len(frame) - HEADER.size
    assert parse_message(frame[HEADER.size :]) == message


def test_an_absurd_length_is_refused() -> None:
    with pytest.raises(ValueError, match="over"):
        parse_length(HEADER.pack(MAX_MESSAGE_BYTES + 1))


def test_a_message_is_an_object() -> None:
    with pytest.raises(TypeError, match="object"):
        parse_message(b"[1]")


@pytest.mark.parametrize("fields", [(4, 8, "squash"), (4, 8, "crop", "random"), (0, 8), (4, 0)])
def test_an_impossible_target_is_refused(fields: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"squash|random|none"):
        ClipTarget(*fields)


def test_a_target_knows_its_size() -> None:
    target = ClipTarget(2, 4)

    assert target.shape == (2, 4, 4, 3)
    assert target.nbytes == 96
