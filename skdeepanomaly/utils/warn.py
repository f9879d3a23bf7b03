"""Warnings that name the user's line, and can be collected."""

import inspect
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_RECORDED: ContextVar[list[str] | None] = ContextVar("recorded warnings", default=None)
# Code in this folder belongs to the package; a warning names the first caller outside of it.
_PACKAGE = os.path.join(Path(__file__).parents[1], "")


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn, and show the line of the user's code that called the package.

    Parameters
    ----------
    message : str
        The text of the warning.
    category : type, default=UserWarning
        The class of the warning.
    """
    recorded = _RECORDED.get()
    if recorded is not None:
        recorded.append(message)
    frame, level = inspect.currentframe(), 1
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def recorded_warnings() -> Iterator[list[str]]:
    """Collect the texts of :func:`warn_user` in the block, whatever the filters show.

    Yields
    ------
    texts : list of str
        The texts so far.
    """
    texts: list[str] = []
    token = _RECORDED.set(texts)
    try:
        yield texts
    finally:
        _RECORDED.reset(token)
