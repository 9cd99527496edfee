"""Errors that end a command, each with the exit code that scripts see.

Unreadable *input* is never an error here: it becomes a `mlbench.model.Problem`, and the rest goes on.
"""


class MlbenchError(Exception):
    """A command cannot go on. The message has three parts: where, what, what to type next."""

    exit_code = 3


class UsageError(MlbenchError):
    """What was typed cannot be understood; the message names the nearest thing that can."""

    exit_code = 2


class NoRunError(UsageError):
    """What was typed can be understood, and no run is meant by it."""


class HomeError(MlbenchError):
    """The home (journal or catalog) cannot be read or written."""


class SourceError(MlbenchError):
    """A path that was named on the command line cannot be read."""
