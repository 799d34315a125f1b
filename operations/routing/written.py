"""A letter as chats and mail readers take it: nothing in its values is a link, a mention or markup there. Pure."""

import json
from collections.abc import Callable

from operations.routing.letter import Letter, Line


def as_chat(written: Letter) -> bytes:
    """The body of an incoming webhook, as Slack reads it, and Mattermost, Rocket.Chat and others with it."""
    title, *lines = (_filled(line, _literal) + _chat_link(line) for line in (written.title, *written.lines))
    text = "\n".join([f"*{title}*", *lines])
    return json.dumps({"text": text, "mrkdwn": True, "unfurl_links": False, "unfurl_media": False}).encode()


def as_subject(written: Letter) -> str:
    """The title, as a mail's subject."""
    return _filled(written.title, str)


def as_text(written: Letter) -> str:
    """The lines, as plain text."""
    return "\n".join(_filled(line, str) + (f"\n    {line.link}" if line.link else "") for line in written.lines) + "\n"


def _filled(line: Line, shown: Callable[[str], str]) -> str:
    return line.words.format(**{name: shown(value) for name, value in line.values.items()})


def _literal(value: str) -> str:
    """Between backticks a chat reads no markup; Slack still reads its three signs."""
    safe = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'")
    return f"`{safe}`" if safe else ""


def _chat_link(line: Line) -> str:
    return f" <{line.link}|\N{RIGHTWARDS ARROW}>" if line.link else ""
