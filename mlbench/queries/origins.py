"""Which source said what: for what the catalog keeps without its source, the sources' own facts are asked again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlbench import model
from mlbench.ingest.keep import SmallFact, from_json
from mlbench.journal import tags_said
from mlbench.paths import Home
from mlbench.queries.answers import ShowAnswer
from mlbench.queries.reading import Reader

Origins = Mapping[tuple[str, str], str]
"""Section and key, as `ShowAnswer` has them, to the path of the source."""

_FACTS = "SELECT path, facts FROM source WHERE list_contains(run_ids, ?) AND facts IS NOT NULL ORDER BY path"
_FILES = "SELECT path, adapter FROM source WHERE list_contains(run_ids, ?) ORDER BY path"
_CODE = (("commit", "commit"), ("branch", "branch"), ("dirty", "is_dirty"), ("remote", "remote"), ("how", "how"))
_FIELDS = {"parent": "parent_id"}


def origins_of(reader: Reader, run_id: str) -> Origins:
    """The source of each field, fact of the code, of the environment and of the data, and of each imported tag.

    Where several sources say the same, the first by path. What no source says (what was worked out) is not there.
    """
    found: dict[tuple[str, str], str] = {}
    for path, facts in reader.rows(_FACTS, [run_id]):
        for fact in from_json(facts):
            for place in _said(fact):
                found.setdefault(place, path)
    return found


def _said(fact: SmallFact) -> Iterator[tuple[str, str]]:
    match fact:
        case model.RunField():
            yield "run", _FIELDS.get(fact.name, fact.name)
        case model.GitState():
            for key, name in _CODE:
                if getattr(fact, name) not in ("", None):
                    yield "code", key
        case model.Environment():
            yield "environment", f"{fact.key}={fact.value}"
        case model.DataVersion():
            yield "data", fact.name
        case model.ImportedTag():
            yield "tags", fact.key


def series_sources(reader: Reader, run_id: str, series: Sequence[tuple[str, str]]) -> list[str]:
    """For each series the file that holds it, as text; of several files their folder and how many.

    Args:
        reader: the catalog.
        run_id: the run.
        series: adapter and folder of the log below the root, of each series.
    """
    files: list[Sequence[Any]] = list(reader.rows(_FILES, [run_id]))
    roots = [root for (root,) in reader.rows("SELECT root FROM run WHERE run_id = ?", [run_id])] or [""]
    return [_file_of(adapter, os.path.join(roots[0], folder), files) for adapter, folder in series]


def _file_of(adapter: str, folder: str, files: Sequence[Sequence[Any]]) -> str:
    paths = [path for path, read_by in files if read_by == adapter]
    inside = [path for path in paths if os.path.dirname(path) == os.path.normpath(folder)] or paths
    if len(inside) <= 1:
        return inside[0] if inside else ""
    return f"{os.path.commonpath([os.path.dirname(path) for path in inside])} ({len(inside)} files)"


def with_sayings(answer: ShowAnswer, home: Home, place: Mapping[str, str]) -> ShowAnswer:
    """With who added each of the user's tags, and when.

    Args:
        answer: of a run.
        home: whose journal is read.
        place: for the key of a run that moved, its key now.
    """
    if not answer.head.tags:
        return answer
    said = tags_said(home, answer.head.key, place)
    return replace(answer, tag_origins=tuple((tag, *said[tag]) for tag in answer.head.tags if tag in said))
