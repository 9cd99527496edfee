"""Metrics as JSON lines, one object a step, read on from where the last reading ended.

A line that is not ended counts only once it is a whole object: nothing that is cut short is one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO

from mlbench.dataclass import dataclass
from mlbench.model import Cursor, Fact, JsonValue, Problem, ReadStatus
from mlbench.wire.content import lfs_problem, unreadable
from mlbench.wire.files import is_lfs_pointer, open_regular
from mlbench.wire.jsonlog import MAX_LINE_BYTES, JsonError, as_mapping, load_json, numbers_in, utc_seconds
from mlbench.wire.points import PointCollector, as_step

STEP_KEYS = (
    "time/total_timesteps", "total_timesteps", "timesteps_total", "num_env_steps_sampled_lifetime", "global_step",
    "num_updates", "step", "_step", "steps", "iteration", "iter", "iterations", "training_iteration", "batch", "epoch",
)  # fmt: skip
"""The first of these that a row has as a number gives the step."""
WALL_KEYS = ("wall_time", "timestamp", "_timestamp", "created_at", "datetime", "date", "time", "ts")
_NEWEST_S = 1e11
"""Later than the year 5000: such a number is milliseconds."""
_OLDEST_S = 5e8
"""1985: a smaller number is a duration."""


@dataclass(frozen=True, slots=True)
class RowPlan:
    """What the keys of a log mean, told from its first row."""

    step_key: str
    """'' where rows are counted."""
    wall_key: str = ""
    """'' where there is no time."""
    skipped: frozenset[str] = frozenset()
    """Keys that are no metrics."""
    prefix: str = ""
    """Before every metric."""


@dataclass(slots=True)
class _State:
    offset: int = 0
    seq: int = 0
    n_rows: int = 0
    n_bad: int = 0
    plan: RowPlan | None = None
    is_restarted: bool = False
    first_bad: int = 0
    """Offset of the first line of this reading that could not be read."""
    n_stepless: int = 0

    def cursor(self, status: ReadStatus) -> Cursor:
        state: dict[str, JsonValue] = {
            "offset": self.offset, "seq": self.seq, "rows": self.n_rows, "bad": self.n_bad,
        }  # fmt: skip
        if self.plan is not None:
            plan = self.plan
            state["plan"] = [plan.step_key, plan.wall_key, sorted(plan.skipped), plan.prefix]
        if self.is_restarted:
            state["restarted"] = True
        return Cursor(state, status, self.n_rows, self.n_bad)


@dataclass(frozen=True, slots=True)
class RowReader:
    """How to read one kind of log."""

    plan: Callable[[Mapping[str, JsonValue]], RowPlan]
    """What the first row tells."""
    head: Callable[[Mapping[str, JsonValue]], Iterable[Fact]] = lambda _row: ()
    """Facts of the first row besides its numbers."""
    seen: Callable[[Mapping[str, JsonValue]], Iterable[Fact]] = lambda _row: ()
    """Facts of any row besides its numbers."""


def plan_of(row: Mapping[str, JsonValue], *, steps: Iterable[str] = STEP_KEYS) -> RowPlan:
    """The plan of a log whose keys are not known beforehand."""
    step_key = next((key for key in steps if as_step(row.get(key)) is not None), "")
    wall_key = next((key for key in WALL_KEYS if key != step_key and wall_of(row.get(key)) is not None), "")
    return RowPlan(step_key, wall_key, frozenset(key for key in (step_key, wall_key) if key))


def wall_of(value: JsonValue) -> float | None:
    """Unix seconds of a number of seconds or milliseconds or of an ISO time; None for a duration or anything else."""
    if isinstance(value, str):
        return utc_seconds(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _NEWEST_S * 1000:
        return None  # so is NaN; of integers as large as JSON may hold floats and `math` know nothing
    seconds = value / 1000 if value > _NEWEST_S else float(value)
    return seconds if _OLDEST_S < seconds < _NEWEST_S else None


def first_row(head: bytes) -> Mapping[str, JsonValue]:
    """The first line of a file as an object, empty where it is none or is cut."""
    line = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]
    if not line.startswith(b"{"):
        return {}
    try:
        return as_mapping(load_json(line))
    except JsonError:
        return {}


def read_rows(path: str, cursor: Mapping[str, JsonValue] | None, reader: RowReader) -> Iterator[Fact]:
    """Points of what has come since `cursor`, Problems, and a Cursor at the end. Never raises for bad input."""
    state = _resumed(cursor)
    try:
        with open_regular(path) as file:
            size_bytes = os.fstat(file.fileno()).st_size
            if is_lfs_pointer(file.read(64)):
                yield lfs_problem(path)
                yield state.cursor(ReadStatus.LFS_POINTER)
                return
            if size_bytes < state.offset:
                state = _State(is_restarted=True)
            if not size_bytes:
                yield state.cursor(ReadStatus.EMPTY)
                return
            file.seek(state.offset)
            yield from _read(path, file, state, reader)
    except OSError as error:
        yield unreadable(path, error)
        yield state.cursor(ReadStatus.UNREADABLE)


def _resumed(cursor: Mapping[str, JsonValue] | None) -> _State:
    if not cursor or not isinstance(cursor.get("offset"), int):
        return _State()
    offset, seq, rows, bad = (as_step(cursor.get(key)) or 0 for key in ("offset", "seq", "rows", "bad"))
    state = _State(offset, seq, rows, bad)
    match cursor.get("plan"):
        case [str(step_key), str(wall_key), list(skipped), str(prefix)]:
            state.plan = RowPlan(step_key, wall_key, frozenset(map(str, skipped)), prefix)
        case _:
            pass
    return state


def _read(path: str, file: BinaryIO, state: _State, reader: RowReader) -> Iterator[Fact]:
    points = PointCollector(n_points=state.seq)
    before = state.n_bad
    status = ReadStatus.EOF
    while line := file.readline(MAX_LINE_BYTES):
        row = _row_of(line)
        if row is None and not line.endswith(b"\n") and len(line) < MAX_LINE_BYTES:
            status = ReadStatus.TRUNCATED
            break
        if row is None:
            state.first_bad = state.first_bad or state.offset + 1
            state.n_bad += 1
        elif row:
            yield from _take(row, state, points, reader)
        state.offset += len(line)
        if points.is_full:
            yield from points.flush()
            state.seq = points.n_points
            yield state.cursor(status)
    yield from points.flush()
    state.seq = points.n_points
    yield from _told(path, state, before)
    yield state.cursor(ReadStatus.DAMAGED if state.n_bad > before else status)


def _row_of(line: bytes) -> Mapping[str, JsonValue] | None:
    """The object of a line; empty for a blank line, None for what is no object."""
    if line.isspace():
        return {}
    try:
        value = load_json(line)
    except JsonError:
        return None
    return value if isinstance(value, Mapping) and value else None


def _take(row: Mapping[str, JsonValue], state: _State, points: PointCollector, reader: RowReader) -> Iterator[Fact]:
    if state.plan is None:
        state.plan = reader.plan(row)
        yield from reader.head(row)
    yield from reader.seen(row)
    plan = state.plan
    step = as_step(row.get(plan.step_key)) if plan.step_key else state.n_rows
    state.n_rows += 1
    if step is None:
        state.n_stepless += 1
        return
    wall_s = wall_of(row.get(plan.wall_key)) if plan.wall_key else None
    kept = {key: value for key, value in row.items() if key not in plan.skipped}
    for name, number in numbers_in(kept, joint="/"):
        points.add(plan.prefix + name, step, number, math.nan if wall_s is None else wall_s)


def _told(path: str, state: _State, before: int) -> Iterator[Problem]:
    n_bad = state.n_bad - before
    if n_bad:
        what = "1 line is no JSON object and was left out" if n_bad == 1 else (
            f"{n_bad} lines are no JSON objects and were left out"
        )  # fmt: skip
        yield Problem(path, what, f"offset {state.first_bad - 1}")
    if state.n_stepless:
        key = state.plan.step_key if state.plan else ""
        rows = "1 row has" if state.n_stepless == 1 else f"{state.n_stepless} rows have"
        yield Problem(path, f"{rows} no {key!r}, which gives the step of the others, and no points were taken of it")
