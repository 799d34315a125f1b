"""Follows the registry's champions: fetched, tried out and loaded beside the one that serves, swapped between batches.

registry ─ alias ─▶ number ─ fetch (digests) ─▶ trial (a child) ─▶ load, golden, warm ─▶ Worker.swap
A version that is refused on the way is reported and not tried again; the model before serves on.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from core.errors import ConfigError, ModelRefused, PlatformError, RegistryUnavailable
from core.health import Health
from core.labels import Modality
from core.settings import MlflowSettings
from core.telemetry import DEPENDENCY_UP, MODEL_SWAPS
from models.registry import Registry, Version
from models.serving.challengers import Beside, Challengers
from models.serving.job import Engine
from models.serving.lineup import Lineup, Part
from models.serving.shelf import Shelf
from models.serving.trial import try_out

LARGEST_CLIP_BYTES = 64_000_000
"""Larger clips would not pass the worker's door."""
_ALONE = Path("/nonexistent")
_LISTEN_S = 1.0
_STOP_S = 10.0

_log = structlog.get_logger()


class Bell(Protocol):
    """Rings when a champion changed."""

    def wait(self, timeout_s: float) -> bool:
        """Sleep until it rings or the time is up."""
        ...


class Swaps(Protocol):
    """The worker, as far as it concerns the watch."""

    @property
    def given_up(self) -> "queue.SimpleQueue[Engine]":
        """Engines it left by itself for the one before."""
        ...

    def swap(self, engine: Engine) -> None:
        """Serve another engine from the next batch on."""
        ...


@dataclass(frozen=True)
class _Served:
    lineup: Lineup
    engine: Engine


class Watch:
    """One thread beside the worker; the engine before stays loaded, for an instant return.

    Args:
        settings: the registry, how often to look, where downloads lie.
        base: what serves where the registry has no champion.
        load: lineup → an engine that is checked and warm.
        bell: cuts the wait between two looks short.
        health: told of the registry; a worker is ready without one.
        challengers: told when to look, and beside which champions.

    Raises:
        ConfigError: downloads cannot be kept where the settings say.
    """

    def __init__(
        self,
        settings: MlflowSettings,
        *,
        base: Lineup,
        load: Callable[[Lineup], Engine],
        bell: Bell,
        health: Health,
        challengers: Challengers | None = None,
    ) -> None:
        self._settings = settings
        self._challengers = challengers
        self._base = base
        self._load = load
        self._bell = bell
        self._health = health
        self._shelf = Shelf(settings.cache_dir, max_bytes=settings.max_model_bytes)
        self._registry: Registry | None = None
        self._refused: dict[tuple[Modality, str], str] = {}
        self._wants: tuple[tuple[Modality, str], ...] = ()
        self._away = ""
        self._now: _Served | None = None
        self._before: _Served | None = None
        self._stop = threading.Event()

    @property
    def problem(self) -> str:
        """Why the registry's champions are not what serves, or its challengers do not shadow; empty when all do."""
        refused = [self._refused[key] for key in self._wants if key in self._refused]
        shadows = self._challengers.problem if self._challengers else ""
        return "; ".join(part for part in (self._away, *refused, shadows) if part)

    def first(self) -> Engine:
        """What to start with: the champions; while the registry is away those served last; else the base models.

        Raises:
            ConfigError: not even the base models can be served.
        """
        try:
            lineup = self._wanted()
        except (RegistryUnavailable, OSError) as error:
            self._note_away(error)
            lineup = self._shelf.kept(self._base.base)
        try:
            self._take(lineup, self._loaded(lineup))
        except ConfigError as error:
            if lineup == self._base:
                raise
            self._refuse_news(lineup, error.message)
            self._take(self._base, self._loaded(self._base))
        return self._serving().engine

    @contextmanager
    def following(self, worker: Swaps) -> Iterator[None]:
        """Keep the worker's models those of the registry, from a thread of its own, as long as the context lasts."""
        thread = threading.Thread(target=self._run, args=(worker,), name="registry", daemon=True)
        thread.start()
        self._look_for_challengers()
        try:
            with self._challengers.following() if self._challengers else nullcontext():
                yield
        finally:
            self._stop.set()
            thread.join(_STOP_S)

    def look(self, worker: Swaps) -> None:
        """Look once; what cannot be reached or served now is reported, and the model before serves on."""
        try:
            lineup = self._wanted()
            if lineup != self._serving().lineup:
                self._swap(worker, lineup)
        except (RegistryUnavailable, OSError) as error:
            self._note_away(error)
        self._look_for_challengers()
        self._tell()

    def _look_for_challengers(self) -> None:
        if self._challengers is not None:
            serving = self._serving()
            self._challengers.look_soon(Beside(serving.lineup, serving.engine.served.clip))

    def _run(self, worker: Swaps) -> None:
        next_s = time.monotonic() + self._settings.poll_s
        while not self._stop.is_set():
            rang = self._bell.wait(min(_LISTEN_S, max(0.0, next_s - time.monotonic())))
            try:
                self._note_given_up(worker)
                if rang or time.monotonic() >= next_s:
                    next_s = time.monotonic() + self._settings.poll_s
                    self.look(worker)
                # A challenger is refused between two looks.
                self._tell()
            except Exception:  # noqa: BLE001 - the thread's outermost frame: it must end neither watch nor worker
                _log.exception("registry.look_failed")

    def _wanted(self) -> Lineup:
        """The champions' lineup; in the place of one that is refused stays what serves."""
        if self._registry is None:
            self._registry = Registry(self._settings)
        found = [version for modality in Modality if (version := self._registry.champion(modality)) is not None]
        self._note_away(None)
        self._wants = tuple(_key(version) for version in found)
        parts: dict[Modality, Part] = {}
        # In the order of modalities fusion comes last: it is tried out over the two others.
        for version in found:
            if part := self._part(self._registry, version, parts):
                parts[version.modality] = part
        return Lineup(self._base.base, parts)

    def _part(self, registry: Registry, version: Version, beside: Mapping[Modality, Part]) -> Part | None:
        """A champion's folder, proved; that of the model which serves when it is refused."""
        now = self._now.lineup.parts.get(version.modality) if self._now else None
        key = _key(version)
        if key in self._refused or (now is not None and now.folder.name == key[1]):
            return now
        try:
            return self._proved(registry, version, beside)
        except ModelRefused as error:
            if not self._stop.is_set():
                self._refuse(key, error.message)
            return now

    def _proved(self, registry: Registry, version: Version, beside: Mapping[Modality, Part]) -> Part:
        """Fetched, and loaded once in a child; a mark beside the folder says that it passed."""
        part = Part(version.number, registry.fetch(version, self._shelf.folder))
        mark = part.folder.with_suffix(".tried")
        if mark.exists():
            return part
        if version.modality is Modality.FUSION:
            try_out(Lineup(self._base.base, {**beside, Modality.FUSION: part}), Modality.FUSION, stop=self._stop)
        else:
            try_out(Lineup(_ALONE, {version.modality: part}), version.modality, stop=self._stop)
            mark.touch()
        return part

    def _swap(self, worker: Swaps, lineup: Lineup) -> None:
        started_s = time.monotonic()
        if self._before is not None and self._before.lineup == lineup:
            engine = self._before.engine
        else:
            try:
                engine = self._loaded(lineup)
            except ConfigError as error:
                self._refuse_news(lineup, error.message)
                return
        worker.swap(engine)
        self._before = self._now
        self._take(lineup, engine)
        MODEL_SWAPS.labels("swapped").inc()
        took_s = round(time.monotonic() - started_s, 3)
        _log.info("model.swapped", model_version=engine.served.model_version, took_s=took_s)

    def _loaded(self, lineup: Lineup) -> Engine:
        engine = self._load(lineup)
        size_bytes = engine.served.clip.clip_bytes
        if size_bytes > LARGEST_CLIP_BYTES:
            raise ConfigError(f"its clips have {size_bytes:,} bytes, allowed are {LARGEST_CLIP_BYTES:,}")
        return engine

    def _take(self, lineup: Lineup, engine: Engine) -> None:
        self._now = _Served(lineup, engine)
        self._shelf.keep(lineup)
        self._shelf.prune(lineup, *([self._before.lineup] if self._before else []))

    def _serving(self) -> _Served:
        if self._now is None:
            raise TypeError("first() comes first")
        return self._now

    def _note_given_up(self, worker: Swaps) -> None:
        """The worker left a new engine by itself: what it brought is refused."""
        try:
            engine = worker.given_up.get_nowait()
        except queue.Empty:
            return
        now, before = self._serving(), self._before
        if before is not None and engine is now.engine:
            self._now, self._before = before, None
            self._refuse_news(now.lineup, "it failed on known inputs while it served")
            self._shelf.keep(before.lineup)
            self._look_for_challengers()
            self._tell()

    def _refuse_news(self, lineup: Lineup, reason: str) -> None:
        """Refuse what a lineup brings over the one that serves."""
        serving = self._now.lineup.parts if self._now else {}
        for modality, part in lineup.parts.items():
            if part != serving.get(modality):
                self._refuse((modality, part.folder.name), reason)

    def _refuse(self, key: tuple[Modality, str], reason: str) -> None:
        name = f"{key[0]}:{key[1].partition('-')[0]}"
        self._refused[key] = f"refused {name}: {reason.removeprefix(f'{name}: ')}"
        MODEL_SWAPS.labels("refused").inc()
        _log.error("model.refused", model=name, reason=reason)

    def _note_away(self, error: PlatformError | OSError | None) -> None:
        away = str(error) if error is not None else ""
        if away and not self._away:
            _log.warning("registry.away", reason=away)
        self._away = away
        DEPENDENCY_UP.labels("registry").set(0 if away else 1)
        self._tell()

    def _tell(self) -> None:
        # Well in either case: what served before serves on.
        self._health.set("registry", ok=True, detail=self.problem)


def _key(version: Version) -> tuple[Modality, str]:
    """A version and what its files were when it was registered: the name of its folder."""
    return version.modality, version.folder_name
