"""What could not be read: where, what, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.render.cells import Cell
from mlbench.render.records import Records
from mlbench.render.table import Table, heading
from mlbench.safe import Safe, safe, text_of_path

if TYPE_CHECKING:
    from mlbench.queries.answers import ProblemLine


def problem_table(problems: Sequence[ProblemLine]) -> Table:
    rows = tuple(
        (
            Cell(safe(text_of_path(problem.path)), "key"),
            Cell(safe(problem.place), "muted"),
            Cell(safe(problem.what), "warning"),
            Cell(safe(problem.hint)),
        )
        for problem in problems
    )
    return Table((heading("where"), heading("place"), heading("what"), heading("what to do")), rows)


def problem_records(problems: Sequence[ProblemLine]) -> Records:
    rows = tuple((p.path, p.place, p.what, p.hint, p.run_id) for p in problems)
    return Records(("path", "place", "what", "hint", "run_id"), rows)


def problem_text(problem: ProblemLine) -> Safe:
    """One line for stderr: `runs/a/config.yaml:line 12: 'lr' is given twice. The last one is used`."""
    where = ":".join(part for part in (text_of_path(problem.path), problem.place) if part)
    hint = f". {problem.hint}" if problem.hint else ""
    return safe(f"{where}: {problem.what.rstrip('.')}{hint}" if where else f"{problem.what.rstrip('.')}{hint}")
