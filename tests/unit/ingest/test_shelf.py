from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mlbench.catalog import layout
from mlbench.catalog.segments import Stored
from mlbench.catalog.tables import stream_of
from mlbench.ingest.identity import run_id_of
from mlbench.ingest.shelf import Shelf, Span
from tests.unit.ingest.sources import draft, points, source


def stored(shelf: Shelf) -> Stored:
    (found,) = shelf.store()
    return found


def rows_of(found: Stored) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = stream_of([found.series]).read_all().to_pylist()
    return rows


def test_a_shelf_with_nothing_on_it_stores_nothing(tmp_path: Path) -> None:
    shelf = Shelf(str(tmp_path), 5)

    assert shelf.add(draft(source("/logs/run/e", None))) == Span()
    assert shelf.store() == []
    assert list(tmp_path.iterdir()) == []
    assert shelf.next_series_id == 5


def test_the_points_of_many_runs_go_into_one_segment_with_ids_that_follow_each_other(tmp_path: Path) -> None:
    shelf = Shelf(str(tmp_path), 5)

    spans = [
        shelf.add(draft(source("/logs/a/e", points(("y", 2, 0.2), ("x", 1, 0.1)), source_id=3), folder="/logs/a")),
        shelf.add(draft(source("/logs/b/e", points(("x", 3, 0.3)), source_id=4), folder="/logs/b")),
    ]
    n_points = shelf.n_points
    found = stored(shelf)

    assert spans == [Span(100.0, 200.0), Span(300.0, 300.0)]
    assert (n_points, shelf.n_points, shelf.next_series_id) == (3, 0, 8)
    assert found.run_ids == tuple(sorted([run_id_of("/logs/a"), run_id_of("/logs/b")]))
    columns = stream_of([found.series]).read_all().select(["series_id", "run_id", "metric", "n", "last_value"])
    assert columns.to_pylist() == [
        {"series_id": 5, "run_id": run_id_of("/logs/a"), "metric": "x", "n": 1, "last_value": 0.1},
        {"series_id": 6, "run_id": run_id_of("/logs/a"), "metric": "y", "n": 1, "last_value": 0.2},
        {"series_id": 7, "run_id": run_id_of("/logs/b"), "metric": "x", "n": 1, "last_value": 0.3},
    ]
    assert found.segment.n_rows == 3
    rows = pq.read_table(tmp_path / found.segment.file).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        (5, 3, 1, 1, 100.0, 0.1), (6, 3, 0, 2, 200.0, 0.2), (7, 4, 0, 3, 300.0, 0.3),
    ]  # fmt: skip


def test_the_same_points_give_the_same_segment(tmp_path: Path) -> None:
    written = []
    for _time in range(2):
        shelf = Shelf(str(tmp_path), 5)
        shelf.add(draft(source("/logs/a/e", points(("x", 1, 0.1)))))
        written.append(stored(shelf).segment)

    assert written[0] == written[1]
    assert [path.name for path in tmp_path.iterdir()] == [written[0].file]


def test_what_is_stored_is_forgotten_and_the_next_ids_are_free(tmp_path: Path) -> None:
    shelf = Shelf(str(tmp_path), 0)
    shelf.add(draft(source("/logs/a/e", points(("x", 1, 0.1)))))
    shelf.store()
    assert shelf.store() == []

    shelf.add(draft(source("/logs/b/e", points(("x", 1, 0.1)))))

    assert [row["series_id"] for row in rows_of(stored(shelf))] == [1]


def test_a_few_metrics_of_all_runs_lie_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "LEAST_GROUP_ROWS", 1)
    shelf = Shelf(str(tmp_path), 0)
    for run in "ab":
        logged = points(*((f"m{n}", step, float(n)) for step in (1, 2) for n in range(6)))
        shelf.add(draft(source(f"/logs/{run}/e", logged), folder=f"/logs/{run}"))

    found = stored(shelf)

    a, b = run_id_of("/logs/a"), run_id_of("/logs/b")
    assert [(row["run_id"], row["metric"]) for row in rows_of(found)] == [
        *((run, f"m{n}") for run in (a, b) for n in range(4)),
        *((run, f"m{n}") for run in (a, b) for n in (4, 5)),
    ]
    file = pq.ParquetFile(tmp_path / found.segment.file)
    assert [file.metadata.row_group(group).num_rows for group in range(2)] == [16, 8]
    rows = file.read().to_pylist()
    assert [(row["series_id"], row["step"], row["value"]) for row in rows[14:18]] == [
        (7, 1, 3.0), (7, 2, 3.0), (8, 1, 4.0), (8, 2, 4.0),
    ]  # fmt: skip
