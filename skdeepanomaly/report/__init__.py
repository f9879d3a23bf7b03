"""A page that shows what a detector flagged and why; jinja2 is imported late."""

from ._report import AnomalyReport

__all__ = ["AnomalyReport"]
