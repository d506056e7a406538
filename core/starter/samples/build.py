"""Writes the sample folders: documents in three versions, rows, project.json and a page that explains them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from core.starter.samples.company import Company, Document, make_company, make_documents
from core.starter.samples.files import render
from core.starter.samples.rows import PER_SLICE, SLICES, Splits, make_rows

LANGUAGES = ("en", "ja")

_README = """# {name}

{description}

Made by `python -m core.starter samples` (seed {seed}); every file can be remade from it, byte for byte.

| | |
|---|---|
| `documents/` | {documents} documents as they are now |
| `documents_v1/` | how {first} of them were when the training data was written |
| `documents_v2/` | how {second} of them will be next: to show "edit a document, ask again" |
| `train.jsonl` | {train} chat rows: {taught} taught facts in {phrasings} phrasings each, of which {changed} have changed since; \
ticket, triage and unanswerable rows |
| `validation.jsonl`, `test.jsonl` | {validation} and {test} questions with reference answer, value, source and slice |

Slices: `taught` (training taught the fact, the documents hold it too) · `documents_only` · `changed` (training taught
the old value) · `absent` (in no document) · `format` (an inquiry of the ticket system wants JSON) · `triage` (an
inquiry wants a category code by a convention that no document states).
"""


def build_samples(out: Path) -> list[Path]:
    """Write the sample of every language below ``out``, replacing what is there.

    Args:
        out: Folder of the samples, such as ``data/samples``.

    Returns:
        The samples' folders.
    """
    return [build_sample(language, out) for language in LANGUAGES]


def build_sample(language: str, out: Path) -> Path:
    """Write one sample."""
    company = make_company(language)
    splits = make_rows(company)
    folder = out / company.texts.folder
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    counts = {"documents": _write(company, splits.documents, folder / "documents")}
    for name, values in (("documents_v1", splits.old), ("documents_v2", splits.new)):
        versions = make_documents(company, values)
        touched = {d.name for d in versions if values.keys() & d.quotes.keys()}
        counts[name] = _write(company, [d for d in versions if d.name in touched], folder / name)
    for split in ("train", "validation", "test"):
        lines = [json.dumps(row, ensure_ascii=False) for row in getattr(splits, split)]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _describe(company, splits, counts, folder)
    return folder


def _write(company: Company, documents: list[Document], folder: Path) -> int:
    folder.mkdir()
    for document in documents:
        (folder / document.name).write_bytes(render(document, company.language, company.texts.table_head))
    return len(documents)


def _describe(company: Company, splits: Splits, counts: dict[str, int], folder: Path) -> None:
    texts = company.texts
    project = {
        "name": texts.name,
        "language": company.language,
        "description": texts.description,
        "instructions": texts.instructions,
        "house_rules": texts.house_rules,
        "primary_metric": "correct",
        "ticket": {"tag": texts.ticket.strip(), "keys": list(texts.ticket_keys)},
        "triage": {"tag": texts.triage.strip(), "categories": sorted(texts.codes.values())},
        "slices": list(SLICES),
        "seed": company.seed,
    }
    text = json.dumps(project, ensure_ascii=False, indent=2) + "\n"
    (folder / "project.json").write_text(text, encoding="utf-8")
    facts = {row["metadata"]["fact"] for row in splits.train if "fact" in row["metadata"]}
    text = _README.format(
        name=texts.name,
        description=texts.description,
        seed=company.seed,
        documents=counts["documents"],
        first=counts["documents_v1"],
        second=counts["documents_v2"],
        train=len(splits.train),
        taught=len(facts),
        changed=len(splits.old),
        phrasings=5,
        validation=PER_SLICE["validation"] * len(SLICES),
        test=PER_SLICE["test"] * len(SLICES),
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
