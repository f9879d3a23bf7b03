"""Errors that end a command with a message."""


class UsageError(Exception):
    """The command line itself is wrong; the exit code is 2."""


class CommandError(Exception):
    """The table or the model does not do; the exit code is 1."""
