"""Confusion matrices of runs, read from where their sources hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlbench.queries.heads import fetch_heads
from mlbench.safe import path_of_text
from mlbench.wire.confusion import parse_matrix
from mlbench.wire.jsonlog import load_json_file

if TYPE_CHECKING:
    from mlbench.catalog.reader import Reader
    from mlbench.queries.answers import RunHead


@dataclass(frozen=True, slots=True)
class MatrixAnswer:
    """One confusion matrix: a row for each actual class, a column for each predicted one."""

    head: RunHead
    metric: str
    labels: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]


def fetch_matrices(reader: Reader, run_ids: Sequence[str]) -> tuple[MatrixAnswer, ...]:
    """The newest matrix of each name of each run, the runs in their order; runs without one are left out."""
    rows = reader.rows(
        "SELECT run_id, metric, arg_max(path, step) FROM blob WHERE kind = 'confusion' "
        "AND run_id IN (SELECT unnest(?)) GROUP BY run_id, metric ORDER BY metric",
        [list(run_ids)],
    )
    answers: list[MatrixAnswer] = []
    for head in fetch_heads(reader, list(run_ids)):
        for run_id, metric, path in rows:
            matrix = parse_matrix(load_json_file(path_of_text(path)).value) if run_id == head.run_id else None
            if matrix is not None:
                answers.append(MatrixAnswer(head, metric, matrix.labels, matrix.rows))
    return tuple(answers)
