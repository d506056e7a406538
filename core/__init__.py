"""Kurabe measures, on a team's own data, whether to fine-tune a model, retrieve documents, do both or neither."""

__version__ = "0.1.0"
