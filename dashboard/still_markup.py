"""A blurred still as HTML: where it comes from, and what stands there without it. Pure."""

from urllib.parse import quote

from core.events import MEDIA_URI, Verdict
from dashboard.data.wellness import Veil
from dashboard.language import say
from dashboard.markup import Markup, div, span, tag


def still_source(video_id: str, verdict_id: str, veil: Veil) -> str:
    """Where a still comes from; another verdict or another veil is another picture for the browser."""
    grey = "&grey=1" if veil.greyscale else ""
    return f"still/{quote(video_id, safe='')}?of={quote(verdict_id, safe='')}&blur={veil.blur.value}{grey}"


def still(verdict: Verdict, veil: Veil) -> Markup:
    """The still of a video's worst moment."""
    if MEDIA_URI.match(verdict.media_uri or "") is None:
        return div("cw-still cw-still-none", span(say("text only"), "cw-quiet"))
    source = still_source(verdict.video_id, verdict.verdict_id, veil)
    picture = tag("img", src=source, alt=say("blurred still"), loading="lazy", decoding="async", cls="cw-picture")
    return div("cw-still", picture)
