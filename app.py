"""Kurabe's entry: ``streamlit run app.py``. The pages' shell is ``core/ui/shell.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:  # the script is core/ui/shell.py, so Python would look for `core` beside it
    sys.path.insert(0, str(ROOT))

from core.ui.downloads import downloads  # noqa: E402
from core.ui.server import SECURITY_HEADERS, healthz, lifespan  # noqa: E402

app = st.App(
    ROOT / "core" / "ui" / "shell.py",
    lifespan=lifespan,
    routes=[healthz, downloads],
    middleware=[SECURITY_HEADERS],
)
