"""``python -m core reference``: the pages docs/reference.*.md, made from the code and the catalogues."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from core.approaches import PRESETS
from core.cli._output import command, progress_line
from core.decision import CRITERIA
from core.i18n import LANGUAGES, Language, t
from core.identity import atomic_write
from core.measures import METRICS
from core.settings import ROOT, Settings
from core.training import METHODS, OBJECTIVES

__all__ = ["reference", "register"]


def reference(code: Language) -> str:
    """Return the reference of approaches, metrics, criteria, training methods and settings in one language."""
    parts = [f"# {t('cli.reference.title', code)}", t("cli.reference.intro", code)]
    parts += _section("approaches", [(f"`{n}`", f"approaches.preset.{n}") for n in PRESETS], code)
    parts += _section("metrics", [(f"`{n}`", f"measures.metric.{n}") for n in METRICS.names()], code)
    parts += _section("criteria", [(f"`{n}`", f"decision.criterion.{n}") for n in CRITERIA.names()], code)
    parts += _section("methods", [(f"`{n}`", f"training.method.{n}") for n in METHODS.names()], code)
    parts += _section("objectives", [(f"`{n}`", f"training.objective.{n}") for n in OBJECTIVES.names()], code)
    parts.append(f"## {t('cli.reference.settings', code)}")
    parts.append(t("cli.reference.settings.text", code))
    parts.append(_settings(code))
    return "\n\n".join(parts) + "\n"


def _section(name: str, entries: list[tuple[str, str]], code: Language) -> list[str]:
    rows = [f"- {mark} **{t(key, code)}**: {t(f'{key}.help', code)}" for mark, key in entries]
    return [f"## {t(f'cli.reference.{name}', code)}", "\n".join(rows)]


def _settings(code: Language) -> str:
    """Return a table of every setting with its default and its meaning."""
    rows = [
        " | ".join(t(f"cli.reference.{name}", code) for name in ("variable", "default", "meaning")),
        "--- | --- | ---",
    ]
    for name, field in Settings.model_fields.items():
        rows.append(f"`KURABE_{name.upper()}` | {_default(field.default)} | {t(f'settings.{name}', code)}")
    return "\n".join(f"| {row} |" for row in rows)


def _default(value: Any) -> str:
    if isinstance(value, Path):
        value = value.relative_to(ROOT) if value.is_relative_to(ROOT) else value
    return "" if value is None else f"`{value}`"


def register(app: typer.Typer) -> None:
    """Add the command to the root."""

    @command(app, "reference")
    def write_reference(
        folder: Annotated[Path, typer.Option(help="Where to write.")] = ROOT / "docs",
    ) -> None:
        """Write the reference pages anew after a change."""
        for code in LANGUAGES:
            file = folder / f"reference.{code}.md"
            atomic_write(file, reference(code))
            progress_line(str(file))
