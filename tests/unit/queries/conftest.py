"""A small catalog made by hand, in memory: twelve runs, every kind of value, and a reader over it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from mlbench.catalog.connection import insert
from mlbench.catalog.pivot import NUMBER_RUNS, create_front, incoming, refresh
from mlbench.catalog.runs_view import RunsView
from mlbench.journal import Words
from mlbench.journal.folding import Note
from mlbench.wire.views import effective

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOW_S = datetime(2026, 11, 24, 12, 0, tzinfo=UTC).timestamp()
"""A Tuesday."""
DAY_S = 86400.0
Curve = Sequence[tuple[int, float]]

_WORD_TABLES = """
CREATE TEMP TABLE clock (now_s DOUBLE);
CREATE TEMP TABLE word_run (run_key VARCHAR, name VARCHAR, note VARCHAR, is_archived BOOLEAN, is_baseline BOOLEAN);
CREATE TEMP TABLE word_tag (run_key VARCHAR, tag VARCHAR);
CREATE TEMP TABLE word_note (run_key VARCHAR, body VARCHAR, author VARCHAR, at_s DOUBLE);
CREATE TEMP TABLE word_goal (metric VARCHAR, goal VARCHAR);
CREATE TEMP TABLE word_view (name VARCHAR, body VARCHAR);
"""


class FakeReader:
    """A catalog in memory that is filled by hand."""

    def __init__(self, words: Words | None = None) -> None:
        self._words = words or Words()
        self._connection = duckdb.connect(":memory:", config={"threads": 1})
        catalog = files("mlbench.catalog")
        self._connection.execute(catalog.joinpath("schema.sql").read_text("utf-8"))
        create_front(self._connection)
        self._connection.execute(_WORD_TABLES)
        self._connection.execute("INSERT INTO clock VALUES (?)", [NOW_S])
        views = catalog.joinpath("views.sql").read_text("utf-8")
        self._connection.execute(views)
        self._runs = RunsView(views)
        self._points: dict[int, Curve] = {}
        self._added: dict[str, list[dict[str, object]]] = {}
        """Rows by table that are not inserted yet: planning an INSERT takes a millisecond, whatever it inserts."""
        self._is_stale = False
        """Something was added since the wide pivot was laid out."""
        self.n_points_read = 0
        """Series whose points were asked for."""

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The catalog with all that was added."""
        for table, rows in self._added.items():
            names = list(dict.fromkeys(name for row in rows for name in row))
            places = ", ".join(f"({', '.join('?' if name in row else 'DEFAULT' for name in names)})" for row in rows)
            values = [row[name] for row in rows for name in names if name in row]
            columns = ", ".join(f'"{name}"' for name in names)
            self._connection.execute(f"INSERT INTO {table} ({columns}) VALUES {places}", values)
        self._added.clear()
        return self._connection

    @property
    def words(self) -> Words:
        """What was said, and what lies in the tables of words."""
        tags: dict[str, tuple[str, ...]] = {}
        for key, tag in self.rows("SELECT run_key, tag FROM word_tag ORDER BY 2"):
            tags[key] = (*tags.get(key, ()), tag)
        notes = {
            key: (Note(body, author, at_s, ""),) for key, body, author, at_s in self.rows("SELECT * FROM word_note")
        }
        archived = {key for (key,) in self.rows("SELECT run_key FROM word_run WHERE is_archived")}
        return replace(self._words, tags=tags, notes=notes, archived=frozenset(archived))

    def say(self, words: Words) -> None:
        self._words = words

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        if self._is_stale:
            self.connection.execute("UPDATE run SET run_no = NULL")
            self.connection.execute(NUMBER_RUNS)
            for table, made in (("param", "run_no, same, n_chars, is_reference"), ("series", "run_no")):
                rows = self.connection.sql(f"SELECT * EXCLUDE ({made}) FROM {table}").to_arrow_table()
                self.connection.execute(f"DELETE FROM {table}")
                insert(self.connection, table, rows, told=incoming(table, rows.column_names))
            refresh(self.connection)
            self._is_stale = False
        return self.connection.execute(sql, list(parameters)).fetchall()

    def stream(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        yield from self.rows(sql, parameters)

    def runs(self, sql: str) -> str:
        return self._runs.naming(sql)

    def once(self, sql: str) -> list[tuple[Any, ...]]:
        return self.rows(sql)

    def points(
        self, series_ids: Sequence[int], columns: Sequence[str] = ("series_id", "seq", "step", "wall_s", "value")
    ) -> pa.Table:
        self.n_points_read += len(series_ids)
        rows = [(i, seq, *point) for i in sorted(set(series_ids)) for seq, point in enumerate(self._points[i])]
        steps = [row[2] for row in rows]
        return pa.table({
            "series_id": pa.array([row[0] for row in rows], pa.int32()),
            "seq": pa.array([row[1] for row in rows], pa.int64()),
            "step": pa.array(steps, pa.int64()),
            "wall_s": pa.array([1000.0 + step for step in steps], pa.float64()),
            "value": pa.array([row[3] for row in rows], pa.float64()),
        }).select(list(columns))  # fmt: skip

    def few_points(self, series_ids: Sequence[int], columns: Sequence[str]) -> dict[str, Any]:
        table = self.points(series_ids, columns)
        return {name: table.column(name).to_numpy() for name in columns}

    # ------------------------------------------------------------ filling

    def add(self, table: str, **values: object) -> None:
        self._is_stale = True
        self._added.setdefault(table, []).append(values)

    def add_run(self, name: str, **fields: Any) -> str:
        """A run below /runs that ended two hours ago; its id is returned."""
        run_id: str = fields.pop("run_id", run_id_of(name))
        path = fields.pop("path", f"/runs/{name}")
        usual = {"root": "/runs", "run_key": path, "path": path, "name": name, "fingerprint": f"f-{name}",
                 "started_s": NOW_S - 4 * 3600, "active_s": NOW_S - 2 * 3600, "adapters": "tensorboard",
                 "is_missing": False}  # fmt: skip
        self.add("run", run_id=run_id, **{**usual, **fields})
        return run_id

    def add_params(self, run_id: str, *layer: str, **params: object) -> None:
        """Parameters of one layer, config by default."""
        for key, value in params.items():
            self.add_param(run_id, key, value, layer=layer[0] if layer else "config")

    def add_param(
        self, run_id: str, key: str, value: object, *, layer: str = "config", is_effective: bool = True
    ) -> None:
        kind, number, text = typed(value)
        self.add("param", run_id=run_id, key=key, raw=str(value), type=kind, num=number, txt=text, layer=layer,
                 source="config.yaml", line=1, is_effective=is_effective)  # fmt: skip

    def add_series(
        self,
        run_id: str,
        metric: str,
        curve: Curve | Iterable[float],
        *,
        source_run: str = ".",
        source_metric: str = "",
    ) -> int:
        """A series; plain values get the steps 0, 1, 2, ..."""
        listed = list(curve)
        points = [point if isinstance(point, tuple) else (step, point) for step, point in enumerate(listed)]
        series_id = len(self._points) + 1
        self._points[series_id] = points
        self.add("series", series_id=series_id, run_id=run_id, metric=metric, source_run=source_run,
                 source_metric=source_metric or metric, **_summary(points))  # fmt: skip
        return series_id

    def tag(self, key: str, *tags: str) -> None:
        for tag in tags:
            self.add("word_tag", run_key=key, tag=tag)


def run_id_of(name: str) -> str:
    """The id that `add_run` gives by default."""
    return hashlib.blake2b(name.encode(), digest_size=6).hexdigest()


def typed(value: object) -> tuple[str, float | None, str]:
    match value:
        case None:
            return "null", None, "null"
        case bool():
            return "bool", float(value), "true" if value else "false"
        case int():
            return "int", float(value), str(value)
        case float():
            return "float", value, str(int(value)) if value.is_integer() else repr(value)
        case list():
            return "list", None, str(value).replace("'", '"')
        case _:
            return "str", None, str(value)


def _summary(points: Curve) -> dict[str, object]:
    all_steps = np.array([step for step, _value in points], dtype=np.int64)
    keep = effective(all_steps)
    steps: NDArray[Any] = all_steps[keep]
    values = np.array([value for _step, value in points])[keep]
    finite = np.isfinite(values)
    summary: dict[str, object] = {
        "n": len(steps), "n_raw": len(points), "first_step": int(steps[0]), "last_step": int(steps[-1]),
        "first_wall_s": 1000.0 + int(steps[0]), "last_wall_s": 1000.0 + int(steps[-1]),
        "first_value": float(values[0]), "last_value": float(values[-1]),
        "n_nan": int(np.isnan(values).sum()), "n_inf": int(np.isinf(values).sum()), "n_repeat": 0, "n_back": 0,
        "sketch": [float(value) for value in values[:64]],
    }  # fmt: skip
    if finite.any():
        low, high = (
            int(np.nanargmin(np.where(finite, values, np.nan))),
            int(np.nanargmax(np.where(finite, values, np.nan))),
        )
        summary |= {"min_value": float(values[low]), "min_step": int(steps[low]), "max_value": float(values[high]),
                    "max_step": int(steps[high]), "mean_value": float(values[finite].mean())}  # fmt: skip
    return summary


NAN, INF = float("nan"), float("inf")


def fill(reader: FakeReader) -> None:
    """Twelve runs of two projects; see the tables of the tests for who has what."""
    for number, (lr, optimizer, loss, acc) in enumerate(_SWEEP):
        name = f"sweep/{number}"
        run_id = reader.add_run(
            name, project="digits", group_name="sweep", status="finished", started_s=NOW_S - (number + 1) * DAY_S,
            ended_s=NOW_S - (number + 1) * DAY_S + (number + 1) * 600, user_name="ada", host=f"node{number}",
            command=f"python train.py --lr {lr}",
        )  # fmt: skip
        reader.add_params(run_id, lr=lr, optimizer=optimizer, seed=number % 3, **{"optim.lr": 0.5})
        reader.add_series(run_id, "val/loss", loss)
        reader.add_series(run_id, "acc", acc)
        reader.add_series(run_id, "train/loss", [(step * 10, value) for step, value in enumerate(loss)])
    _fill_odd(reader)
    _fill_words(reader)


_SWEEP = (
    (0.001, "adam", [0.9, 0.2, 0.25], [0.1, 0.95, 0.8]),
    (0.01, "adam", [0.9, 0.4, 0.35], [0.1, 0.85, 0.9]),
    (0.1, "sgd", [0.9, 0.5, 0.6], [0.2, 0.7, 0.6]),
    ("1e-3", "sgd", [0.9, 0.3, 0.29], [0.1, 0.6, 0.65]),
    ("auto", "lion", [0.9, 0.8, 0.7], [0.3, 0.4, 0.5]),
)  # fmt: skip


def _fill_odd(reader: FakeReader) -> None:
    nan = reader.add_run("diverged", project="digits", status="failed", exit_code=1)
    reader.add_params(nan, lr=10, optimizer="sgd", amp=True)
    reader.add_series(nan, "val/loss", [0.9, 5.0, NAN])
    reader.add_series(nan, "train/loss", [0.9, 50.0, INF])

    live = reader.add_run("live", project="digits", started_s=NOW_S - 1800, active_s=NOW_S - 10)
    reader.add_params(live, lr=0.05, optimizer="adam", amp=False, ckpt=None, **{"model.layers": [64, 32]})
    reader.add_series(live, "val/loss", [0.9, 0.6])
    reader.add_series(live, "val loss", [0.9, 0.65])
    reader.connection.execute("UPDATE series SET last_wall_s = ? WHERE run_id = ?", [NOW_S - 10, live])

    bare = reader.add_run("resnet-50", project="vision", path="/runs/resnet-50", active_s=NOW_S - 40 * DAY_S,
                          started_s=NOW_S - 41 * DAY_S)  # fmt: skip
    reader.add_params(bare, arch="resnet50", data_dir="/data/cats", timeout="3h", big_seed=12345678901234567890)

    rl = reader.add_run("ppo", project="rl", user_name="bob", active_s=NOW_S - 30 * DAY_S, started_s=NOW_S - 31 * DAY_S)
    reader.add_params(rl, lr=0.0003, **{"a b": "odd"})
    reader.add_series(rl, "rollout/ep_rew_mean", [-10.0, 5.0, 20.0])
    reader.add_series(rl, "rollout/ep_len_mean", [5.0, 5.0, 5.0])

    bad = reader.add_run("ppo-bad", project="rl", user_name="bob", status="killed", active_s=NOW_S - 30 * DAY_S,
                         started_s=NOW_S - 31 * DAY_S)  # fmt: skip
    reader.add_params(bad, lr=0.003, note="own")
    reader.add_series(bad, "rollout/ep_rew_mean", [-10.0, -11.0])

    restarted = reader.add_run("restarted", project="digits", status="running", active_s=NOW_S - 2 * DAY_S,
                               started_s=NOW_S - 3 * DAY_S)  # fmt: skip
    reader.add_params(restarted, lr=0.02)
    reader.add_series(restarted, "train/loss", [(0, 1.0), (1, 0.9), (2, 0.1), (1, 0.8), (2, 0.7), (3, 0.6)])

    reader.add_series(restarted, "flat", [10.0 / (step + 1) for step in range(20)] + [0.4] * 20)

    old = reader.add_run("old", project="digits", status="finished", active_s=NOW_S - 90 * DAY_S,
                         started_s=NOW_S - 91 * DAY_S)  # fmt: skip
    reader.add_params(old, lr=0.001)
    reader.add_series(old, "val/loss", [0.9, 0.1])

    for name, commit, how, is_dirty in (("sweep/0", "abcdef1234567890", "recorded", False),
                                        ("sweep/1", "abcdef1234567890", "guess", None),
                                        ("diverged", "1234567890abcdef", "tracked", True)):  # fmt: skip
        reader.add("code", run_id=run_id_of(name), commit_id=commit, how=how, is_dirty=is_dirty, branch="main",
                   remote="https://example.org/ada/digits.git")  # fmt: skip
    for name, torch in (("sweep/0", "2.9.1"), ("sweep/1", "2.10.0+cu126"), ("live", "1.13.1")):
        reader.add("environment", run_id=run_id_of(name), key="package:torch", value=torch)
    reader.add("environment", run_id=run_id_of("live"), key="python", value="3.11.9")
    for name, version in (("sweep/0", "v1"), ("sweep/1", "v2")):
        reader.add("data_version", run_id=run_id_of(name), system="dvc", name="digits", version=version, n_rows=1797,
                   is_pinned=True)  # fmt: skip
    reader.add("imported_tag", run_id=run_id_of("ppo"), key="mlflow.source", value="train_ppo.py")
    reader.add("imported_tag", run_id=run_id_of("ppo"), key="imported", value="")
    reader.add("imported_note", run_id=run_id_of("ppo-bad"), body="from the tracker: debug me")


def _fill_words(reader: FakeReader) -> None:
    reader.tag("/runs/sweep/0", "baseline", "good")
    reader.tag("/runs/sweep/1", "baseline")
    reader.tag("/runs/ppo", "good")
    reader.add("word_note", run_key="/runs/diverged", body="Debug: the loss exploded", author="ada", at_s=NOW_S - 60)
    reader.add("word_run", run_key="/runs/diverged", name=None, note="Debug: the loss exploded", is_archived=False,
               is_baseline=False)  # fmt: skip
    reader.add("word_run", run_key="/runs/sweep/0", name=None, note=None, is_archived=False, is_baseline=True)
    reader.add("word_run", run_key="/runs/old", name=None, note=None, is_archived=True, is_baseline=False)


@pytest.fixture(scope="session")
def reader() -> FakeReader:
    """The twelve runs; not to be changed."""
    made = FakeReader()
    fill(made)
    return made


@pytest.fixture
def empty() -> FakeReader:
    """A reader without runs, to be filled."""
    return FakeReader()
