"""Saved views: a filter with its columns, order, groups and marked runs under a name, as the journal keeps them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from mlbench.dataclass import dataclass
from mlbench.errors import UsageError
from mlbench.queries.mistakes import shown
from mlbench.queries.reading import Reader
from mlbench.queries.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class SavedView:
    """What a view says; what it does not say is as without a view."""

    filter: str = ""
    columns: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    limit: int | None = None
    group_by: tuple[str, ...] = ()
    """Columns that the runs are grouped by."""
    runs: tuple[str, ...] = ()
    """Ids of the runs that were marked, in order; a command's `--selection` is about these alone."""

    @property
    def selected(self) -> str:
        """The filter of what the view selects: of the marked runs, where there are some."""
        if not self.runs:
            return self.filter
        listed = ", ".join(f"'{run_id}'" for run_id in self.runs)
        return both((self.filter, f"run.id in ({listed})"))

    def to_text(self) -> str:
        """As the journal keeps it: JSON with what is said."""
        return json.dumps({key: value for key, value in asdict(self).items() if value not in ("", (), None)})


def view_of(text: str) -> SavedView:
    """The view of a text in the journal. What is not understood (a newer mlbench may say more) is left out."""
    try:
        said = json.loads(text)
    except ValueError:
        return SavedView()
    if not isinstance(said, dict):
        return SavedView()
    filter_, limit = said.get("filter"), said.get("limit")
    return SavedView(
        filter_ if isinstance(filter_, str) else "",
        _texts(said.get("columns")),
        _texts(said.get("sort")),
        limit if isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0 else None,
        _texts(said.get("group_by")),
        tuple(run_id for run_id in _texts(said.get("runs")) if run_id.isalnum()),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def find_view(reader: Reader, name: str) -> SavedView:
    """The view of this name.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    views = reader.words.views
    if name not in views:
        hint = did_you_mean(name, views) or " Try: mlbench views"
        raise UsageError(f"no view {shown(name)}.{hint}")
    return view_of(views[name])


def list_views(reader: Reader) -> tuple[tuple[str, SavedView], ...]:
    """All views by name."""
    return tuple((name, view_of(text)) for name, text in sorted(reader.words.views.items()))


def both(filters: Sequence[str]) -> str:
    """One filter that asks for all of these; empty ones ask for nothing."""
    said = [text.strip() for text in filters if text.strip()]
    return said[0] if len(said) == 1 else " and ".join(f"({text})" for text in said)
