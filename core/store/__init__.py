"""The store: tables, sessions and migrations, on SQLite or PostgreSQL."""

from core.store.database import engine, forget_overwritten, look_up, read, reset_engine, write
from core.store.migration import migrate

__all__ = ["engine", "forget_overwritten", "look_up", "migrate", "read", "reset_engine", "write"]
