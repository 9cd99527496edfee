"""Unified diffs of git file by file, and what a file is after one: of a notebook the cells, and not its JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from mlbench.dataclass import dataclass
from mlbench.wire.gitnotebooks import ONLY_OUTPUTS
from mlbench.wire.notebookdiff import NOTEBOOK, cell_changes, cells_of, change_lines

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_PATHS = re.compile(r"diff --git a/(.+) b/(.+)")
_FILE = "diff --git "


@dataclass(frozen=True, slots=True)
class FilePatch:
    """What a patch says of one file."""

    old_path: str
    """'' where the first line cannot be understood."""
    path: str
    lines: tuple[str, ...]
    """With the heading."""

    @property
    def is_new(self) -> bool:
        return any(line.startswith("new file") for line in self.lines[:3])


def split_patch(text: str) -> Iterator[FilePatch]:
    """The files of a patch; what stands before the first is one without a path."""
    part: list[str] = []
    for line in text.split("\n"):
        if line.startswith(_FILE) and part:
            yield _file(part)
            part = []
        part.append(line)
    if part:
        yield _file(part)


def _file(lines: list[str]) -> FilePatch:
    match = _PATHS.fullmatch(lines[0])
    return FilePatch(match[1] if match else "", match[2] if match else "", tuple(lines))


def patched(old: str, file: FilePatch) -> str | None:
    """The file after the patch; None where the patch does not fit, or was cut.

    Args:
        old: the file before.
        file: of the patch.
    """
    before = old.split("\n")
    after: list[str] = []
    at = 0
    lines = iter(file.lines)
    for line in lines:
        match = _HUNK.match(line)
        if match is None:
            if line.startswith("@@ -"):
                return None
            continue
        n_old, n_new = int(match[2] or 1), int(match[4] or 1)
        start = int(match[1]) - (1 if n_old else 0)
        if start < at or start > len(before):
            return None
        after += before[at:start]
        at = start
        kept = _hunk(lines, before[at : at + n_old], n_new)
        if kept is None:
            return None
        after += kept
        at += n_old
    return "\n".join([*after, *before[at:]])


def _hunk(lines: Iterator[str], before: list[str], n_new: int) -> list[str] | None:
    """The new lines of a hunk; None where it does not fit."""
    after: list[str] = []
    at = 0
    while at < len(before) or len(after) < n_new:
        line = next(lines, None)
        if line is None:
            return None
        sign, text = line[:1] or " ", line[1:]
        if sign in {" ", "-"}:
            if at == len(before) or before[at] != text:
                return None
            at += 1
        if sign in {" ", "+"}:
            after.append(text)
        elif sign not in {"-", "\\"}:
            return None
    return after if len(after) == n_new else None


Content: TypeAlias = "Callable[[str], str | None]"
"""Of a file before the patch, by its path; None where it is not known."""


def with_cells(text: str, content: Content) -> str:
    """The patch, of notebooks the cells that it changes; what does not fit stays as it is."""
    parts = []
    for file in split_patch(text):
        lines = _cell_lines(file, content) if file.path.endswith(NOTEBOOK) else None
        parts.append("\n".join(file.lines) if lines is None else "\n".join([*file.lines[:1], *lines]))
    return "\n".join(parts)


def _cell_lines(file: FilePatch, content: Content) -> list[str] | None:
    old = "" if file.is_new else content(file.old_path)
    new = None if old is None else patched(old, file)
    if old is None or new is None or not new.strip():
        return None
    before = [] if not old else cells_of(file.path, old.encode("utf-8", "replace"))
    after = cells_of(file.path, new.encode("utf-8", "replace"))
    if before is None or after is None:
        return None
    return list(change_lines(cell_changes(before, after))) or [ONLY_OUTPUTS]
