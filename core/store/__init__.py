"""The store: tables, sessions and migrations, on SQLite or PostgreSQL."""

from core.store.database import engine, forget_overwritten, read, reset_engine, write
from core.store.migration import migrate

__all__ = ["engine", "forget_overwritten", "migrate", "read", "reset_engine", "write"]
