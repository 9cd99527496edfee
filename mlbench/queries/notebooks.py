"""Runs that are executed notebooks against each other, cell by cell: without outputs, counts, ids and metadata.

What papermill injected are parameters, and stands among those. Where the other run came from a script in jupytext's
percent format, that is compared as the same notebook.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mlbench.dataclass import dataclass
from mlbench.queries.answers import DiffAnswer
from mlbench.queries.reading import Reader
from mlbench.redaction import redact_text
from mlbench.safe import path_of_text
from mlbench.wire.files import read_whole
from mlbench.wire.notebook import MAX_NOTEBOOK_BYTES
from mlbench.wire.notebookdiff import NOTEBOOK, SCRIPT, CellChange, CellText, cell_changes, cells_of

_RUNS = """SELECT run_id, coalesce(path, ''), coalesce(root, ''), coalesce(entry_point, ''), coalesce(command, '')
FROM run WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))"""


@dataclass(frozen=True, slots=True)
class NotebookChange:
    """The notebook of a run against the notebook of the baseline."""

    run_id: str
    before: str
    """Path of what was compared: a notebook, or its jupytext script."""
    after: str
    n_cells: tuple[int, int] = (0, 0)
    changes: tuple[CellChange, ...] = ()
    said: str = ""
    """Why the cells could not be compared."""
    name: str = ""
    """Path in the repository of one that changed between two commits (then `before` and `after` are these)."""


@dataclass(frozen=True, slots=True)
class _Book:
    path: str
    cells: tuple[CellText, ...] | None
    """None where the file is gone or damaged."""


def compare_notebooks(reader: Reader, run_ids: Sequence[str]) -> tuple[NotebookChange, ...]:
    """The notebook of each run against that of the first; runs that came from none are left out.

    Args:
        reader: the catalog.
        run_ids: the first is the baseline.
    """
    ids = list(dict.fromkeys(run_ids))
    rows = {run_id: tuple(rest) for run_id, *rest in reader.rows(_RUNS, [ids])}
    if not any(path.endswith(NOTEBOOK) for path, *_rest in rows.values()):
        return ()
    books = {run_id: _book_of(*rows[run_id]) for run_id in ids if run_id in rows}
    base = books.get(ids[0])
    if base is None:
        return ()
    return tuple(_compared(run_id, base, book) for run_id in ids[1:] if (book := books.get(run_id)) is not None)


def with_notebooks(reader: Reader, answer: DiffAnswer) -> DiffAnswer:
    """The comparison with the cells that differ; as it is where no run is a notebook."""
    found = compare_notebooks(reader, [head.run_id for head in answer.runs])
    return replace(answer, notebooks=(*answer.notebooks, *found)) if found else answer


def _compared(run_id: str, base: _Book, mine: _Book) -> NotebookChange:
    if base.cells is None or mine.cells is None:
        gone = base if base.cells is None else mine
        return NotebookChange(run_id, base.path, mine.path, said=f"{gone.path} is gone or damaged")
    changes = cell_changes(base.cells, mine.cells)
    return NotebookChange(run_id, base.path, mine.path, (len(base.cells), len(mine.cells)), changes)


def _book_of(path: str, root: str, entry_point: str, command: str) -> _Book | None:
    """The notebook that a run is, else the percent script that it came from; None where it is neither."""
    place = path_of_text(path)
    if place.endswith(NOTEBOOK):
        return _Book(path, _cells_at(place))
    for script in _scripts(place, path_of_text(root), entry_point, command):
        cells = _cells_at(script) if os.path.isfile(script) else None
        if cells is not None:
            return _Book(os.fsencode(script).decode("utf-8", "replace"), cells)
    return None


def _scripts(place: str, root: str, entry_point: str, command: str) -> Iterator[str]:
    names = [word for word in (entry_point, *command.split()) if word.endswith(SCRIPT)]
    for name in dict.fromkeys(names[:3]):
        for folder in dict.fromkeys((place, os.path.dirname(place), root, os.path.dirname(root))):
            yield os.path.join(folder, os.path.expanduser(name))


def _cells_at(path: str) -> tuple[CellText, ...] | None:
    try:
        cells = cells_of(path, read_whole(path, limit_bytes=MAX_NOTEBOOK_BYTES))
    except (OSError, ValueError):
        return None
    return None if cells is None else tuple((kind, redact_text(source)) for kind, source in cells)
