"""What the base says: what it can read and what can be trained of it."""

from __future__ import annotations

from typing import Any

from core.models import BaseModelInfo
from core.training.config import TrainingConfig, owner_of
from core.training.findings import Finding
from core.training.findings.licences import licence_findings

__all__ = ["base_findings"]


def base_findings(base: BaseModelInfo, config: TrainingConfig, device: str, counts: dict[str, Any]) -> list[Finding]:
    """Say what the base cannot do, what its licence asks, and what follows from the choice of it."""
    found = []
    if base.context_length and counts["longest"] > base.context_length:
        params = {"longest": counts["longest"], "context": base.context_length}
        found.append(Finding("will_not", "longer_than_context", params))
    if base.is_practice:
        found.append(Finding("go", "practice_model", {}))
    if config.plugin.whole and base.facts.get("quantised"):
        found.append(Finding("will_not", "quantised_whole", {"base": base.name}))
    found += licence_findings(base)
    if device == "cpu" and (base.parameters or 0) > 500_000_000:
        found.append(Finding("risky", "slow_on_cpu", {"millions": (base.parameters or 0) // 1_000_000}))
    return [*found, *_choice_findings(base, config)]


def _choice_findings(base: BaseModelInfo, config: TrainingConfig) -> list[Finding]:
    """Say what follows from another base than the project's: the familiar approaches answer with that one."""
    _, project = owner_of(config)
    if project is None or project.base_ref == base.ref:
        return []
    return [Finding("go", "other_base", {"base": base.name, "project_base": project.base_ref})]
