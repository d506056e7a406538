"""The store: tables, sessions and migrations, on SQLite or PostgreSQL."""

from core.store.database import engine, read, reset_engine, write
from core.store.migration import migrate

__all__ = ["engine", "migrate", "read", "reset_engine", "write"]
