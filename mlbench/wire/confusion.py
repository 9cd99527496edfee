"""Confusion matrices as numbers: `{labels, matrix}`, rows alone, DVCLive's pairs, Kubeflow's rows, W&B's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlbench.dataclass import dataclass
from mlbench.model import JsonValue
from mlbench.wire.jsonlog import as_list, as_mapping, as_number

MAX_CLASSES = 1000
"""A matrix of more classes is no matrix that anyone reads; ImageNet has a thousand."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A row for each actual class, a column for each predicted one; as many of either as labels."""

    labels: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]


def parse_matrix(value: JsonValue) -> Matrix | None:
    """The matrix in a JSON value, None where it is of no known shape."""
    if isinstance(value, list):
        is_rows = bool(value) and isinstance(value[0], list)
        return _square(list(range(len(value))), value) if is_rows else _of_pairs(value)
    mapping = as_mapping(value)
    if mapping.get("columns") == ["Actual", "Predicted", "nPredictions"]:
        return _of_counts(as_list(mapping.get("data")))
    if "annotationSpecs" in mapping:
        labels = [as_mapping(spec).get("displayName") for spec in as_list(mapping["annotationSpecs"])]
        return _square(labels, [as_mapping(row).get("row") for row in as_list(mapping.get("rows"))])
    rows = as_list(mapping.get("matrix"))
    labels = as_list(mapping.get("labels")) or list(range(len(rows)))
    return _square(labels, rows)


def _square(labels: Sequence[JsonValue], rows: Sequence[JsonValue]) -> Matrix | None:
    numbers = tuple(tuple(as_number(cell) for cell in as_list(row)) for row in rows)
    n = len(labels)
    if not 0 < n <= MAX_CLASSES or len(numbers) != n or any(len(row) != n or None in row for row in numbers):
        return None
    return Matrix(
        tuple(str(label) for label in labels), tuple(tuple(c for c in row if c is not None) for row in numbers)
    )


def _of_counts(rows: Sequence[JsonValue]) -> Matrix | None:
    """W&B's table: a row of actual class, predicted class and count for each cell; a cell that is missing is 0."""
    counts: dict[tuple[str, str], float] = {}
    for row in rows:
        cells = as_list(row)
        number = as_number(cells[2]) if len(cells) == 3 else None
        if number is None:
            return None
        counts[str(cells[0]), str(cells[1])] = number
    labels = tuple(dict.fromkeys(label for pair in counts for label in pair))
    if not 0 < len(labels) <= MAX_CLASSES:
        return None
    return Matrix(labels, tuple(tuple(counts.get((actual, found), 0.0) for found in labels) for actual in labels))


def _of_pairs(pairs: Sequence[JsonValue]) -> Matrix | None:
    """Count DVCLive's `{actual, predicted}` records."""
    if not pairs or not all(isinstance(pair, Mapping) and {"actual", "predicted"} <= pair.keys() for pair in pairs):
        return None
    named = [(str(as_mapping(pair)["actual"]), str(as_mapping(pair)["predicted"])) for pair in pairs]
    labels = tuple(sorted({label for pair in named for label in pair}))
    if len(labels) > MAX_CLASSES:
        return None
    place = {label: index for index, label in enumerate(labels)}
    counts = [[0.0] * len(labels) for _label in labels]
    for actual, predicted in named:
        counts[place[actual]][place[predicted]] += 1
    return Matrix(labels, tuple(tuple(row) for row in counts))
