"""What the model got most wrong: false alarms it was surest of, misses it thought safest. For files, never a screen."""

from pathlib import Path

import pandas as pd

from models.evaluation.figures import Answers
from models.evaluation.rows import Rows

MOST = 50
"""Of each kind, in each set."""
_COLUMNS = ("set", "kind", "probability", "label", "category", "lang", "source", "text", "file")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def worst_examples(rows: Rows, answers: Answers) -> pd.DataFrame:
    """The false alarms and misses furthest from the truth, worst first."""
    said = answers.probabilities >= answers.threshold
    table = rows.table.assign(set=rows.name, probability=answers.probabilities.round(4))
    alarms = table[said & ~rows.truth].nlargest(MOST, "probability").assign(kind="false alarm")
    misses = table[~said & rows.truth].nsmallest(MOST, "probability").assign(kind="miss")
    both = pd.concat([alarms, misses], ignore_index=True)
    return both[[name for name in _COLUMNS if name in both.columns]]


def write_examples(examples: list[pd.DataFrame], path: Path) -> None:
    """All sets in one CSV; a text that a spreadsheet would run as a formula is quoted."""
    table = pd.concat(examples, ignore_index=True) if examples else pd.DataFrame(columns=list(_COLUMNS))
    if "text" in table:
        table["text"] = [f"'{text}" if str(text).startswith(_FORMULA) else text for text in table["text"]]
    table.to_csv(path, index=False)
