"""`python -m core.worker JOB_ID`: take a claimed job over, see it through, then tick."""

from __future__ import annotations

import logging
import os
import sys

from core.errors import KurabeError
from core.identity import process_identity
from core.jobs.kinds import load_kind_modules
from core.jobs.processes import TOKEN_VARIABLE
from core.jobs.queue import take_over
from core.jobs.ticking import tick
from core.settings import settings
from core.worker.supervisor import Supervisor


def main(job_id: str) -> int:
    """Run one job; returns 0 once its end is recorded, 3 if the job is not this worker's any more."""
    logging.basicConfig(level=settings().log_level, format="%(asctime)s %(name)s %(message)s", stream=sys.stderr)
    token = os.environ.get(TOKEN_VARIABLE)
    if not token:
        sys.stderr.write("a worker is started by the queue; use: python -m core jobs tick\n")
        return 2
    load_kind_modules()
    job = take_over(job_id, token, process_identity())
    if job is None:
        return 3  # claimed again meanwhile: another worker has it
    Supervisor(job, token).run()
    try:
        tick()
    except KurabeError:
        logging.getLogger(__name__).exception("tick failed; the next one tries again")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
