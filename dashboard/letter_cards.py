"""Dead letters and log lines as HTML: their bytes as text and in hexadecimal, escaped and cut."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from core.events import DeadLetter
from core.storage.ports import DeadLetterRow
from dashboard.cards import when
from dashboard.data.dead_letters import CodeCount, LetterLine
from dashboard.data.logs import LogLine
from dashboard.language import say
from dashboard.markup import Markup, div, join, span, tag, text
from dashboard.wording import NOTHING, code_meaning, count, exact

TEXT_BYTES = 8_192
HEX_BYTES = 1_024
HEX_ROW = 16
_PRINTABLE = range(0x20, 0x7F)


def code_count(row: CodeCount) -> Markup:
    """A code with its meaning, how many there are, and how many are open."""
    head = div("cw-code-head", tag("code", text(row.code)), span(count(row.open), "cw-number"))
    total = say("{open} open of {all}", open=count(row.open), all=count(row.letters))
    return div("cw-code", head, span(code_meaning(row.code), ""), span(total, "cw-quiet"))


def letter_line(row: LetterLine, now: datetime, zone: tzinfo) -> Markup:
    """One dead letter in the list."""
    replayed = span(say("replayed"), "cw-paused") if row.replayed_at else text("")
    head = div("cw-card-head", tag("code", text(row.code)), replayed, when(row.died_at, now, zone))
    where = f"{row.topic} / {row.partition} / {row.offset} · {row.stage}"
    who = span(row.video_id or say("no video id"), "", dir="auto")
    message = span(row.message, "cw-quiet cw-one-line", dir="auto")
    return div("cw-letter", head, div("cw-letter-who", who, span(where, "cw-quiet")), message)


def letter_whole(row: DeadLetterRow, zone: tzinfo) -> Markup:
    """One dead letter with everything it holds."""
    letter = row.dead_letter
    ref = letter.record
    pairs = [
        (say("reason"), f"{letter.code}: {code_meaning(letter.code) or NOTHING}"),
        (say("message"), letter.message),
        (say("stage"), f"{letter.stage}, {say('attempts')}: {letter.attempts}"),
        (say("record"), f"{ref.topic} / {ref.partition} / {ref.offset}"),
        (say("video"), letter.video_id or NOTHING),
        (say("posted"), exact(letter.record_time, zone)),
        (say("died"), exact(letter.died_at, zone)),
        (say("replayed"), exact(row.replayed_at, zone) if row.replayed_at else NOTHING),
        (say("key"), shown(letter.key or b"", 256) or NOTHING),
    ]
    pairs += [(f"{say('header')} {name}", shown(value, 512)) for name, value in letter.headers]
    facts = [join(tag("dt", text(name)), tag("dd", text(value), dir="auto")) for name, value in pairs]
    return div("cw-letter-whole", tag("dl", *facts, cls="cw-facts"), _bytes(letter))


def log_lines(lines: Sequence[LogLine]) -> Markup:
    """The end of a log, oldest first."""
    return div("cw-log", *(span(line.text, f"cw-log-line cw-log-{line.level}") for line in lines), role="log")


def shown(value: bytes, limit: int) -> str:
    """Bytes as text; what is no UTF-8 stands as its hexadecimal code."""
    words = value[:limit].decode("utf-8", "backslashreplace")
    return f"{words} …" if len(value) > limit else words


def hexadecimal(value: bytes) -> str:
    """The first bytes as hexadecimal rows, each with what is printable of it."""
    rows = (value[start : start + HEX_ROW] for start in range(0, min(len(value), HEX_BYTES), HEX_ROW))
    return "\n".join(f"{row.hex(' '):<{3 * HEX_ROW}} {''.join(map(_glyph, row))}" for row in rows)


def _glyph(byte: int) -> str:
    return chr(byte) if byte in _PRINTABLE else "."


def _bytes(letter: DeadLetter) -> Markup:
    if letter.payload is None:
        where = say("Its bytes are an object, too large to show: {uri}", uri=letter.payload_uri or NOTHING)
        return span(where, "cw-quiet", dir="auto")
    size = say("{n} bytes", n=count(len(letter.payload)))
    words = tag("pre", text(shown(letter.payload, TEXT_BYTES)), cls="cw-bytes", dir="auto")
    codes = tag("pre", text(hexadecimal(letter.payload)), cls="cw-bytes cw-hex")
    more = tag("details", tag("summary", text(say("Hexadecimal"))), codes)
    return div("cw-payload", span(size, "cw-quiet"), words, more)
