"""What is to be evaluated, on which rows, against what."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Request:
    """One evaluation.

    Attributes:
        model: a model's folder, or a starter model's name.
        data: folder with tables of captions in `text/` and `video/manifest.csv`, each CSV or Parquet.
        champion: another model of the same modality, for the paired tests.
        sources: the text files to use; none: the default mix.
        folds: whether a video model's recipe is cross-validated as well.
        pairs: fusion: how many pairs each rule draws.
    """

    model: str
    data: Path
    split: str = "test"
    champion: str | None = None
    sources: tuple[str, ...] = ()
    folds: bool = True
    pairs: int = 2_000
