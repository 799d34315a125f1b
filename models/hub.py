"""A model's folder with its card → a repository of a model hub; beside the path."""

import warnings
from pathlib import Path
from typing import NoReturn

from huggingface_hub import HfApi, constants, get_session
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from huggingface_hub.utils.tqdm import disable_progress_bars

from core.errors import ConfigError, HubUnavailable, ModelRefused
from core.settings import HubSettings
from models.artifacts import check_folder

CARD = "README.md"
_REFUSED = (401, 403)
_HTTP_ERROR: type[Exception] = HfHubHTTPError.__mro__[1]
"""The base of whatever the client's own HTTP library raises; which library that is changes between versions."""


def push(folder: Path, *, repo: str, private: bool, settings: HubSettings, max_bytes: int) -> str:
    """Make the repository if it is not there, and the folder's files one commit of it; returns the commit's address.

    Files of the repository that the folder does not have stay. An existing repository stays as private as it is.

    Args:
        folder: of one model: safetensors, text files, a card.
        repo: `owner/name`.
        private: whether a new repository is seen by its owner alone.
        settings: the hub and its token; the token is in no error.
        max_bytes: of the whole folder.

    Raises:
        ModelRefused: the folder holds more than a model, or no card; nothing was sent.
        ConfigError: no token, the hub refuses it, or the repository's name is none.
        HubUnavailable: the hub does not answer or failed; the commit is whole or not there.
    """
    token = settings.token.get_secret_value()
    if not token:
        raise ConfigError("no token for the model hub: set CLIPWARDEN_HUB__TOKEN to one that may write")
    if repo.count("/") != 1:
        raise ConfigError(f"{repo!r} names no repository; give --repo owner/name")
    _check(folder, max_bytes)
    api = _client(settings, token)
    try:
        # Of its messages on the card's metadata; what it refuses, it raises.
        with warnings.catch_warnings(action="ignore"):
            api.create_repo(repo, private=private, exist_ok=True)
            commit = api.upload_folder(repo_id=repo, folder_path=folder, commit_message=f"Upload {folder.name}")
    except HFValidationError as error:
        raise ConfigError(f"{repo!r} names no repository; give --repo owner/name") from error
    except (_HTTP_ERROR, OSError, ValueError, RuntimeError) as error:
        _refuse(api.endpoint, token, error)
    return str(commit.commit_url)


def _check(folder: Path, max_bytes: int) -> None:
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder; name the folder of one model")
    check_folder(folder, max_bytes=max_bytes)
    card = folder / CARD
    if not card.is_file() or not card.read_text("utf-8", errors="replace").strip():
        raise ModelRefused(f"{folder} has no card; describe the model in {CARD}, as clipwarden train does")


def _client(settings: HubSettings, token: str) -> HfApi:
    disable_progress_bars()
    if settings.endpoint:
        # The newer upload protocol needs a second service that only the library's own hub has.
        constants.HF_HUB_DISABLE_XET = True
    # The client would wait for ever.
    get_session().timeout = settings.request_timeout_s
    return HfApi(endpoint=settings.endpoint or None, token=token)


def _refuse(endpoint: str, token: str, error: Exception) -> NoReturn:
    """One line without the token; the library's errors may hang together, the cause is the one with an answer."""
    cause: BaseException = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error
    line = " ".join(str(cause).split()).replace(token, "***")[:300] or type(cause).__name__
    if isinstance(cause, HfHubHTTPError) and cause.response.status_code in _REFUSED:
        raise ConfigError(f"{endpoint} refuses the token or the repository ({line}); see CLIPWARDEN_HUB__TOKEN")
    raise HubUnavailable(f"{endpoint}: {line}")
