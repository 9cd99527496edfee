"""What comes back at the next start: query, order, columns, groups, marks and layout of a scope, as JSON."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from mlbench.errors import HomeError
from mlbench.paths import make_folder
from mlbench.tui.actions import PANES, RUN, STAGE
from mlbench.tui.smoothings import is_smoothing
from mlbench.tui.view import ChartLook, Marks, View

KEPT_CHART = ("metrics", "smoothing", "log_y", "log_x", "symlog_y", "symlog_x", "axis", "has_raw", "is_grouped",
              "colour_by", "laid", "margins", "smoothing_kind", "has_names")  # fmt: skip
"""Fields of the look of the charts that are kept; where one zoomed is not."""
MOST_MARKS = 500
"""That a named view keeps, which is shared with a team; those of a session are all kept."""
KEPT_TYPED, MOST_TYPED = ("query", "command", "sort", "metrics", "columns", "group"), 100
"""Histories that are kept, and lines of each: what is typed as a note or a tag is kept where it belongs."""


def to_text(view: View, typed: Mapping[str, Sequence[str]] | None = None) -> str:
    """The text that `from_text` and `typed_of` understand.

    Args:
        view: what is looked at.
        typed: what was typed in the prompts, by their histories.
    """
    look = asdict(view.chart)
    kept = {
        "query": view.query, "sort": view.sort, "columns": view.columns, "by": view.by, "cursor": view.cursor,
        "marks": view.marks.slots, "has_all": view.has_all, "as_deltas": view.as_deltas,
        "pane": view.pane if view.pane != "problems" else "runs", "is_zoomed": view.is_zoomed, "bell": view.bell,
        "typed": {name: list(typed[name])[-MOST_TYPED:] for name in KEPT_TYPED if typed and name in typed},
        "chart": {name: look[name] for name in KEPT_CHART if name in look},
    }  # fmt: skip
    return json.dumps(kept)


def from_text(text: str, view: View) -> View:
    """The view with what was kept. What is not understood, of another version perhaps, is left as it is."""
    try:
        kept = json.loads(text)
    except ValueError:
        return view
    if not isinstance(kept, dict):
        return view
    changes: dict[str, Any] = {name: kept[name] for name in ("query", "cursor") if isinstance(kept.get(name), str)}
    changes |= {name: tuple(kept[name]) for name in ("sort", "columns", "by", "bell") if _are_texts(kept.get(name))}
    flags = ("has_all", "as_deltas", "is_zoomed")
    changes |= {name: kept[name] for name in flags if isinstance(kept.get(name), bool)}
    if kept.get("pane") in PANES and kept["pane"] not in (RUN, STAGE):  # which run was shown is not kept
        changes["pane"] = kept["pane"]
    changes["marks"] = Marks(tuple(_slots(kept.get("marks"))))
    return replace(view, chart=_chart(kept.get("chart"), view.chart), **changes)


def typed_of(text: str) -> dict[str, list[str]]:
    """What was typed before, by history; nothing of what is not understood."""
    try:
        kept = json.loads(text)
    except ValueError:
        return {}
    typed = kept.get("typed") if isinstance(kept, dict) else None
    if not isinstance(typed, dict):
        return {}
    return {name: typed[name][-MOST_TYPED:] for name in KEPT_TYPED if _are_texts(typed.get(name))}


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _slots(value: object) -> list[tuple[str, int]]:
    pairs = value if isinstance(value, list) else []
    return [
        (pair[0], pair[1])
        for pair in pairs
        if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], int)
    ]


def _lists(value: object, length: int) -> list[list[Any]]:
    """The lists of so many items in a list."""
    lists = value if isinstance(value, list) else []
    return [one for one in lists if isinstance(one, list) and len(one) == length]


def _is_chart(one: list[Any]) -> bool:
    return isinstance(one[0], str) and _are_texts(one[1])


def _chart(kept: object, look: ChartLook) -> ChartLook:
    if not isinstance(kept, dict):
        return look
    changes: dict[str, Any] = {}
    for name in KEPT_CHART:
        value, now = kept.get(name), getattr(look, name, None)
        if name == "laid":
            changes[name] = tuple((one[0], tuple(one[1])) for one in _lists(value, 2) if _is_chart(one))
        elif name == "margins":
            changes[name] = tuple(tuple(one) for one in _lists(value, 3) if _are_texts(one))
        elif isinstance(now, tuple) and _are_texts(value):
            changes[name] = tuple(value)  # type: ignore[arg-type]
        elif now is not None and type(value) is type(now):
            changes[name] = value
    kept_look = replace(look, **changes)
    return kept_look if is_smoothing(kept_look.smoothing_kind, kept_look.smoothing) else look


class Kept:
    """The file in which the state of one scope is kept."""

    def __init__(self, cache: str, roots: Sequence[str]) -> None:
        named = "\n".join(sorted(roots)).encode("utf-8", "surrogateescape")
        self.digest = hashlib.blake2b(named, digest_size=8).hexdigest()
        """What tells the roots from others, in names of files."""
        self._path = os.path.join(cache, "state", f"{self.digest}.json")

    def load(self) -> str:
        """What was kept, '' where nothing was."""
        try:
            with open(self._path, encoding="utf-8") as file:
                return file.read()
        except (OSError, ValueError):
            return ""

    def save(self, text: str) -> None:
        """Replace what was kept; a folder that cannot be written keeps nothing."""
        temporary = f"{self._path}.{os.getpid()}.tmp"
        try:
            make_folder(os.path.dirname(self._path))
            with open(temporary, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(temporary, self._path)
        except (OSError, HomeError):
            return
