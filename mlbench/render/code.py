"""What changed in the code: a line for each run, and unified diffs with their additions and removals coloured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlbench.render.cells import Cell, Line, line_of
from mlbench.render.table import Section, Table, heading
from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.queries.answers import Value
    from mlbench.queries.code import CodeChange

MOST_FILES = 4
_VERDICTS = {
    "same": ("the same code", "good"),
    "config": ("only configuration and texts changed", "good"),
    "data": ("only versions of data, configuration and texts changed", "good"),
    "code": ("the code changed", "changed"),
    "unknown": ("not known what changed", "warning"),
}
_ROLES = {"+": "good", "-": "bad", "@": "key"}


def code_section(changes: Sequence[CodeChange], labels: Mapping[str, Safe]) -> Section:
    """One line a run: from which commit to which, how many commits and files, and the verdict."""
    rows = tuple(_row(change, labels.get(change.run_id, safe(change.run_id))) for change in changes)
    titles = ("run", "commits", "known by", "changed files", "verdict")
    return Section("changes", safe("code against the baseline's"), Table(tuple(map(heading, titles)), rows))


def _row(change: CodeChange, label: Safe) -> tuple[Cell, ...]:
    text, role = _VERDICTS[change.verdict]
    span = change.after[:10] if change.before == change.after else f"{change.before[:10]}..{change.after[:10]}"
    ahead = f" ({len(change.ahead)} ahead)" if change.ahead else ""
    how = change.how[0] if change.how[0] == change.how[1] else " / ".join(change.how)
    return (Cell(label, "run1"), Cell(safe(span + ahead)), Cell(safe(how), "muted"),
            Cell(safe(files_text(change))), Cell(safe(text), role))  # fmt: skip


def files_text(change: CodeChange) -> str:
    """`2: train.py, model.py (added)`, or why it is not known."""
    if change.before != change.after and not change.repository:
        return "no repository with both commits is here. Try: --repo DIR"
    dirty = "uncommitted changes" if any(change.is_dirty) or any(change.patches) else ""
    if not change.files:
        return dirty or "-"
    names = [path if kind == "changed" else f"{path} ({kind})" for path, kind in change.files[:MOST_FILES]]
    more = ", …" if len(change.files) > MOST_FILES else ""
    return f"{len(change.files)}: {', '.join(names)}{more}" + (f"; {dirty}" if dirty else "")


def diff_lines(change: CodeChange, label: Safe) -> tuple[Line, ...]:
    """The commits, the unified diff and the patches, coloured."""
    lines: list[Line] = [line_of((f"code of {label}: {change.before[:10]}..{change.after[:10]}", "heading"))]
    lines += [line_of((f"  * {subject}", "muted")) for subject in change.ahead]
    lines += coloured(change.diff)
    for whose, patch in zip(("the baseline", label), change.patches, strict=True):
        if patch:
            lines += [(), line_of((f"not committed in {whose}", "heading")), *coloured(patch)]
    return tuple(lines)


def code_records(
    changes: Sequence[CodeChange], run_ids: Sequence[str], *, has_diff: bool = False
) -> list[tuple[Value, ...]]:
    """Flat rows of the runs' code against the baseline's: `code_change` with `verdict`, `files`, `ahead` and `diff`.

    Args:
        changes: those that are the same are left out.
        run_ids: in the order of the values, the baseline first.
        has_diff: also the unified diff, and the patch of what was not committed.
    """
    found: dict[str, dict[str, Value]] = {}
    for change in changes:
        if change.verdict == "same":
            continue
        told: dict[str, Value] = {"verdict": change.verdict, "files": _all_files(change), "ahead": len(change.ahead)}
        if has_diff:
            told |= {"diff": change.diff, "patch": change.patches[1]}
        for key, value in told.items():
            if value:
                found.setdefault(key, {})[change.run_id] = value
    return [
        ("code_change", key, *(by_run.get(run_id) for run_id in run_ids)) for key, by_run in found.items()
    ]  # fmt: skip


def _all_files(change: CodeChange) -> str:
    return ", ".join(path if kind == "changed" else f"{path} ({kind})" for path, kind in change.files)


def coloured(diff: str) -> list[Line]:
    """The lines of a unified diff: green, red, and the places; names of files stand out."""
    lines: list[Line] = []
    for text in diff.splitlines():
        is_head = text.startswith(("diff --git ", "--- ", "+++ ", "index "))
        lines.append((Cell(safe(text), "title" if is_head else _ROLES.get(text[:1], "")),))
    return lines
