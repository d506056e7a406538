"""All tables of the store, one file a room."""

from core.store.tables._base import Amount, Base, ModelCall, UtcTime
from core.store.tables.datasets import (
    Dataset,
    DatasetVersion,
    Draft,
    DraftCall,
    Drafting,
    Example,
    KnownCall,
    KnownRun,
)
from core.store.tables.evaluation import (
    Answer,
    Approach,
    Experiment,
    ExperimentCase,
    ExperimentResult,
    Judgement,
    Judging,
    Score,
)
from core.store.tables.jobs import Job
from core.store.tables.knowledge import Document, IndexLease, IndexVersion, KnowledgeBase
from core.store.tables.models import Adapter, BaseModel, PriceBook
from core.store.tables.projects import Decision, Project, Vote
from core.store.tables.training import TrainingProbe, TrainingRun

__all__ = [
    "Adapter",
    "Amount",
    "Answer",
    "Approach",
    "Base",
    "BaseModel",
    "Dataset",
    "DatasetVersion",
    "Decision",
    "Document",
    "Draft",
    "DraftCall",
    "Drafting",
    "Example",
    "Experiment",
    "ExperimentCase",
    "ExperimentResult",
    "IndexLease",
    "IndexVersion",
    "Job",
    "Judgement",
    "Judging",
    "KnowledgeBase",
    "KnownCall",
    "KnownRun",
    "ModelCall",
    "PriceBook",
    "Project",
    "Score",
    "TrainingProbe",
    "TrainingRun",
    "UtcTime",
    "Vote",
]
