"""Training: methods, configurations, rows, preflight and runs; the trainer itself is a process of its own."""

from core.training.assigning import assigned
from core.training.card import model_card
from core.training.config import PRESETS, ROW_STYLES, TrainingConfig
from core.training.device import device_count
from core.training.exporting import export_adapter, export_kit
from core.training.findings import Finding
from core.training.glance import TokenView, bases_with_tokenizer, token_view
from core.training.groups import GroupPoint, RunGroup, run_group
from core.training.importing import import_adapter
from core.training.launching import launch_spec, processes_of
from core.training.lineage import Lineage, approaches_with, lineage
from core.training.methods import METHODS, Method, build_method
from core.training.objectives import OBJECTIVES, Objective, build_objective
from core.training.outlook import Preflight, preflight
from core.training.probing import PROBE_STEPS, newest_probe, start_probe
from core.training.publishing import start_upload
from core.training.record import RunRecord, record_told, run_record
from core.training.registry import (
    RunComparison,
    archive_run,
    compare_runs,
    delete_run,
    demote_run,
    note_run,
    promote_run,
    promoted_adapter,
    rename_run,
    reproduce,
    unarchive_run,
)
from core.training.rows import ListedRow, PreparedRow, PreparedRows, prepare_rows
from core.training.running import (
    RunView,
    adapters,
    curve_series,
    listed_rows,
    require_libraries,
    run_named,
    run_view,
    runs,
    seed_series,
    start_learning_curve,
    start_merge,
    start_seeds,
    start_training,
)
from core.training.telling import numbers_told
from core.training.words import outcome_text, setting_name, setting_text

__all__ = [
    "Finding",
    "GroupPoint",
    "Lineage",
    "ListedRow",
    "METHODS",
    "Method",
    "OBJECTIVES",
    "Objective",
    "PRESETS",
    "PROBE_STEPS",
    "Preflight",
    "PreparedRow",
    "PreparedRows",
    "ROW_STYLES",
    "RunComparison",
    "RunGroup",
    "RunRecord",
    "RunView",
    "TokenView",
    "TrainingConfig",
    "adapters",
    "approaches_with",
    "archive_run",
    "bases_with_tokenizer",
    "assigned",
    "build_method",
    "build_objective",
    "compare_runs",
    "curve_series",
    "delete_run",
    "device_count",
    "demote_run",
    "export_adapter",
    "export_kit",
    "import_adapter",
    "launch_spec",
    "lineage",
    "listed_rows",
    "model_card",
    "newest_probe",
    "note_run",
    "numbers_told",
    "outcome_text",
    "preflight",
    "processes_of",
    "prepare_rows",
    "promote_run",
    "promoted_adapter",
    "record_told",
    "rename_run",
    "reproduce",
    "require_libraries",
    "run_group",
    "run_record",
    "run_named",
    "run_view",
    "runs",
    "seed_series",
    "setting_name",
    "setting_text",
    "start_learning_curve",
    "start_merge",
    "start_probe",
    "start_seeds",
    "start_training",
    "token_view",
    "start_upload",
    "unarchive_run",
]
