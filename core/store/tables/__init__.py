"""All tables of the store, one file a room."""

from core.store.tables._base import Base
from core.store.tables.datasets import Dataset, DatasetVersion, Example
from core.store.tables.evaluation import Answer, Approach, Experiment, Judgement, Judging, Score
from core.store.tables.jobs import Job
from core.store.tables.knowledge import Document, IndexVersion, KnowledgeBase
from core.store.tables.models import Adapter, BaseModel, PriceBook
from core.store.tables.projects import Decision, Project, Vote
from core.store.tables.training import TrainingRun

__all__ = [
    "Adapter",
    "Answer",
    "Approach",
    "Base",
    "BaseModel",
    "Dataset",
    "DatasetVersion",
    "Decision",
    "Document",
    "Example",
    "Experiment",
    "IndexVersion",
    "Job",
    "Judgement",
    "Judging",
    "KnowledgeBase",
    "PriceBook",
    "Project",
    "Score",
    "TrainingRun",
    "Vote",
]
