"""What builds that were killed, trials and deletions left behind: removed by the next one that may write."""

from __future__ import annotations

from sqlalchemy import delete, select

from core.knowledge.documents import remove_erased_originals
from core.knowledge.lease import Lease, end_lease, is_free
from core.knowledge.tables import drop_table, table_names
from core.store import read, write
from core.store import tables as tb

__all__ = ["remove_leftovers"]


def remove_leftovers(kb_id: str, lease: Lease) -> None:
    """Remove unfinished versions that nobody builds any more, and the tables of deleted ones.

    Args:
        kb_id: Knowledge base.
        lease: Held on its index: whatever else is unfinished there was begun under a lease that is over.
    """
    with read() as session:
        rows = list(session.scalars(select(tb.IndexVersion).where(tb.IndexVersion.knowledge_base_id == kb_id)))
        if not lease.held(session):  # asked after the rows were read: somebody else's may be among them
            return
    at_work = {lease.id, *_trials_at_work(kb_id)}
    passing = [row for row in rows if row.deleted_at is None and (not row.ready or row.config.get("trial"))]
    dead = [row for row in passing if row.builder.get("lease") not in at_work]
    there = set(table_names())
    for row in [*dead, *(row for row in rows if row.deleted_at is not None)]:
        if row.table_name in there:
            drop_table(row.table_name)
    with write() as session:
        session.execute(delete(tb.IndexVersion).where(tb.IndexVersion.id.in_([row.id for row in dead])))
    remove_erased_originals(kb_id)


def _trials_at_work(kb_id: str) -> list[str]:
    """Return the leases of trials at work; those of killed ones are ended, so that none of them comes back.

    One that was late and is renewed before its end is at work.
    """
    query = select(tb.IndexLease).where(tb.IndexLease.knowledge_base_id == kb_id, tb.IndexLease.purpose == "trial")
    with read() as session:
        held = list(session.scalars(query))
    with write() as session:
        over = {each.id for each in held if is_free(each) and end_lease(session, each)}
    return [each.id for each in held if each.id not in over]
