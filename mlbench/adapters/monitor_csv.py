"""Episodes that Stable-Baselines3's (and Gym Baselines') `Monitor` writes: `*.monitor.csv`, `monitor.csv`.

First line `#{"t_start": ..., "env_id": ...}`, then a table with `r` (return), `l` (length), `t` (seconds since the
start) and what the program added. A training has one file for each of its parallel environments, so the metrics are
named by the file: `monitor.3/r`, `monitor.3/l`; of a plain `monitor.csv` they are `monitor/r`, `monitor/l`. The step is
the number of steps of that environment so far, as SB3's own plots have it; the wall time is exact.
Link: https://stable-baselines3.readthedocs.io/en/master/common/monitor.html
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence

from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
    Fact,
    JsonValue,
    Layer,
    Listing,
    Param,
    Problem,
    Role,
    RunField,
    Source,
)
from mlbench.wire.csvlog import Batch, Table, TablePoints, number_of, read_table
from mlbench.wire.jsonlog import JsonError, as_mapping, as_number, as_text, load_json

_ENDING = "monitor.csv"


def claims(listing: Listing) -> Iterator[Claim]:
    for name in listing.ending("csv"):
        if name == _ENDING or name.endswith(f".{_ENDING}"):
            yield Claim(os.path.join(listing.path, name), Role.METRICS, listing.path)


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    table = Table(source.path)
    prefix = metric_prefix(os.path.basename(source.path))
    found: TablePoints | None = None
    n_steps = 0
    start_s = math.nan
    for batch in read_table(table):
        names = table.header.names
        if found is None:
            found = TablePoints(tuple("" if name == "t" else f"{prefix}/{name}" for name in names))
            start_s = _start(table)
            yield from _head(table)
        lengths = _column(batch, names, "l", missing=math.nan)
        steps: list[int | None] = []
        for length in lengths:
            is_counted = math.isfinite(length) and abs(length) < 2**53
            n_steps += int(length) if is_counted else 0
            steps.append(n_steps if is_counted else None)
        seconds = _column(batch, names, "t", missing=math.nan)
        walls = [start_s + second if math.isfinite(second) else math.nan for second in seconds]
        yield from found.points(batch, steps, walls)
    yield from table.problems
    if found is not None:
        yield from found.problems(source.path)
    yield Cursor({}, table.status, table.n_rows, table.n_bad)


def metric_prefix(name: str) -> str:
    """What stands before the metrics of a monitor file: `monitor.3` for `3.monitor.csv`."""
    stem = name.removesuffix(_ENDING).removesuffix(".")
    return f"monitor.{stem}" if stem else "monitor"


def _column(batch: Batch, names: Sequence[str], name: str, *, missing: float) -> list[float]:
    """A column as numbers; where it is not there, `missing` for every row."""
    if name not in names:
        return [missing] * len(batch.lines)
    numbers = (number_of(cell) for cell in batch.columns[names.index(name)])
    return [missing if number is None else number for number in numbers]


def _fields(table: Table) -> Mapping[str, JsonValue] | None:
    try:
        return as_mapping(load_json(table.comment)) if table.comment else None
    except JsonError:
        return None


def _start(table: Table) -> float:
    start = as_number((_fields(table) or {}).get("t_start"))
    return start if start is not None and math.isfinite(start) else math.nan


def _head(table: Table) -> Iterator[Fact]:
    fields = _fields(table)
    if fields is None:
        yield Problem(table.path, "the first line is not the '#{...}' of a monitor file; times are unknown", "line 1")
        return
    start = _start(table)
    if math.isfinite(start):
        yield RunField("started", start)
    if env_id := as_text(fields.get("env_id")):
        yield Param("env_id", env_id, env_id, Layer.DERIVED, 1)


def example(folder: str) -> None:
    """The first episodes of one environment."""
    text = (
        '#{"t_start": 1795418520.7887485, "env_id": "CartPole-v1"}\n'
        "r,l,t\n25.0,25,5.624648\n55.0,55,5.68213\n14.0,14,5.704427\n"
    )
    with open(os.path.join(folder, "0.monitor.csv"), "w", encoding="utf-8", newline="") as file:
        file.write(text)


ADAPTER = Adapter(
    name="monitor",
    claims=claims,
    read=read,
    example=example,
    formats="Stable-Baselines3 and Gym Baselines monitor files",
    files=("*.monitor.csv", "monitor.csv"),
)
