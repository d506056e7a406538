"""Base models: the catalogue, what lies on this disk, and the facts about each."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select

from core.errors import KurabeError
from core.models.files import folder_hash, parameter_count
from core.settings import DATA
from core.store import read, write
from core.store import tables as tb

__all__ = ["BaseModelInfo", "bases_here", "catalogue", "remember_base", "resolve_base"]

Thinking = Literal["none", "optional", "always", "unknown"]

_CATALOGUE = Path(__file__).with_name("catalogue.json")


@dataclass(frozen=True, slots=True)
class BaseModelInfo:
    """What is known about a base model; facts read from its own files win over the catalogue."""

    ref: str
    """``starter``, a hub id, or an absolute folder."""
    name: str
    """Short name for lists."""
    folder: Path | None = None
    """Where its files lie; None if they are not on this disk."""
    parameters: int | None = None
    """Number of parameters: counted from the files, or rounded in the catalogue."""
    context_length: int | None = None
    """Most tokens of prompt and answer together."""
    languages: tuple[str, ...] = ()
    """Languages that its authors declare, as two-letter codes; empty if not known."""
    licence: str = ""
    """SPDX id or the licence's own name; empty if not known."""
    gated: bool | None = None
    """Whether the hub asks for consent and a token first; None if not known."""
    thinking: Thinking = "unknown"
    """Whether it thinks aloud before it answers."""
    is_practice: bool = False
    """True for the starter: it shows how approaches differ, not how much they would for you."""
    hash: str = ""
    """Hash of configuration, tokenizer and weights; empty while they are not on this disk."""
    revision: str = ""
    """Commit of the hub, where it came from there."""
    notes: str = ""
    """Catalogue key of a remark, or empty."""
    as_of: str = ""
    """Month or year in which the catalogue's facts were last checked."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Further facts, such as the architecture."""

    @property
    def memory_16bit_gb(self) -> float | None:
        """Least gigabytes to serve it in 16 bit: two bytes a parameter, and a tenth for the rest."""
        return None if self.parameters is None else round(self.parameters * 2.2 / 1e9, 1)

    @property
    def memory_4bit_gb(self) -> float | None:
        """Least gigabytes to serve it in 4 bit (NF4): 0.55 bytes a parameter, a tenth more, and half a gigabyte.

        The half gigabyte stands for embeddings, which stay in 16 bit.
        """
        return None if self.parameters is None else round(self.parameters * 0.605 / 1e9 + 0.5, 1)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values; the folder is left out, since it means nothing on another machine."""
        values = asdict(self)
        values.pop("folder")
        return {**values, "memory_16bit_gb": self.memory_16bit_gb, "memory_4bit_gb": self.memory_4bit_gb}


@lru_cache(maxsize=1)
def _entries() -> tuple[BaseModelInfo, ...]:
    content = json.loads(_CATALOGUE.read_text(encoding="utf-8"))
    return tuple(_entry(row, str(content["as_of"])) for row in content["models"])


def _entry(row: dict[str, Any], as_of: str) -> BaseModelInfo:
    return BaseModelInfo(
        ref=row["ref"],
        name=row.get("name") or row["ref"].rsplit("/", 1)[-1],
        parameters=round(row["billions"] * 1e9) if row.get("billions") else None,
        context_length=row.get("context"),
        languages=tuple(row.get("languages", ())),
        licence=row.get("licence", ""),
        gated=row.get("gated"),
        thinking=row.get("thinking", "unknown"),
        is_practice=row["ref"] == "starter",
        notes=row.get("notes", ""),
        as_of=row.get("as_of", as_of),
    )


def catalogue() -> list[BaseModelInfo]:
    """Return the models that Kurabe knows by name, the starter first; `folder` is set for those on this disk."""
    return [_located(entry) for entry in _entries()]


def _located(entry: BaseModelInfo) -> BaseModelInfo:
    folder = _starter() if entry.is_practice else _cached(entry.ref)
    return entry if folder is None else _with_files(entry, folder)


def resolve_base(ref: str) -> BaseModelInfo:
    """Return the facts about a base model: the starter, a hub id (cached or not), or a local folder.

    Raises:
        KurabeError: ``models.starter_missing``, ``models.unknown`` for neither a folder nor a hub id, or
            ``models.not_a_model`` for a folder without a model in it.
    """
    entry = next((known for known in _entries() if known.ref == ref), None)
    if ref == "starter":
        folder = _starter()
        if folder is None or entry is None:
            raise KurabeError("models.starter_missing", folder=str(Path("data") / "starter"))
        return _with_files(entry, folder)
    path = Path(ref).expanduser()
    if ref and path.is_dir():
        return _with_files(BaseModelInfo(ref=str(path.resolve()), name=path.resolve().name), path.resolve())
    if not _looks_like_hub_id(ref):
        raise KurabeError("models.unknown", ref=ref, known=", ".join(known.ref for known in _entries()[:4]))
    entry = entry or BaseModelInfo(ref=ref, name=ref.rsplit("/", 1)[-1])
    folder = _cached(ref)
    return entry if folder is None else _with_files(entry, folder)


def _looks_like_hub_id(ref: str) -> bool:
    owner, _, name = ref.partition("/")
    return bool(owner and name) and "/" not in name and not ref.startswith((".", "~")) and " " not in ref


def _starter() -> Path | None:
    folder = DATA / "starter"
    return folder if (folder / "config.json").exists() else None


def _cached(ref: str) -> Path | None:
    """Return a hub model's folder in the local cache, if its weights are there too."""
    # Imported here: it takes half a second that a page without models need not wait for.
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(ref, "config.json")
    if not isinstance(found, str):
        return None
    folder = Path(found).parent
    return folder if _complete(folder) else None


def _complete(folder: Path) -> bool:
    """Tell whether every weight file that the index names is there."""
    index = folder / "model.safetensors.index.json"
    if index.exists():
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        return all((folder / name).exists() for name in names)
    return (folder / "model.safetensors").exists()


def _with_files(entry: BaseModelInfo, folder: Path) -> BaseModelInfo:
    """Put what the files say in place of what the catalogue says.

    Raises:
        KurabeError: ``models.not_a_model``.
    """
    config = _config(folder)
    card = _card(folder)
    text = config.get("text_config", config)
    return replace(
        entry,
        folder=folder,
        parameters=parameter_count(folder),
        context_length=text.get("max_position_embeddings") or entry.context_length,
        licence=card.get("licence") or entry.licence,
        languages=tuple(card.get("languages", ())) or entry.languages,
        thinking=_thinking(folder) if entry.thinking == "unknown" else entry.thinking,
        hash=folder_hash(folder),
        revision=folder.name if folder.parent.name == "snapshots" else "",
        facts={
            "architecture": next(iter(config.get("architectures") or []), ""),
            "type": config.get("model_type"),
            "quantised": (config.get("quantization_config") or {}).get("quant_method", ""),
        },
    )


def _config(folder: Path) -> dict[str, Any]:
    missing = [name for name in ("config.json", "tokenizer.json") if not (folder / name).exists()]
    if missing or not _complete(folder):
        needed = ", ".join(missing) or "*.safetensors"
        raise KurabeError("models.not_a_model", folder=folder.name, missing=needed)
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise KurabeError("models.not_a_model", folder=folder.name, missing="config.json") from error
    return config


def _card(folder: Path) -> dict[str, Any]:
    """Return what ``kurabe.json`` beside the weights declares: licence and languages."""
    try:
        card: dict[str, Any] = json.loads((folder / "kurabe.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return card


def _thinking(folder: Path) -> Thinking:
    """Tell from the chat template whether thinking can be switched on or off."""
    for name in ("chat_template.jinja", "tokenizer_config.json"):
        file = folder / name
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        if "enable_thinking" in text:
            return "optional"
        if "<think>" in text:
            return "always"
    return "none"


def remember_base(info: BaseModelInfo) -> tb.BaseModel:
    """Store the facts of a resolved base, so that results can name exactly what they rest on; twice changes nothing."""
    with write() as session:
        query = select(tb.BaseModel).where(tb.BaseModel.ref == info.ref, tb.BaseModel.hash == info.hash)
        if (row := session.scalar(query)) is None:
            row = tb.BaseModel(ref=info.ref, hash=info.hash, facts=info.as_dict())
            session.add(row)
    return row


def bases_here() -> list[BaseModelInfo]:
    """Return the bases whose files are on this disk: those of the catalogue, then others that trainings rested on."""
    found = {info.ref: info for info in catalogue() if info.folder is not None}
    with read() as session:
        used = list(session.scalars(select(tb.BaseModel.ref).order_by(tb.BaseModel.id.desc())))
    for ref in dict.fromkeys(used):
        if ref not in found:
            with suppress(KurabeError):  # its files were removed since
                info = resolve_base(ref)
                if info.folder is not None:
                    found[ref] = info
    return list(found.values())
