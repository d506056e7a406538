"""``python -m core.host [--home DIR] [--port N]``: serve this home's models on loopback until told to stop."""

from __future__ import annotations

import argparse
import logging
import os
import sys


def main() -> int:
    """Read the arguments, take the home's lock and serve; exit code 3 means that a host already runs."""
    parser = argparse.ArgumentParser(prog="python -m core.host", description="Serve this home's models on loopback.")
    parser.add_argument("--home", help="folder of run-time files (default: KURABE_HOME)")
    parser.add_argument("--port", type=int, help="port (default: KURABE_HOST_PORT, or a free one)")
    arguments = parser.parse_args()
    # The settings are read from the environment, here and in everything that the host imports.
    if arguments.home:
        os.environ["KURABE_HOME"] = arguments.home
    if arguments.port is not None:
        os.environ["KURABE_HOST_PORT"] = str(arguments.port)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Waiting threads must not spin: beside any other work they would slow the one thread they wait for.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from core.errors import KurabeError
    from core.host.serving import serve
    from core.i18n import describe
    from core.settings import settings

    try:
        logging.basicConfig(level=settings().log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        serve()
    except KurabeError as error:
        sys.stderr.write("\n".join((error.code, *describe(error))) + "\n")
        return 3 if error.code == "host.running" else 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
