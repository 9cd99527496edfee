"""Confusion matrices of runs, read from where their sources hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.queries.answers import ProblemLine
from mlbench.queries.blobs import BlobPlace, fetch_places, read_place
from mlbench.queries.mistakes import shown
from mlbench.wire.confusion import parse_matrix
from mlbench.wire.jsonlog import JsonError, load_json

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
    step: int = 0
    """0 where the log has none."""


@dataclass(frozen=True, slots=True)
class MatricesAnswer:
    """The matrices that could be read, and why others could not."""

    items: tuple[MatrixAnswer, ...] = ()
    problems: tuple[ProblemLine, ...] = ()


def fetch_matrices(reader: Reader, run_ids: Sequence[str], metrics: Sequence[str] = ()) -> MatricesAnswer:
    """The newest matrix of each name of each run, the runs in their order; runs without one are left out.

    Args:
        reader: the catalog.
        run_ids: the runs.
        metrics: only these names; all if empty.
    """
    newest: dict[tuple[str, str], BlobPlace] = {}
    for place in fetch_places(reader, run_ids, kinds=("confusion",), metrics=metrics):
        held = newest.setdefault((place.head.run_id, place.metric), place)
        if place.step >= held.step:
            newest[place.head.run_id, place.metric] = place
    read = [read_matrix(place) for place in newest.values()]
    return MatricesAnswer(
        tuple(one for one in read if isinstance(one, MatrixAnswer)),
        tuple(one for one in read if isinstance(one, ProblemLine)),
    )


def read_matrix(place: BlobPlace) -> MatrixAnswer | ProblemLine:
    """The matrix that lies at a place of kind confusion, or why it could not be read."""
    content = read_place(place)
    if isinstance(content, ProblemLine):
        return content
    try:
        matrix = parse_matrix(load_json(content))
    except JsonError:
        matrix = None
    if matrix is None:
        what = f"{shown(place.metric)} is no confusion matrix of a known shape"
        return ProblemLine(place.path, f"offset {place.offset}", what, "", place.head.run_id)
    return MatrixAnswer(place.head, place.metric, matrix.labels, matrix.rows, place.step)
