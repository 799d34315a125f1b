"""English words of the console → Vietnamese: one module per page, so that a page and its words are read together."""

from collections.abc import Mapping

from dashboard.vietnamese import (
    about,
    analytics,
    audit,
    codes,
    database,
    frame,
    ingestion,
    live,
    pane,
    pipeline,
    refusals,
    rules,
    settings,
    sign_in,
    wellness,
    wording,
)

WORDS: Mapping[str, str] = {
    **about.WORDS,
    **analytics.WORDS,
    **audit.WORDS,
    **codes.WORDS,
    **database.WORDS,
    **frame.WORDS,
    **ingestion.WORDS,
    **live.WORDS,
    **pane.WORDS,
    **pipeline.WORDS,
    **refusals.WORDS,
    **rules.WORDS,
    **settings.WORDS,
    **sign_in.WORDS,
    **wellness.WORDS,
    **wording.WORDS,
}
