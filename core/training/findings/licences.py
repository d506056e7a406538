"""What licences ask: the base's, which also binds what is trained from it, and the data's."""

from __future__ import annotations

from core.datasets import licence_of
from core.models import BaseModelInfo
from core.training.config import TrainingConfig, owner_of
from core.training.findings import Finding

__all__ = ["data_licence", "data_licence_findings", "licence_findings"]

_OPEN = ("apache", "mit", "bsd", "cc0", "cc-by-4", "cc-by-sa", "isc", "unlicense")
"""How the names of licences begin that let one use, change and hand on; anything else has terms of its own."""


def licence_findings(base: BaseModelInfo) -> list[Finding]:
    """Say what the licence asks of those who train from the base, and whether its hub lets everybody have it."""
    params = {"base": base.name, "licence": base.licence}
    name = base.licence.lower()
    found = []
    if not name:
        found.append(Finding("risky", "licence_unknown", {"base": base.name}))
    elif _private(name):
        found.append(Finding("risky", "licence_private", params))
    elif not name.startswith(_OPEN):
        found.append(Finding("go", "licence_terms", params))
    if base.gated:
        found.append(Finding("go", "gated", {"base": base.name}))
    return found


def data_licence(config: TrainingConfig) -> str:
    """Return the licence of the dataset version; empty if nobody has said it."""
    version, _ = owner_of(config)
    return licence_of(version) if version else ""


def data_licence_findings(config: TrainingConfig) -> list[Finding]:
    """Say what the data's licence asks.

    Unknown is no risk to the run itself, and rows that a team wrote of its own often have none: it is said and does
    not hold anybody up.
    """
    licence = data_licence(config)
    if not licence:
        return [Finding("go", "data_licence_unknown", {})]
    params = {"licence": licence}
    if _private(licence):
        return [Finding("risky", "data_licence_private", params)]
    known = all(part.strip().lower().startswith(_OPEN) for part in licence.split("+"))
    return [] if known else [Finding("go", "data_licence_terms", params)]


def _private(licence: str) -> bool:
    """Tell whether a licence's name says that it keeps commerce out."""
    name = licence.lower()
    return "-nc" in name or "non-commercial" in name or "noncommercial" in name
