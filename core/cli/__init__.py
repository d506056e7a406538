"""The command line: what a page does can be done here too."""

from core.cli.root import app, main

__all__ = ["app", "main"]
