"""Notebooks in the difference of two trees: as cells, never as JSON, and with their jupytext scripts as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlbench.dataclass import dataclass
from mlbench.wire.gitobjects import Change, Entry, Objects, read_blob
from mlbench.wire.notebook import MAX_NOTEBOOK_BYTES
from mlbench.wire.notebookdiff import NOTEBOOK, SCRIPT, CellChange, CellText, cell_changes, cells_of, change_lines

_NOTEBOOK, _SCRIPT = NOTEBOOK.encode(), SCRIPT.encode()
ONLY_OUTPUTS = "Only outputs, counts or metadata of the notebook differ"
_DAMAGED = "The notebook cannot be read: its cells are not compared"


@dataclass(frozen=True, slots=True)
class BookDiff:
    """The lines in the place of a file's difference."""

    lines: tuple[str, ...]
    has_heads: bool = True
    """Whether `---` and `+++` belong before them."""
    old_path: bytes = b""
    """Where its twin stands for what was before."""
    new_path: bytes = b""
    changes: tuple[CellChange, ...] = ()


def notebook_diffs(objects: Objects, changes: Sequence[Change]) -> dict[bytes, BookDiff]:
    """For each path of a notebook, and of a script that is its twin, what to say of it; () where the other says it."""
    by_path = {change.path: change for change in changes}
    found: dict[bytes, BookDiff] = {}
    for change in changes:
        if change.path.endswith(_NOTEBOOK):
            twin = by_path.get(change.path.removesuffix(_NOTEBOOK) + _SCRIPT)
            found.update(_of_notebook(objects, change, twin))
    return found


def is_only_outputs(objects: Objects, change: Change) -> bool:
    """Whether a notebook's cells are the same on both sides."""
    if not change.path.endswith(_NOTEBOOK) or change.old is None or change.new is None:
        return False
    old, new = _cells(objects, change.path, change.old), _cells(objects, change.path, change.new)
    return old is not None and old == new


def _of_notebook(objects: Objects, change: Change, twin: Change | None) -> Iterator[tuple[bytes, BookDiff]]:
    old_path = new_path = change.path
    old, new = change.old, change.new
    if twin is not None and old is None and twin.new is None:  # the script became a notebook
        old_path, old = twin.path, twin.old
    elif twin is not None and new is None and twin.old is None:
        new_path, new = twin.path, twin.new
    before = [] if old is None else _cells(objects, old_path, old)
    after = [] if new is None else _cells(objects, new_path, new)
    if before is None or after is None:
        yield change.path, BookDiff((_DAMAGED,), has_heads=False)
        return
    changes = cell_changes(before, after)
    lines = tuple(change_lines(changes)) or (ONLY_OUTPUTS,)
    yield change.path, BookDiff(lines, bool(changes), old_path, new_path, changes)
    if twin is None:
        return
    if old_path != new_path:
        yield twin.path, BookDiff(())
    elif twin.new is not None and new is not None and _cells(objects, twin.path, twin.new) == after:
        name = change.path.rpartition(b"/")[2].decode("utf-8", "replace")
        yield twin.path, BookDiff((f"The jupytext twin of {name}: it has the same cells",), has_heads=False)


def _cells(objects: Objects, path: bytes, entry: Entry) -> list[CellText] | None:
    content = read_blob(objects, entry)
    if content is None or len(content) > MAX_NOTEBOOK_BYTES:
        return None
    return cells_of(path.decode("utf-8", "replace"), content)
