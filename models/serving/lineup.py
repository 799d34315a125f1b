"""Which folders are served together: the registry's champions, and the base folder for what has none. No torch here."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from core.labels import Modality


@dataclass(frozen=True)
class Part:
    """A registered version in a local folder; its number names it in every verdict."""

    number: int
    folder: Path


@dataclass(frozen=True)
class Lineup:
    """What is served together.

    Attributes:
        base: folder of models for every modality without a part.
    """

    base: Path
    parts: Mapping[Modality, Part] = field(default_factory=dict)

    def of(self, modality: Modality) -> Path:
        """Where a modality's model lies; it need not be there."""
        part = self.parts.get(modality)
        return part.folder if part else self.base / modality

    def model_version(self, loaded: str) -> str:
        """The canonical string of what was loaded, with the registry's numbers for its versions."""
        named = dict(piece.split(":", 1) for piece in loaded.split("|"))
        for modality, part in self.parts.items():
            if named[modality.value] != "-":
                named[modality.value] = str(part.number)
        return "|".join(f"{modality}:{version}" for modality, version in named.items())

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """All of them as one folder of models, as long as the context lasts."""
        if not self.parts:
            yield self.base
            return
        with tempfile.TemporaryDirectory(prefix="clipwarden-models-") as name:
            for modality in Modality:
                if self.of(modality).is_dir():
                    (Path(name) / modality).symlink_to(self.of(modality).resolve())
            yield Path(name)
