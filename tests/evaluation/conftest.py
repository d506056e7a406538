"""Fixtures of the room."""

from tests.approaches.serving import adapter_id, host, served

__all__ = ["adapter_id", "host", "served"]
