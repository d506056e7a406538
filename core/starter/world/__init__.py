"""Worlds of fictional companies: entities, facts, documents, questions and answers."""

from __future__ import annotations

from core.starter.world.engine import generate

__all__ = ["generate"]
