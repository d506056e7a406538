"""Every setting, typed and frozen, from ``KURABE_…`` variables and one optional file ``kurabe.toml``."""

from __future__ import annotations

import logging
import os
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from core.errors import KurabeError

__all__ = ["DATA", "ROOT", "Settings", "reset_settings", "settings"]

ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds ``app.py``."""

DATA = ROOT / "data"
"""What Kurabe ships: ``starter/`` and ``samples/``; the default home lies beside them."""


class Settings(BaseSettings):
    """All settings; each can be given as an environment variable or as a line of ``kurabe.toml``."""

    model_config = SettingsConfigDict(
        env_prefix="KURABE_", env_ignore_empty=True, frozen=True, extra="forbid", validate_default=True
    )

    home: Path = DATA / "workspace"
    """Folder of all run-time files: store, documents, index, jobs, adapters."""
    database_url: SecretStr | None = None
    """SQLAlchemy URL of the store; unset means SQLite in `home`. Secret, because it may hold a password."""
    index_uri: str | None = None
    """Where LanceDB keeps its tables: a folder or ``s3://…``; unset means ``<home>/index``."""
    document_folder: Path | None = None
    """Folder on the server whose documents may be taken in on the documents page; unset offers none."""
    model_url: str | None = None
    """An OpenAI-compatible server used in place of the local host, for example ``http://gpu:8000/v1``."""
    model_key: SecretStr | None = None
    """Key for `model_url`."""
    host_port: int = Field(default=0, ge=0, le=65535)
    """Port of the local host; 0 takes a free one."""
    host_idle_seconds: float = Field(default=900, gt=0)
    """Seconds without a request after which the host frees its weights."""
    host_prompt_limit: int = Field(default=8192, gt=0)
    """Most tokens in a prompt that the host accepts (the model's own context may be shorter)."""
    host_output_limit: int = Field(default=2048, gt=0)
    """Most tokens that the host writes in one answer."""
    base_model: str = "starter"
    """Base model of new projects: ``starter``, a hub id, or a folder."""
    embedder: str = "auto"
    """``auto`` (the best one at hand that reads the project's language), ``none`` (full text only), or a name."""
    reranker: str | None = None
    """Model at `reranker_url` that puts found passages in order; unset orders them by names and numbers."""
    reranker_url: str | None = None
    """A server with ``/rerank`` as vLLM, Jina and Cohere have it; unset means `model_url`."""
    reranker_key: SecretStr | None = None
    """Key for `reranker_url`; unset means `model_key` where that is the same server, and none elsewhere."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where training and the host compute."""
    training_devices: int | None = Field(default=None, ge=1, le=64)
    """How many devices one training may take at once; unset means the GPUs that are found. On a CPU: processes."""
    language: Literal["en", "ja"] | None = None
    """Language of commands, and of pages until a visitor chooses; unset follows the browser or the locale."""
    currency: Literal["USD", "JPY"] = "USD"
    """Currency in which new projects show costs."""
    hub_offline: bool = False
    """Never ask the Hugging Face hub, even where it could be reached."""
    hub_account: str | None = None
    """Account or organisation of the hub to which adapters may be uploaded; unset: nothing is ever uploaded."""
    hub_token_name: str = "HF_TOKEN"
    """Name of the secret that holds the hub's token for uploads."""
    trackers: str = ""
    """Where trainings also report, separated by commas: ``wandb``, ``mlflow``. TensorBoard files are always written."""
    checkpoint_minutes: float = Field(default=10, gt=0)
    """Most minutes of training between two checkpoints: what a killed training loses at most."""
    free_space_floor_mb: int = Field(default=500, ge=0)
    """Free megabytes below which nothing that writes much is started."""
    upload_limit_mb: int = Field(default=200, gt=0)
    """Largest file that a page or command reads."""
    stop_grace_seconds: float = Field(default=30, gt=0)
    """Seconds that a job gets to save after a stop or cancel before it is terminated, and again before it is killed."""
    jobs_per_project: int = Field(default=50, gt=0)
    """Most jobs of one project that may wait or run at once; those that other jobs submit are not counted."""
    project_disk_mb: int = Field(default=200_000, gt=0)
    """Megabytes of job folders above which a project starts nothing new."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severity that reaches the logs."""

    @field_validator("home", "document_folder")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        try:
            return value and value.expanduser().resolve()
        except RuntimeError as error:  # ~somebody whom this machine does not know
            raise ValueError(str(error)) from error

    @field_validator("model_url", "reranker_url")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value

    @field_validator("trackers")
    @classmethod
    def _known_trackers(cls, value: str) -> str:
        unknown = [name for name in _names(value) if name not in ("wandb", "mlflow")]
        if unknown:
            raise ValueError(f"knows wandb and mlflow, not {', '.join(unknown)}")
        return value

    @property
    def tracker_names(self) -> tuple[str, ...]:
        """The names in `trackers`."""
        return _names(self.trackers)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order: arguments, environment, file."""
        file = TomlConfigSettingsSource(settings_cls, toml_file=config_file())
        return init_settings, env_settings, file

    def database(self) -> str:
        """Return the store's SQLAlchemy URL."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.path() / 'kurabe.sqlite'}"

    def index(self) -> str:
        """Return LanceDB's URI."""
        return self.index_uri or str(self.path("index"))

    def path(self, *parts: str) -> Path:
        """Return a folder under `home`, made if it is not there.

        Raises:
            KurabeError: ``settings.home`` if it cannot be made.
        """
        folder = self.home.joinpath(*parts)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise KurabeError("settings.home", folder=str(folder), detail=error.strerror or str(error)) from error
        return folder


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def config_file() -> Path:
    """Return the optional settings file: ``KURABE_CONFIG``, else ``kurabe.toml`` beside ``app.py``."""
    return Path(os.environ.get("KURABE_CONFIG", ROOT / "kurabe.toml"))


def _unknown_variables() -> list[str]:
    """Name ``KURABE_…`` variables that no setting reads: a misspelt one would be ignored in silence."""
    known = {f"KURABE_{name.upper()}" for name in Settings.model_fields} | {"KURABE_CONFIG", "KURABE_TEST_FULL"}
    return sorted(name for name in os.environ if name.startswith("KURABE_") and name.upper() not in known)


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings of this process, read once.

    Raises:
        KurabeError: ``settings.invalid`` with every problem at once; values are never repeated in it.
    """
    problems = _file_problems()
    loaded: Settings | None = None
    try:
        loaded = _WithoutFile() if problems else Settings()
    except ValidationError as error:
        problems += [_problem(item) for item in error.errors(include_url=False, include_input=False)]
    if unknown := _unknown_variables():
        logging.getLogger(__name__).warning("no setting reads %s", ", ".join(unknown))
    if problems or loaded is None:
        raise KurabeError("settings.invalid", problems="; ".join(problems))
    return loaded


class _WithoutFile(Settings):
    """Settings from the environment alone, to find what is wrong there beside a file that cannot be read."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings


def _file_problems() -> list[str]:
    """Return what is wrong with the settings file as such; none is fine, unless one was asked for."""
    file = config_file()
    if not file.exists() and "KURABE_CONFIG" not in os.environ:
        return []
    try:
        tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return [f"{file.name}: {reason}"]
    return []


def _problem(item: Any) -> str:
    name = ".".join(str(part) for part in item["loc"])
    where = config_file().name + ": " + name if item["type"] == "extra_forbidden" else f"KURABE_{name.upper()}"
    return f"{where}: {item['msg']}"


def reset_settings() -> None:
    """Forget the settings that were read, so that a test can set others."""
    settings.cache_clear()
