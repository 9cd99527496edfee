"""Scopes: the runs at or below given paths."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mlbench.queries.fragment import TRUE, Sql, joined
from mlbench.safe import text_of_path


def scope_of(within: Sequence[str]) -> Sql:
    """The condition on a table or view of runs named `r`: its path is at or below one of the paths.

    Args:
        within: paths of folders or files, relative ones from the current directory; none means every run.
    """
    if not within:
        return TRUE
    return joined("OR", [_below(real_text(path)) for path in within])


def real_text(path: str) -> str:
    """The real path as the catalog spells it."""
    return text_of_path(os.path.realpath(os.path.expanduser(path)))


def _below(path: str) -> Sql:
    prefix = path.rstrip("/") + "/"
    return Sql("r.path = ? OR substr(r.path, 1, ?) = ?", (path, len(prefix), prefix))
