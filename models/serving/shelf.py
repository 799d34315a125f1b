"""Downloaded versions on this host: what served last, so that a worker starts with it when the registry is away."""

import json
import shutil
from pathlib import Path

import structlog

from core.errors import ConfigError, ModelRefused
from core.labels import Modality
from models.artifacts import check_folder
from models.serving.lineup import Lineup, Part

_KEPT = "serving.json"

_log = structlog.get_logger()


class Shelf:
    """The cache folder; a version lies in `<modality>/<number>-<start of its files' digest>`.

    Raises:
        ConfigError: the folder cannot be made.
    """

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"mlflow.cache_dir {folder}: {error.strerror}; name a folder to write into") from error

    def keep(self, lineup: Lineup) -> None:
        """Note what serves now."""
        kept = {modality.value: part.folder.name for modality, part in lineup.parts.items()}
        partial = self.folder / f".{_KEPT}"
        partial.write_text(json.dumps(kept), encoding="utf-8")
        partial.replace(self.folder / _KEPT)

    def kept(self, base: Path) -> Lineup:
        """What served last, as far as it still is what it was."""
        try:
            noted = json.loads((self.folder / _KEPT).read_text(encoding="utf-8"))
            parts = {Modality(name): self._part(Modality(name), str(folder)) for name, folder in noted.items()}
        except FileNotFoundError:
            return Lineup(base)
        except (ValueError, AttributeError, OSError, ModelRefused) as error:
            _log.warning("model.cache_unusable", reason=str(error))
            return Lineup(base)
        return Lineup(base, parts)

    def prune(self, *lineups: Lineup) -> None:
        """Remove versions that none of these lineups names."""
        wanted = {part.folder for lineup in lineups for part in lineup.parts.values()}
        for folder in self.folder.glob("*/[0-9]*-*"):
            if folder.is_dir() and folder not in wanted:
                shutil.rmtree(folder, ignore_errors=True)

    def _part(self, modality: Modality, name: str) -> Part:
        folder = self.folder / modality / Path(name).name
        number, _, digest = name.partition("-")
        if not check_folder(folder, max_bytes=self._max_bytes).files.startswith(digest):
            raise ModelRefused(f"{folder} is not what was downloaded")
        return Part(int(number), folder)
