"""Base models, adapters and merged models; the one client that every model call goes through; the local host."""

from core.models.adapters import (
    AdapterFiles,
    adapter,
    adapter_files,
    adapter_folder,
    adapters,
    delete_adapter,
    describe_folder,
    folder_hash,
    merged_folder,
    register_adapter,
    served_names,
    write_adapter_card,
)
from core.models.bases import BaseModelInfo, bases_here, catalogue, remember_base, resolve_base
from core.models.bundles import BUNDLES
from core.models.capabilities import Capabilities, detect
from core.models.client import (
    RETRYABLE,
    ChatChunk,
    ChatRequest,
    ChatResult,
    ModelClient,
    Usage,
)
from core.models.embedders import EmbedderInfo, embedder_for, embedders, find_embedder
from core.models.endpoint import Endpoint
from core.models.files import parameter_count
from core.models.hosting import ensure_host, host_status, stop_host, unload_host
from core.models.hub import DownloadPlan, plan_download

__all__ = [
    "BUNDLES",
    "RETRYABLE",
    "AdapterFiles",
    "BaseModelInfo",
    "Capabilities",
    "ChatChunk",
    "ChatRequest",
    "ChatResult",
    "DownloadPlan",
    "EmbedderInfo",
    "Endpoint",
    "ModelClient",
    "Usage",
    "adapter",
    "adapter_files",
    "adapter_folder",
    "adapters",
    "bases_here",
    "catalogue",
    "delete_adapter",
    "describe_folder",
    "detect",
    "embedder_for",
    "embedders",
    "ensure_host",
    "find_embedder",
    "folder_hash",
    "host_status",
    "merged_folder",
    "parameter_count",
    "plan_download",
    "register_adapter",
    "remember_base",
    "resolve_base",
    "served_names",
    "stop_host",
    "unload_host",
    "write_adapter_card",
]
