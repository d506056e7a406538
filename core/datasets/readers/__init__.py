"""Dataset readers, one file a format: each streams rows and names every row that it cannot read."""

from core.datasets.readers._base import Reader, Source, reader_for, readers

__all__ = ["Reader", "Source", "reader_for", "readers"]
