"""A confusion matrix as numbers beside a run: `confusion_matrix.json`.

`{"labels": [...], "matrix": [[...]]}` with a row for each actual class, DVCLive's list of `{actual, predicted}`, or
Kubeflow's `{annotationSpecs, rows}`. The numbers are not copied; their place is remembered.
See https://dvc.org/doc/dvclive/live/log_sklearn_plot.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping

from mlbench.model import Adapter, Blob, Claim, Cursor, Fact, JsonValue, Listing, Problem, ReadStatus, Role, Source
from mlbench.wire.confusion import parse_matrix
from mlbench.wire.content import load_content
from mlbench.wire.jsonlog import json_of

_NAME = "confusion_matrix.json"


def claims(listing: Listing) -> Iterator[Claim]:
    if listing.has(_NAME):
        yield Claim(os.path.join(listing.path, _NAME), Role.CONTEXT, listing.path)


def read(source: Source, cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    """Yield the matrix's place, or a Problem where it is no matrix."""
    del cursor  # The file is small and is read whole.
    content = load_content(source.path)
    found = json_of(source.path, content)
    if found.problem is not None:
        yield found.problem
    if found.status is not ReadStatus.EOF:
        yield Cursor({}, status=found.status)
        return
    if parse_matrix(found.value) is None:
        hint = 'it should be like {"labels": ["a", "b"], "matrix": [[3, 0], [1, 2]]}'
        yield Problem(source.path, "this is no confusion matrix of a known shape", hint=hint)
        yield Cursor({}, status=ReadStatus.DAMAGED, n_bad=1)
        return
    yield Blob("confusion", "confusion_matrix", 0, math.nan, 0, 0, len(content.data), "json")
    yield Cursor({}, n_records=1)


def example(folder: str) -> None:
    """Write a matrix of two classes."""
    with open(os.path.join(folder, _NAME), "w", encoding="utf-8") as file:
        json.dump({"labels": ["cat", "dog"], "matrix": [[40, 2], [5, 53]]}, file)


ADAPTER = Adapter(
    name="confusion",
    claims=claims,
    read=read,
    example=example,
    formats="A confusion matrix as numbers: labels and matrix, DVCLive's pairs, Kubeflow's rows",
    files=(_NAME,),
)
