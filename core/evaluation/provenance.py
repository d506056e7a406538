"""What an experiment ran on: versions, machine, weights; enough to tell two runs apart."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil

from core import __version__
from core.approaches import Parts
from core.identity import actor, content_hash
from core.prices import local_device, price_book
from core.settings import settings
from core.store import tables as tb

_LIBRARIES = ("torch", "transformers", "peft", "lancedb", "openai", "scipy", "statsmodels", "sacrebleu", "genai-prices")


def surroundings() -> dict[str, Any]:
    """What answers depend on beside question, approach and data: software, machine, and which servers are asked.

    Servers are kept as a hash: an address may hold a password.
    """
    device, used = local_device(), settings()
    return {
        "kurabe": __version__,
        "python": platform.python_version(),
        "libraries": {name: found for name in _LIBRARIES if (found := _version(name))},
        "machine": {
            "system": platform.system(),
            "processor": platform.machine(),
            "cores": psutil.cpu_count(logical=False) or psutil.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
            "device": device.label or device.name,
        },
        "servers": content_hash([used.model_url, used.reranker, used.reranker_url, used.host_prompt_limit]),
    }


def provenance(experiment: tb.Experiment, parts: Iterable[Parts]) -> dict[str, Any]:
    """Facts about software, machine, weights and prices at the end of a run."""
    return {
        **surroundings(),
        "weights": {p.spec.model.served_name: p.model_hash for p in parts},
        "prices": price_book().version,
        "dataset_version_id": experiment.dataset_version_id,
        "index_version_id": experiment.config.get("index_version_id"),
        "actor": actor(),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
