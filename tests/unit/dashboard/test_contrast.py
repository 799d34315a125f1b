"""Words can be read: every colour for text on every ground it stands on, in both themes, by WCAG 2.2's AA."""

import re
from pathlib import Path

import pytest

STYLE = (Path(__file__).parents[3] / "dashboard" / "style.css").read_text(encoding="utf-8")
AA = 4.5
TONES = ("harmful", "review", "partial", "unscored", "safe", "action")
Colour = tuple[float, float, float]


def tokens(theme: int) -> dict[str, Colour]:
    """The named colours of the light theme (0) or the dark one (1)."""
    pairs = re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)", STYLE)
    return {name: channels((light, dark)[theme]) for name, light, dark in pairs}


def channels(colour: str) -> Colour:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return (red, green, blue)


def mixed(colour: Colour, share: float, ground: Colour) -> Colour:
    red, green, blue = (share * one + (1 - share) * other for one, other in zip(colour, ground, strict=True))
    return (red, green, blue)


def luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (one / 255 for one in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_words_can_be_read_on_every_ground(theme: int) -> None:
    found = tokens(theme)
    surface, page, quiet, action = (found[name] for name in ("surface", "page", "quiet", "action"))
    grounds = {
        "page": page,
        "surface": surface,
        "hovered card": mixed(quiet, 0.07, surface),
        "selected card": mixed(action, 0.09, surface),
    }
    words = [(name, ground, found[name], grounds[ground]) for name in ("text", "quiet", *TONES) for ground in grounds]
    words += [
        (name, f"{share:.0%} of itself", found[name], mixed(found[name], share, surface))
        for name in TONES
        for share in (0.09, 0.14)
    ]

    unread = {(name, ground): round(contrast(*pair), 2) for name, ground, *pair in words if contrast(*pair) < AA}

    assert unread == {}
