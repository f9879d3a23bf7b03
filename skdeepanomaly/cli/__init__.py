"""The command line: tables in files, models in files, and messages instead of tracebacks."""

from ._main import main

__all__ = ["main"]
