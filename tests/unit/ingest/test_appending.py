"""A run that only grew is brought up to date, and is then what it would be had it been read as a whole."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.catalog.reader import open_reader
from mlbench.catalog.writer import open_writer
from mlbench.ingest import laying, settling, shelf
from mlbench.ingest.appending import merge_sketches
from mlbench.ingest.run import ingest_paths
from mlbench.paths import Home
from mlbench.wire.tfrecord import write_record
from tests.unit.wire.event_messages import WALL_S, event, value

NAME = "events.out.tfevents.1700000000.node1.4242.0"
SERIES = """SELECT metric, source_run, source_metric, n, n_raw, first_step, last_step, first_wall_s, last_wall_s,
first_value, last_value, min_value, min_step, min_wall_s, max_value, max_step, max_wall_s, round(mean_value, 9), n_nan, n_inf,
n_repeat, n_back, adapter FROM series ORDER BY ALL"""
RUNS = "SELECT name, fingerprint, started_s, active_s, status, adapters FROM run ORDER BY 1"
SOURCES = "SELECT path, status, n_records, n_bad, facts FROM source ORDER BY 1"


def a_home(folder: Path) -> Home:
    return Home(str(folder / "journal"), str(folder / "cache"), "test")


def point(tag: str, step: int, number: float) -> bytes:
    return write_record(event(value(tag, simple_value=number), step=step, wall_s=WALL_S + step))


def known(home: Home) -> tuple[list[Any], list[Any]]:
    """What the catalog says of the runs, and their points by series."""
    with open_reader(home) as reader:
        said = [repr(reader.rows(sql)) for sql in (RUNS, SERIES, SOURCES)]
        names = dict(reader.rows("SELECT series_id, metric FROM series"))
        table = reader.points(list(names))
        points = [
            (names[row["series_id"]], row["seq"], row["step"], row["wall_s"], repr(row["value"]))
            for row in table.to_pylist()
        ]
    return said, sorted(points)


def segments_of(home: Home) -> int:
    with open_writer(home) as writer:
        return int(writer.rows("SELECT count(*) FROM segment_run")[0][0])


def rows_of(home: Home, sql: str) -> list[Any]:
    with open_reader(home) as reader:
        return reader.rows(sql)


NUMBERS = st.sampled_from([0.5, 0.25, -1.0, math.nan, math.inf, -math.inf, 1e30])


LOGGED = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 3), NUMBERS), min_size=2, max_size=30)
CUTS = st.lists(st.integers(1, 2000), max_size=3)


@settings(max_examples=4, deadline=None)
@given(st.lists(st.tuples(LOGGED, CUTS), min_size=3, max_size=3))
def test_a_run_read_in_pieces_is_the_run_read_at_once(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[list[tuple[str, int, float]], list[int]]]
) -> None:
    """Three runs at once, each with its own cuts: most of the time is the catalogs', whatever lies in them."""
    folder = tmp_path_factory.mktemp("logs")
    pieces: dict[Path, list[bytes]] = {}
    for place, (logged, cuts) in enumerate(runs):
        step = 0
        content = b""
        for tag, further, number in logged:
            step += further
            content += point(f"{place}{tag}", step, number)
        path = folder / "logs" / f"run{place}" / NAME
        path.parent.mkdir(parents=True)
        pieces[path] = [content[:cut] for cut in [*sorted(cuts), len(content)]]
    home, fresh = a_home(folder / "pieces"), a_home(folder / "whole")

    for turn in range(max(map(len, pieces.values()))):
        for path, contents in pieces.items():
            if turn < len(contents):
                path.write_bytes(contents[turn])
        ingest_paths(home, [str(folder / "logs")])
    ingest_paths(fresh, [str(folder / "logs")])

    assert known(home) == known(fresh)


def test_only_the_new_points_are_stored(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "run" / NAME
    path.parent.mkdir(parents=True)
    home = a_home(tmp_path)
    content = b"".join(point("loss", step, 0.5) for step in range(100))
    path.write_bytes(content)
    ingest_paths(home, [str(tmp_path / "logs")])

    path.write_bytes(content + point("loss", 100, 0.25))
    summary = ingest_paths(home, [str(tmp_path / "logs")])

    assert (summary.n_changed, summary.n_points) == (1, 1)
    with open_writer(home) as writer:
        assert writer.rows("SELECT n_rows FROM segment ORDER BY 1") == [(1,), (100,)]
        assert writer.rows("SELECT n, last_value, min_value, min_step FROM series") == [(101, 0.25, 0.25, 100)]


def test_a_restart_has_the_old_points_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "run" / NAME
    path.parent.mkdir(parents=True)
    home = a_home(tmp_path)
    content = b"".join(point("loss", step, 0.5) for step in range(10))
    path.write_bytes(content)
    ingest_paths(home, [str(tmp_path / "logs")])

    path.write_bytes(content + point("loss", 4, 0.25))
    ingest_paths(home, [str(tmp_path / "logs")])

    with open_reader(home) as reader:
        assert reader.rows("SELECT n, n_raw, n_back, last_step FROM series") == [(5, 11, 1, 4)]
    assert segments_of(home) == 1


def test_a_run_in_many_segments_is_put_together_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "MAX_SEGMENTS", 3)
    path = tmp_path / "logs" / "run" / NAME
    path.parent.mkdir(parents=True)
    home = a_home(tmp_path)
    counts = []

    for n_points in range(1, 6):
        path.write_bytes(b"".join(point("loss", step, 0.5) for step in range(n_points)))
        ingest_paths(home, [str(tmp_path / "logs")])
        counts.append(segments_of(home))

    assert counts == [1, 2, 3, 1, 2]
    assert [row[2] for row in known(home)[1]] == [0, 1, 2, 3, 4]


def test_the_large_segments_of_a_long_run_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (laying, shelf, settling):
        monkeypatch.setattr(module, "LONG_POINTS", 5)
    monkeypatch.setattr(laying, "HELD_POINTS", 10)
    monkeypatch.setattr(settling, "MAX_SEGMENTS", 3)
    monkeypatch.setattr(settling, "SMALL_ROWS", 6)
    path = tmp_path / "logs" / "run" / NAME
    path.parent.mkdir(parents=True)
    home, other = a_home(tmp_path), a_home(tmp_path / "other")
    counts = []

    for n_points in range(8, 13):
        path.write_bytes(b"".join(point(tag, step, step / 8) for step in range(n_points) for tag in "abcd"))
        ingest_paths(home, [str(tmp_path / "logs")])
        counts.append(segments_of(home))

    ingest_paths(other, [str(tmp_path / "logs")])
    assert counts == [4, 5, 6, 7, 4]
    assert known(home) == known(other)


def test_what_was_put_together_is_told_as_if_it_had_been_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "MAX_SEGMENTS", 2)
    paths = [tmp_path / "logs" / run / NAME for run in ("grows", "stays")]
    for path in paths:
        path.parent.mkdir(parents=True)
    paths[1].write_bytes(b"".join(point("loss", step, step / 8) for step in range(9)))
    home, fresh = a_home(tmp_path), a_home(tmp_path / "fresh")
    sketches = "SELECT r.name, metric, sketch, mean_value FROM series JOIN run r USING (run_id) ORDER BY 1, 2"

    for n_points in (100, 170, 215):
        tags = {step: "ab" if step < 200 else "abc" for step in range(n_points)}
        logged = [point(tag, step, math.sin(step / 7)) for step in tags for tag in tags[step]]
        paths[0].write_bytes(b"".join(logged))
        ingest_paths(home, [str(tmp_path / "logs")])
    ingest_paths(fresh, [str(tmp_path / "logs")])

    assert known(home) == known(fresh)
    assert rows_of(home, sketches) == rows_of(fresh, sketches)
    laid_out = {series_id for row in rows_of(home, "SELECT i0, i1, i2, i3 FROM wide_run") for series_id in row}
    assert laid_out - {None} == {row[0] for row in rows_of(home, "SELECT series_id FROM series")}
    with open_writer(home) as writer:
        by_run = writer.rows("SELECT r.name, count(*) FROM segment_run JOIN run r USING (run_id) GROUP BY 1 ORDER BY 1")
        assert by_run == [("grows", 1), ("stays", 1)]


def test_runs_that_grow_together_are_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many points the segments that they share have."""
    for name, number in {"MAX_SEGMENTS": 3, "SMALL_ROWS": 10, "RUNS_AT_ONCE": 2, "LONG_POINTS": 20}.items():
        monkeypatch.setattr(settling, name, number)
    home, fresh = a_home(tmp_path), a_home(tmp_path / "fresh")
    counts = []

    for look in range(1, 6):
        for run in range(5):
            path = tmp_path / "logs" / f"run{run}" / NAME
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(point(tag, step, run + step / 8) for step in range(4 * look) for tag in "ab"))
        ingest_paths(home, [str(tmp_path / "logs")])
        by_run = "SELECT count(*) FROM segment_run GROUP BY run_id"
        with open_writer(home) as writer:
            counts.append({n for (n,) in writer.rows(by_run)})
    ingest_paths(fresh, [str(tmp_path / "logs")])

    assert counts[:3] == [{1}, {2}, {3}]
    assert counts[3] <= {1, 2}
    assert counts[4] <= {2, 3}
    assert known(home) == known(fresh)


def test_a_sketch_is_of_the_whole_curve() -> None:
    values = np.linspace(0.0, 1.0, 1000)
    first = [float(part[place]) for part in np.array_split(values[:900], 32) for place in (0, -1)]

    sketch = merge_sketches(first, 900, values[900:])

    assert len(sketch) == 64
    assert sketch == sorted(sketch)
    assert (sketch[0], sketch[-1]) == (0.0, 1.0)
    # Every stretch of 31 points is drawn where it lies.
    assert np.allclose(sketch[::2], np.arange(32) / 32, atol=0.06)


def test_a_short_curve_is_its_own_sketch() -> None:
    assert merge_sketches([1.0, 2.0], 2, np.array([3.0, math.nan]))[:3] == [1.0, 2.0, 3.0]
