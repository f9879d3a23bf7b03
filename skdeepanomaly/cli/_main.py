"""Run a command, and turn its errors and warnings into messages and exit codes."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from ._arguments import make_parser
from ._errors import CommandError, UsageError

_LOGGER = logging.getLogger("skdeepanomaly")
# What a table, a model or a machine can cause. Anything else is a fault of the program, whose
# traceback should be seen.
_EXPECTED = (
    CommandError,
    OSError,
    ValueError,
    TypeError,
    ImportError,
    RuntimeError,
    MemoryError,
)


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : list of str or None, default=None
        The arguments; None takes those of the process.

    Returns
    -------
    code : int
        0 if all went well; 1 if a table, a model or the training does not do; 2 if the command
        line is wrong; 130 after Ctrl-C.
    """
    parser = make_parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as end:  # argparse has written its message, or the help
        return int(end.code or 0)
    with _shown_warnings(), _shown_epochs(arguments.verbose):
        try:
            arguments.run(arguments)
            sys.stdout.flush()
        except UsageError as error:
            _say(f"error: {error}")
            _say(f"See: python -m skdeepanomaly {arguments.command} --help")
            return 2
        except KeyboardInterrupt:
            _say("Interrupted; nothing was written.")
            return 130
        except BrokenPipeError:
            # The reader of a pipe, such as head, has seen enough. Python would complain when it
            # flushes the output at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except Exception as error:
            if not isinstance(error, _EXPECTED):
                raise
            _LOGGER.debug("The command failed.", exc_info=True)
            _say(f"error: {error or type(error).__name__}")
            return 1
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)


@contextmanager
def _shown_warnings() -> Iterator[None]:
    """Show warnings for users as one message each, without lines of code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_, **__: _say(f"warning: {message}")
        yield


@contextmanager
def _shown_epochs(verbose: bool) -> Iterator[None]:
    """Show the log of the package on stderr if it was asked for, tracebacks included."""
    if not verbose:
        yield
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    level = _LOGGER.level
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        _LOGGER.setLevel(level)
        _LOGGER.removeHandler(handler)
