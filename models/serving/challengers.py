"""Follows the registry's challengers: each beside its champion in a process of its own, replaced when either changes.

A thread of its own: a challenger that takes minutes to load, or never loads, holds up no champion.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.errors import ModelRefused, PlatformError
from core.labels import Modality
from core.settings import MlflowSettings
from core.telemetry import CHALLENGERS
from models.registry import CHALLENGER, CHAMPION, Registry, Version
from models.serving.challenger import Challenger
from models.serving.lineup import Lineup, Part
from models.serving.shadows import Shadows
from models.serving.shelf import Shelf
from models.spec import ClipSpec

_ALONE = Path("/nonexistent")
_FOLDER = "challengers"
_STOP_S = 10.0

_log = structlog.get_logger()

Key = tuple[Modality, str, str]
"""A version's modality and folder, and what of the champions matters to it: beside others it is another case."""


@dataclass(frozen=True)
class Beside:
    """The champions that serve, and the clips they read."""

    lineup: Lineup
    clip: ClipSpec


class Challengers:
    """Keeps the registry's challengers running; a version that was refused is not tried again.

    Args:
        settings: the registry, and where downloads lie.
        shadows: told which challengers there are.

    Raises:
        ConfigError: downloads cannot be kept where the settings say.
    """

    def __init__(self, settings: MlflowSettings, shadows: Shadows) -> None:
        self._settings = settings
        self._shadows = shadows
        # Not where the champions lie: the watch removes there what does not serve.
        self._shelf = Shelf(settings.cache_dir / _FOLDER, max_bytes=settings.max_model_bytes)
        self._registry: Registry | None = None
        self._running: dict[Modality, tuple[Key, Challenger]] = {}
        self._refused: dict[Key, str] = {}
        self._wants: tuple[Key, ...] = ()
        self._beside: Beside | None = None
        self._news = threading.Event()
        self._stop = threading.Event()

    @property
    def problem(self) -> str:
        """Why the registry's challengers do not shadow; empty when they do, or there is none."""
        return "; ".join(self._refused[key] for key in self._wants if key in self._refused)

    def look_soon(self, beside: Beside) -> None:
        """Look into the registry again; returns at once."""
        self._beside = beside
        self._news.set()

    @contextmanager
    def following(self) -> Iterator[None]:
        """Do so as long as the context lasts."""
        thread = threading.Thread(target=self._run, name="challengers", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._news.set()
            thread.join(_STOP_S)

    def _run(self) -> None:
        # The kernel ends the children with this thread, which started them.
        while not self._stop.is_set():
            self._news.wait()
            self._news.clear()
            try:
                if self._beside is not None and not self._stop.is_set():
                    self._look(self._beside)
            except (PlatformError, OSError) as error:
                # The watch looks at the same registry and reports that it is away.
                _log.warning("challengers.not_looked", reason=str(error))
            except Exception:  # noqa: BLE001 - the thread's outermost frame: the next look may go well
                _log.exception("challengers.look_failed")
        self._keep({})

    def _look(self, beside: Beside) -> None:
        if self._registry is None:
            self._registry = Registry(self._settings)
        wanted = {_key(version, beside): version for version in _challengers(self._registry, beside.lineup)}
        self._wants = tuple(wanted)
        good = [key for key in wanted if key not in self._refused]
        self._keep({modality: running for modality, running in self._running.items() if running[0] in good})
        for key in good:
            if key[0] not in self._running:
                self._start(wanted[key], key, beside=beside, registry=self._registry)
        parts = {modality: challenger.lineup.parts[modality] for modality, (_, challenger) in self._running.items()}
        self._shelf.prune(Lineup(_ALONE, parts))

    def _start(self, version: Version, key: Key, *, beside: Beside, registry: Registry) -> None:
        try:
            part = Part(version.number, registry.fetch(version, self._shelf.folder))
            challenger = Challenger(
                _lineup(version.modality, part, beside.lineup),
                version.modality,
                clip=beside.clip,
                told=self._shadows.tell,
                broken=lambda reason: self._note_broken(key, reason),
                stop=self._stop,
            )
        except ModelRefused as error:
            if not self._stop.is_set():
                self._refuse(key, error.message)
            return
        CHALLENGERS.labels("shadowing").inc()
        _log.info("challenger.shadows", challenger=challenger.version)
        self._keep({**self._running, version.modality: (key, challenger)})

    def _keep(self, running: dict[Modality, tuple[Key, Challenger]]) -> None:
        """Ask these, and end the others."""
        self._shadows.serve([challenger for _, challenger in running.values()])
        before, self._running = self._running, running
        for modality, pair in before.items():
            if running.get(modality) != pair:
                pair[1].close()

    def _note_broken(self, key: Key, reason: str) -> None:
        self._refuse(key, reason)
        self._news.set()

    def _refuse(self, key: Key, reason: str) -> None:
        name = f"{key[0]}:{key[1].partition('-')[0]}"
        self._refused[key] = f"refused challenger {name}: {reason.removeprefix(f'{name}: ')}"
        CHALLENGERS.labels("refused").inc()
        _log.error("challenger.refused", challenger=name, reason=reason)


def _challengers(registry: Registry, serving: Lineup) -> Iterator[Version]:
    """Of each model the challenger, where it is not what serves."""
    for modality in Modality:
        aliases, part = registry.aliases(modality), serving.parts.get(modality)
        number = aliases.get(CHALLENGER)
        if number is not None and number not in (aliases.get(CHAMPION), part.number if part else None):
            yield registry.version(modality, number)


def _lineup(modality: Modality, part: Part, serving: Lineup) -> Lineup:
    """Text and video alone; fusion reads what the two that serve make of a post."""
    if modality is Modality.FUSION:
        return Lineup(serving.base, {**serving.parts, modality: part})
    return Lineup(_ALONE, {modality: part})


def _key(version: Version, beside: Beside) -> Key:
    parts = beside.lineup.parts
    partners = "+".join(
        f"{name}:{parts[name].folder.name}" for name in (Modality.TEXT, Modality.VIDEO) if name in parts
    )
    matters = {Modality.TEXT: "", Modality.VIDEO: repr(beside.clip), Modality.FUSION: partners}
    return version.modality, version.folder_name, matters[version.modality]
