"""The policy file: wrong ones are refused with one line, changed ones are taken without a restart."""

from pathlib import Path

import pytest

from core.errors import ConfigError
from dataflows.policy import BUNDLED, PolicyFile, parse_policy

EMITTED = {"text": ("harmful", "hate", "harassment"), "video": ("violence",), "fusion": ("harmful",)}


def test_the_bundled_policy_fits_the_starter_models() -> None:
    parse_policy(BUNDLED.read_bytes(), origin="bundled").check_models(EMITTED)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("labels:", "labels: ["), "not YAML"),
        (("fusion: auto", "fusion: sometimes"), "fusion"),
        (
            (
                "threshold: 0.5, review: 0.4, action: alert, alone: {video",
                "threshold: 5, review: 0.4, action: alert, alone: {video",
            ),
            "violence",
        ),
        (("review: 0.4", "review: 0.9"), "lies above threshold"),
        (("fight: violence", "fight: fisticuffs"), "unknown label 'fisticuffs'"),
        (("  harmful: {", "  harmless: {"), "'harmful'"),
        (("name: starter", "nom: starter"), "name"),
    ],
)
def test_a_wrong_policy_is_refused_with_one_line_that_names_the_place(change: tuple[str, str], message: str) -> None:
    content = BUNDLED.read_text().replace(*change, 1)

    with pytest.raises(ConfigError) as caught:
        parse_policy(content.encode(), origin="policy.yaml")

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("emitted", "message"),
    [
        ({**EMITTED, "video": ("violence", "gore")}, "'gore'"),
        ({**EMITTED, "video": ("harmful",)}, "'violence'"),
    ],
)
def test_labels_only_one_side_knows_are_refused(emitted: dict[str, tuple[str, ...]], message: str) -> None:
    policy = parse_policy(BUNDLED.read_bytes(), origin="bundled")

    with pytest.raises(ConfigError, match=message):
        policy.check_models(emitted)


def test_a_changed_file_is_taken_and_a_wrong_one_leaves_the_old_in_force(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(BUNDLED.read_bytes())
    file = PolicyFile(path)
    first = file.policy.version

    path.write_text(BUNDLED.read_text() + "\n# another version\n")
    assert file.reload_if_changed()
    second = file.policy.version
    assert second != first

    path.write_text("labels: nothing\n")
    assert not file.reload_if_changed()
    assert file.policy.version == second
    assert "policy.yaml" in (file.problem or "")


def test_a_missing_policy_file_says_which_setting_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="CLIPWARDEN_FLOW__POLICY_FILE"):
        PolicyFile(tmp_path / "none.yaml")
