"""Knowledge bases: documents read, cut into passages, indexed, searched, and deleted for good."""

from core.knowledge.checking import DocumentFinding, check_documents, instructions_in
from core.knowledge.chunking import Chunk, ChunkConfig, chunk_document
from core.knowledge.covering import check_dataset, dataset_coverage, repair_dataset, start_coverage
from core.knowledge.deleting import clear_index, delete_document, delete_index
from core.knowledge.documents import (
    add_document,
    add_documents,
    current_document,
    default_kb,
    document,
    document_original,
    document_text,
    document_versions,
    documents,
    edit_document,
    knowledge_bases,
    letters_of,
    update_document,
)
from core.knowledge.folders import TakenIn, offered_folders, take_in_folder
from core.knowledge.index import IndexConfig, build_index, config_of, refresh_index, trial_index
from core.knowledge.judging import MEASURES, AskedOf, ModePair, RetrievalReport, judge_search, questions_with_gold
from core.knowledge.lease import Writer, index_writer
from core.knowledge.metadata import kinds_and_tags, unread_of
from core.knowledge.previewing import Preview, preview_document, preview_file
from core.knowledge.readers import document_readers
from core.knowledge.search import (
    Embedded,
    Filter,
    Hit,
    Mode,
    SearchResult,
    chunks_for_quote,
    chunks_of,
    embed_questions,
    get_chunks,
    search,
    search_many,
)
from core.knowledge.sweeping import SweepConfig, SweepMiss, SweepPoint, SweepReport, sweep_search
from core.knowledge.tables import EXACT_UP_TO
from core.knowledge.versions import index_version, index_versions, latest_index, stale_documents

__all__ = [
    "EXACT_UP_TO",
    "MEASURES",
    "AskedOf",
    "Chunk",
    "ChunkConfig",
    "DocumentFinding",
    "Embedded",
    "Filter",
    "Hit",
    "IndexConfig",
    "Mode",
    "ModePair",
    "Preview",
    "RetrievalReport",
    "SearchResult",
    "SweepConfig",
    "SweepMiss",
    "SweepPoint",
    "SweepReport",
    "TakenIn",
    "Writer",
    "add_document",
    "add_documents",
    "build_index",
    "check_dataset",
    "check_documents",
    "chunk_document",
    "chunks_for_quote",
    "chunks_of",
    "clear_index",
    "config_of",
    "current_document",
    "dataset_coverage",
    "default_kb",
    "delete_document",
    "delete_index",
    "document",
    "document_original",
    "document_readers",
    "document_text",
    "document_versions",
    "documents",
    "edit_document",
    "embed_questions",
    "get_chunks",
    "index_version",
    "index_versions",
    "index_writer",
    "instructions_in",
    "judge_search",
    "kinds_and_tags",
    "knowledge_bases",
    "letters_of",
    "latest_index",
    "offered_folders",
    "preview_document",
    "preview_file",
    "questions_with_gold",
    "refresh_index",
    "repair_dataset",
    "search",
    "search_many",
    "stale_documents",
    "start_coverage",
    "sweep_search",
    "take_in_folder",
    "trial_index",
    "unread_of",
    "update_document",
]
