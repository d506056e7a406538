"""What every table shares: column types for ids, UTC times, money and JSON, and who owns and wrote a row."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Integer, MetaData, String, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.identity import actor, new_id, now

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC with microseconds; a naive time is refused rather than guessed."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware time to UTC; SQLite keeps it without its zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs its zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Amount(TypeDecorator[Decimal]):
    """An exact decimal amount, kept as text so that no database rounds it."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Write the digits."""
        return None if value is None else format(Decimal(value), "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """Read the digits."""
        return None if value is None else Decimal(value)


Json = JSON().with_variant(JSONB(), "postgresql")
Large = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """All tables of the store."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {
        dict[str, Any]: Json,
        list[Any]: Json,
        datetime: UtcTime,
        Decimal: Amount,
    }


class Row:
    """Columns of every table: an id in order of creation, when it was written and by whom (the command line too)."""

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[str] = mapped_column(String(200), default=actor)


class Owned(Row):
    """A row that belongs to a project and goes with it."""

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)


class ModelCall:
    """Columns of one call to a model that is kept in full; the row exists before the call."""

    messages: Mapped[list[Any]] = mapped_column(default=list)
    """The exact chat that was sent."""
    status: Mapped[str] = mapped_column(String(10), default="pending")
    """``pending``, ``finished`` or ``failed``."""
    text: Mapped[str] = mapped_column(default="")
    """The model's reply."""
    reasoning: Mapped[str] = mapped_column(default="")
    finish_reason: Mapped[str | None] = mapped_column(String(30))
    error: Mapped[dict[str, Any] | None]
    model: Mapped[str] = mapped_column(String(300), default="")
    prompt_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    seconds: Mapped[float | None]
    cost: Mapped[Decimal | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    cost_basis: Mapped[str | None] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]
