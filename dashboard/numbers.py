"""How numbers read on every page and chart, whatever the language. Pure."""

NOTHING = "\u2013"
_MINUTE_S = 60


def score(value: float | None) -> str:
    """A probability with two digits."""
    return NOTHING if value is None else f"{value:.2f}"


def count(value: int) -> str:
    """A count with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f")


def size(value_bytes: float | None) -> str:
    """Bytes as a person reads them, in steps of 1000: 8.2 MB; a dash for what nobody knows."""
    if value_bytes is None:
        return NOTHING
    for unit, unit_bytes in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value_bytes >= unit_bytes:
            return f"{value_bytes / unit_bytes:.1f} {unit}"
    return f"{value_bytes:.0f} B"


def clock_time(seconds: float) -> str:
    """A place in a video: 0:07."""
    return f"{int(seconds) // _MINUTE_S}:{int(seconds) % _MINUTE_S:02d}"
