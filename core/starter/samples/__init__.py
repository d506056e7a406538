"""The two sample projects: fictional companies whose documents, training rows and questions are generated."""

from __future__ import annotations

from core.starter.samples.build import LANGUAGES, build_samples
from core.starter.samples.company import Company, make_company

__all__ = ["LANGUAGES", "Company", "build_samples", "make_company"]
