"""A small project with real parts: documents, an index, questions of every kind; the starter answers."""

from __future__ import annotations

import json

from core import datasets, knowledge
from core.store import tables as tb
from core.store import write

PRODUCTS = {
    "Amber Kettle": ("24 months", "59 dollars", "Oslo"),
    "Birch Lamp": ("36 months", "129 dollars", "Lyon"),
    "Cedar Fan": ("12 months", "89 dollars", "Porto"),
    "Delta Press": ("6 months", "240 dollars", "Turin"),
    "Ember Grill": ("48 months", "310 dollars", "Graz"),
    "Fjord Mixer": ("18 months", "75 dollars", "Bergen"),
}
SENTENCES = (
    "The warranty period of the {name} is {0}.",
    "The price of the {name} is {1}.",
    "The {name} is made in {2}.",
)
QUESTIONS = (
    "How long is the warranty of the {name}?",
    "What does the {name} cost?",
    "Where is the {name} made?",
)
SLICES = ("warranty", "price", "origin")


def rows(*, only_test: bool = False) -> list[dict[str, object]]:
    """Two training questions and one test question a product, and test questions without an answer.

    With `only_test` all 24 are test questions.
    """
    made: list[dict[str, object]] = []
    for number, (name, values) in enumerate(PRODUCTS.items()):
        for which, value in enumerate(values):
            sentence = SENTENCES[which].format(*values, name=name)
            made.append(
                {
                    "id": f"{name}-{which}",
                    "question": QUESTIONS[which].format(name=name),
                    "answer": sentence,
                    "value": value,
                    "slice": SLICES[which],
                    "split": "test" if only_test or which == number % 3 else "train",
                    "gold": [{"document": f"{name}.md", "quote": sentence}],
                    "expects": {},
                }
            )
        made.append(
            {
                "id": f"{name}-absent",
                "question": f"What is the noise level of the {name}?",
                "answer": "I could not find that in the documents.",
                "slice": "absent",
                "split": "test",
                "gold": [],
                "expects": {"abstain": True},
            }
        )
    return made


def make_project(*, index: bool = True, only_test: bool = False) -> tb.Project:
    """A project with documents, questions and (by words alone, so that no model is needed) an index."""
    project = tb.Project(name="Shop", language="en", instructions="Answer the customer's question.")
    with write() as session:
        session.add(project)
    data = "\n".join(json.dumps(row) for row in rows(only_test=only_test)).encode()
    datasets.import_file(project.id, data, "questions.jsonl")
    kb = knowledge.default_kb(project.id)
    for name, values in PRODUCTS.items():
        text = f"# {name}\n\n" + " ".join(s.format(*values, name=name) for s in SENTENCES) + "\n"
        knowledge.add_document(kb.id, f"{name}.md", text.encode())
    if index:
        knowledge.build_index(kb.id, knowledge.IndexConfig(embedder="none"))
    return project
