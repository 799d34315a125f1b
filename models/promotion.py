"""A trained folder → a registered version; a version → the champion, past its gate or not at all."""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from core.errors import ConfigError, ModelRefused
from core.labels import Modality
from models.artifacts import check_folder
from models.bundle import load_bundle
from models.gates import failures
from models.networks.loading import fingerprint
from models.registry import Registry, Run, Version
from models.serving.golden import alone, check_finite, write_golden

LOOKS = "gate_looks"
"""The tag in which every look at the gate split is noted."""
LABELS = "labels"
"""The tag with what a version emits, separated by commas."""
_PARTNERS = (Modality.TEXT, Modality.VIDEO)

Misfit = Callable[[Mapping[str, tuple[str, ...]]], str]
"""What decisions make of the labels that each modality emits: why they do not fit, or nothing."""


def register(registry: Registry, folder: Path, *, modality: Modality, run: Run, max_bytes: int) -> Version:
    """Prove that a folder loads, note what it computes for known inputs, and make it a version.

    Raises:
        ModelRefused: the folder holds more than a model.
        ConfigError: it cannot be served.
        RegistryUnavailable: nothing was registered, or a run without a version.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder; name the folder of one model")
    check_folder(folder, max_bytes=max_bytes)
    with tempfile.TemporaryDirectory(prefix="clipwarden-register-") as name:
        staged = Path(name) / modality
        shutil.copytree(folder, staged)
        if modality is Modality.FUSION:
            for partner in _PARTNERS:
                (Path(name) / partner).symlink_to(folder.resolve().parent / partner)
        bundle = load_bundle(Path(name))
        network = getattr(bundle, modality)
        if network is None:
            raise ConfigError(f"{folder} was not trained over the text/ and video/ beside it; train fusion again")
        check_finite(network)
        write_golden(alone(bundle, modality), staged)
        made = registry.register(staged, modality=modality, run=run)
        registry.note(made, LABELS, ",".join(bundle.served.labels[modality]))
        return registry.version(modality, made.number)


def promote(
    registry: Registry,
    version: Version,
    *,
    base: Path,
    cache: Path,
    now: datetime,
    misfit: Misfit = lambda _: "",
) -> None:
    """Make a version the champion if it passes its gate; each look is noted with the version.

    Args:
        registry: holds figures, aliases and files.
        version: the candidate.
        base: what serves where there is no champion.
        cache: where versions are downloaded to, to be checked.
        now: of the look.
        misfit: asked of the labels served with it; a version that breaks what fits now is refused.

    Raises:
        ModelRefused: it does not pass, and by how much; or it is not what was registered.
    """
    champion = registry.champion(version.modality)
    found = failures(version.modality, version.measured, champion.measured if champion else None)
    if not found:
        folder = registry.fetch(version, cache)
        found = _strangers(registry, folder, base=base, cache=cache) if version.modality is Modality.FUSION else []
        found += _misfits(registry, version, base=base, misfit=misfit)
    registry.note(version, LOOKS, f"{now.isoformat(timespec='seconds')} {'; '.join(found) or 'passed'}")
    if found:
        raise ModelRefused(f"{version} stays what it is: {'; '.join(found)}")
    registry.promote(version)


def _misfits(registry: Registry, version: Version, *, base: Path, misfit: Misfit) -> list[str]:
    """Why decisions would not know what to do with its labels, where they know it of those served now."""
    served = dict(load_bundle(base).served.labels)
    for modality in Modality:
        served |= _emitted(registry.champion(modality))
    reason = misfit(served | _emitted(version))
    return [reason] if reason and not misfit(served) else []


def _emitted(version: Version | None) -> dict[str, tuple[str, ...]]:
    if version is None or LABELS not in version.tags:
        return {}
    return {version.modality.value: tuple(version.tags[LABELS].split(","))}


def _strangers(registry: Registry, folder: Path, *, base: Path, cache: Path) -> list[str]:
    """Which champions beside a fusion model are not those it was trained over: it would be left out."""
    over = json.loads((folder / "config.json").read_bytes()).get("trained_over", {})
    found = []
    for partner in _PARTNERS:
        champion = registry.champion(partner)
        beside = registry.fetch(champion, cache) if champion else base / partner
        if over.get(partner.value) != fingerprint(beside):
            found.append(f"it was trained over another {partner} model than {champion or beside}: train it again")
    return found
