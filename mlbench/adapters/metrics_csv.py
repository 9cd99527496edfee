"""Metric tables of training frameworks: Lightning, Ultralytics and YOLOv5, Stable-Baselines3, Ray Tune, Keras.

- `metrics.csv`: Lightning's CSVLogger (1.x and 2.x), wide, a row for each call of `log`, step in `step`;
- `results.csv`: Ultralytics 8 and YOLOv5, headers padded with blanks, step in `epoch`;
- `progress.csv`: Stable-Baselines3 (step in `time/total_timesteps`), Baselines, Ray Tune;
- any `.csv`, `.tsv` or `.log` that begins like Keras' CSVLogger: first column `epoch` counting from 0 or 1, numbers in
  all others, separated by comma, semicolon or tab. Each such file is a whole training.

All columns but the one that gives the step are metrics; `epoch` is one too where something else gives the step.
There is no wall time in these files. Links: https://lightning.ai/docs/pytorch/stable/extensions/logging.html,
https://docs.ultralytics.com/modes/train/, https://stable-baselines3.readthedocs.io/en/master/common/logger.html,
https://keras.io/api/callbacks/csv_logger/
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from itertools import pairwise

from mlbench.model import Adapter, Claim, Cursor, Fact, JsonValue, Listing, Problem, ReadStatus, Role, Source
from mlbench.wire.content import sniff
from mlbench.wire.csvlog import STEP_COLUMNS, Header, Table, TablePoints, head_rows, number_of, read_table, step_of
from mlbench.wire.files import is_lfs_pointer

NAMED = frozenset({"metrics.csv", "results.csv", "progress.csv"})
_HEAD_BYTES = 16_384


def claims(listing: Listing) -> Iterator[Claim]:
    for name in listing.ending("csv", "tsv", "log"):
        lower = name.lower()
        # Ray Tune writes the same into both.
        is_repeated = lower == "progress.csv" and listing.has("result.json")
        if not lower.endswith("monitor.csv") and not is_repeated:
            yield from _claim(listing.path, name, is_named=lower in NAMED)


def _claim(folder: str, name: str, *, is_named: bool) -> Iterator[Claim]:
    path = os.path.join(folder, name)
    head = sniff(path, _HEAD_BYTES)
    if head is None or is_lfs_pointer(head):
        if is_named:
            yield Claim(path, Role.METRICS, folder)
        return
    found = head_rows(head)
    if found is None:
        return
    header, rows = found
    if is_named and step_column(header) is not None and len(header.names) > 1:
        yield Claim(path, Role.METRICS, folder)
    elif not is_named and _is_keras(header, rows):
        yield Claim(path, Role.METRICS, folder, is_one_training=True)


def _is_keras(header: Header, rows: list[list[str]]) -> bool:
    """Whether the first rows are epochs counted from 0 or 1 beside numbers only."""
    if len(header.names) < 2 or header.names[0].lower() != "epoch" or not rows:
        return False
    epochs = [row[0] for row in rows]
    first = epochs[0]
    if first not in ("0", "1") or any(len(row) != len(header.names) for row in rows):
        return False
    # With append=True a second training begins again at its first epoch.
    counted = all(later in (str(int(earlier) + 1), "0", "1") for earlier, later in pairwise(epochs))
    return counted and all(_may_be_number(cell) for row in rows for cell in row[1:])


def _may_be_number(cell: str) -> bool:
    return cell in ("", "NA", "None") or number_of(cell) is not None


def step_column(header: Header) -> int | None:
    """The place of the column that gives the steps, None if the table has none that is known."""
    return next((header.names.index(name) for name in STEP_COLUMNS if name in header.names), None)


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    table = Table(source.path)
    found: TablePoints | None = None
    step_at: int | None = None
    for batch in read_table(table):
        if found is None:
            step_at = step_column(table.header)
            found = TablePoints(tuple("" if at == step_at else name for at, name in enumerate(table.header.names)))
        n_rows = len(batch.lines)
        if step_at is None:
            steps: list[int | None] = list(range(batch.first_row, batch.first_row + n_rows))
        else:
            steps = [step_of(cell) for cell in batch.columns[step_at]]
        yield from found.points(batch, steps, [math.nan] * n_rows)
    yield from table.problems
    if found is not None:
        yield from found.problems(source.path)
        yield from _no_numbers(source.path, table, found)
    yield Cursor({}, table.status, table.n_rows, table.n_bad)


def _no_numbers(path: str, table: Table, found: TablePoints) -> Iterator[Problem]:
    if table.status is ReadStatus.EOF and not any(column.n_numbers for column in found.columns):
        yield Problem(path, "no column holds numbers; nothing was taken from it")


def example(folder: str) -> None:
    """What Lightning's CSVLogger writes: training rows, and a validation row at the same step."""
    text = (
        "epoch,step,train/loss_step,val_acc,val/loss\n"
        "0,1,0.6931,,\n0,3,0.5117,,\n0,3,,0.5,0.6383\n1,5,0.4402,,\n1,7,0.3998,,\n1,7,,0.75,nan\n"
    )
    with open(os.path.join(folder, "metrics.csv"), "w", encoding="utf-8", newline="") as file:
        file.write(text)


ADAPTER = Adapter(
    name="csv",
    claims=claims,
    read=read,
    example=example,
    version=2,
    formats="Lightning metrics.csv, Ultralytics results.csv, Stable-Baselines3 progress.csv, Keras CSVLogger",
    files=("metrics.csv", "results.csv", "progress.csv", "*.csv", "*.tsv", "*.log"),
)
