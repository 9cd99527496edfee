"""Confusion matrices of runs, read from where their sources hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.queries.blobs import BlobPlace, fetch_places, read_place
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


def fetch_matrices(reader: Reader, run_ids: Sequence[str]) -> tuple[MatrixAnswer, ...]:
    """The newest matrix of each name of each run, the runs in their order; runs without one are left out."""
    newest: dict[tuple[str, str], BlobPlace] = {}
    for place in fetch_places(reader, run_ids, kinds=("confusion",)):
        held = newest.setdefault((place.head.run_id, place.metric), place)
        if place.step >= held.step:
            newest[place.head.run_id, place.metric] = place
    return tuple(answer for place in newest.values() if (answer := _read(place)) is not None)


def _read(place: BlobPlace) -> MatrixAnswer | None:
    content = read_place(place)
    if not isinstance(content, bytes):
        return None
    try:
        matrix = parse_matrix(load_json(content))
    except JsonError:
        return None
    return MatrixAnswer(place.head, place.metric, matrix.labels, matrix.rows) if matrix is not None else None
