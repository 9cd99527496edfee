"""Points of long runs are laid into a file while the run is read, and come out as if all had been held."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.errors import HomeError
from mlbench.ingest import laying as module
from mlbench.ingest import naming
from mlbench.ingest import shelf as shelves
from mlbench.ingest.laying import LaidTable, Laying, PointParts, of_metrics, parts_of
from mlbench.ingest.naming import NamedPoints, name_points
from mlbench.ingest.read import read_source
from mlbench.ingest.series import SeriesPoints, ends_of, series_of, sort_points
from mlbench.ingest.shelf import Shelf, Span
from mlbench.ingest.tables import join_tables
from mlbench.model import Adapter, Claim, Cursor, Points, PointTable, Role
from mlbench.wire.point_grids import PointGrid
from tests.unit.ingest.sources import draft, source
from tests.unit.ingest.test_workers import LOGS, answers, home_in

COLUMNS = ("source_ids", "seq", "steps", "wall_s", "values")
NAMES = ("a", "b", "c", "d")


@pytest.fixture(autouse=True)
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few points are worth a part of their own."""
    monkeypatch.setattr(module, "LEAST_LAID", 1)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of more than two points are long."""
    monkeypatch.setattr(module, "HELD_POINTS", 3)
    for place in (module, naming, shelves):
        monkeypatch.setattr(place, "LONG_POINTS", 2)


def table(which: Sequence[int], start: int = 0) -> PointTable:
    """Points of some of NAMES by their places; what they hold tells them apart."""
    present = sorted(set(which))
    places = np.arange(start, start + len(which))
    return PointTable(
        tuple(NAMES[number] for number in present), np.array([present.index(one) for one in which], np.int32),
        places % 5, np.mod(7.0 * places, 31), places / 8, places,
    )  # fmt: skip


def grid(n_each: int, start: int = 0, *, lines: tuple[int, ...] = (0, 1, 2), is_single: bool = True) -> PointGrid:
    n = len(lines)
    later = start + n * np.arange(n_each)
    numbers = np.array(range(start, start + n * n_each), dtype=np.float64).reshape(n_each, n).T
    walls = np.mod(7 * numbers, 31)
    values = (numbers / 8).astype(np.float32 if is_single else np.float64)
    return PointGrid(
        tuple(NAMES[line] for line in lines), (later % 5)[None, :],
        [piece for piece in (walls[:, :1], walls[:, 1:]) if piece.size], [values], np.arange(n)[:, None], later,
    )  # fmt: skip


def batches_of(kinds: Sequence[tuple[str, list[int]]]) -> list[Points | PointTable]:
    """Batches one behind another, as a source gives them."""
    batches: list[Points | PointTable] = []
    start = 0
    for kind, which in kinds:
        if kind == "grid":
            batch: Points | PointTable = grid(len(which), start, lines=(1, 0, 3))
        elif kind == "points":
            one = table([which[0]] * len(which), start)
            batch = Points(one.metrics[0], one.steps, one.wall_s, one.values, one.seq)
        else:
            batch = table(which, start)
        start += batch.n_points if isinstance(batch, PointTable) else len(batch.steps)
        batches.append(batch)
    return batches


def read_by(laying: Laying, batches: Sequence[Points | PointTable]) -> PointTable | None:
    taken: list[Points | PointTable] = []
    for batch in batches:
        taken.append(batch)
        laying.note(taken)
    return laying.joined(taken)


def named(*tables: PointTable | None) -> NamedPoints:
    found = name_points(draft(*(source(f"/logs/run/e{n}", one, source_id=n + 5) for n, one in enumerate(tables))))
    assert found is not None
    return found


def sorted_rows(found: NamedPoints) -> dict[str, list[tuple[Any, ...]]]:
    """Of each series its points."""
    return rows_of(found, sort_points([series_of(found)]))


def rows_of(found: NamedPoints, points: SeriesPoints) -> dict[str, list[tuple[Any, ...]]]:
    rows = list(zip(*(getattr(points, name).tolist() for name in COLUMNS), strict=True))
    starts = (points.ends - points.counts).tolist()
    return {
        key.metric: rows[start : start + count]
        for key, start, count in zip(found.keys, starts, points.counts.tolist(), strict=True)
    }


SOME = st.lists(
    st.tuples(st.sampled_from(["grid", "points", "table"]), st.lists(st.integers(0, 3), min_size=1, max_size=6)),
    min_size=1, max_size=5,
)  # fmt: skip


# ---------------------------------------------------------------- what comes out


@given(st.lists(SOME, min_size=1, max_size=3), st.integers(0, 12), st.integers(1, 5), st.integers(1, 12))
def test_laid_points_are_those_that_were_read(
    tmp_path_factory: pytest.TempPathFactory,
    files: list[list[tuple[str, list[int]]]],
    held: int,
    least: int,
    together: int,
) -> None:
    folder = str(tmp_path_factory.getbasetemp())
    whole = named(*(join_tables(batches_of(kinds)) for kinds in files))
    with pytest.MonkeyPatch.context() as patch, Laying(folder) as laying:
        patch.setattr(module, "HELD_POINTS", held)
        patch.setattr(module, "LEAST_LAID", least)
        patch.setattr(module, "LONG_POINTS", together)
        found = named(*(read_by(laying, batches_of(kinds)) for kinds in files))

        assert found.keys == whole.keys
        assert found.n_points == whole.n_points
        assert found.counts().tolist() == whole.counts().tolist()
        assert ends_of(found) == ends_of(whole) == series_of(whole).ends()
        wanted = sorted_rows(whole)
        assert sorted_rows(found) == wanted
        for first in range(len(found.keys)):
            for stop in range(first + 1, len(found.keys) + 1):
                some = found.some(first, stop)
                assert some.counts().tolist() == found.counts()[first:stop].tolist()
                part = [wanted[key.metric] for key in found.keys[first:stop]]
                assert list(sorted_rows(some).values()) == part


@pytest.mark.usefixtures("few")
def test_a_catalog_of_long_runs_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = answers(home_in(tmp_path / "long"), LOGS)
    n_segments = len(os.listdir(tmp_path / "long/cache/points"))
    monkeypatch.undo()
    whole = answers(home_in(tmp_path / "whole"), LOGS)

    assert n_segments > 10 * len(os.listdir(tmp_path / "whole/cache/points"))
    for name, rows in whole.items():
        assert found[name] == rows, name


def test_matrices_that_go_on_are_one_again_and_keep_their_single_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HELD_POINTS", 10)
    with Laying(str(tmp_path)) as laying:
        found = read_by(laying, [grid(4), grid(2, 12), grid(3, 18), grid(1, 27)])

        assert isinstance(found, PointGrid)
        assert (found.n_each, found.is_single) == (10, True)
        assert "LaidArray" in {type(piece).__name__ for piece in found.wall_pieces}
        assert found.seq.reshape(3, -1).T.ravel().tolist() == list(range(30))
        part = of_metrics(found, np.array([1]))
        assert isinstance(part, PointGrid)
        assert part.values.tolist() == [(3 * n + 1) / 8 for n in range(10)]
        points = sort_points([series_of(named(found).some(1, 3))], may_be_single=True)
        assert points.values.dtype == np.float32


@pytest.mark.parametrize(
    "other",
    [grid(2, 12, lines=(0, 2, 1)), grid(2, 12, lines=(0, 1)), table([0, 1], 12)],
    ids=["order", "fewer", "table"],
)
def test_what_does_not_go_on_stays_a_part(other: PointTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONG_POINTS", 5)

    found = Laying("/nowhere").joined([grid(4), other])

    assert isinstance(found, PointParts)
    assert found.n_points == 12 + other.n_points
    whole = join_tables([grid(4), other])
    assert whole is not None
    assert found.metrics == whole.metrics
    for name in ("which", "steps", "wall_s", "values", "seq"):
        assert getattr(found, name).tolist() == getattr(whole, name).tolist()


def test_few_points_are_one_table() -> None:
    laying = Laying("/nowhere")

    found = laying.joined([table([0, 1]), table([1, 2], 2)])

    assert found is not None
    assert parts_of(found) == [found]
    assert laying.joined([]) is None


# ---------------------------------------------------------------- the shelf


@pytest.mark.usefixtures("few")
def test_a_long_run_gets_segments_of_a_few_series_and_the_others_one(tmp_path: Path) -> None:
    shelf = Shelf(str(tmp_path), 5)

    first = shelf.add(draft(source("/logs/a/e", table([0, 1])), folder="/logs/a"))
    long = shelf.add(draft(source("/logs/b/e", table([3, 0, 1, 2, 2, 2], 2)), folder="/logs/b"))
    n_points = shelf.n_points
    found = shelf.store()

    assert (first, long) == (Span(0.0, 7.0), Span(4.0, 28.0))
    assert n_points == 2
    series = [stored.series.to_pylist() for stored in found]  # type: ignore[union-attr]
    assert [[(row["series_id"], row["metric"], row["n_raw"]) for row in rows] for rows in series] == [
        [(5, "a", 1), (6, "b", 1)], [(7, "c", 3)], [(8, "d", 1)], [(9, "a", 1), (10, "b", 1)],
    ]  # fmt: skip
    for rows, stored in zip(series, found, strict=True):
        assert {row["run_id"] for row in rows} == set(stored.run_ids)
        points = pq.read_table(tmp_path / stored.segment.file)
        assert sorted(set(points["series_id"].to_pylist())) == [row["series_id"] for row in rows]
    assert shelf.store() == []


# ---------------------------------------------------------------- the file


def test_nothing_is_written_for_a_run_that_is_not_long(tmp_path: Path) -> None:
    with Laying(str(tmp_path / "points")) as laying:
        read_by(laying, [table([0, 1, 2])])

    assert list(tmp_path.iterdir()) == []


def test_the_file_has_no_name_and_is_gone_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELD_POINTS", 2)
    before = set(os.listdir("/proc/self/fd"))

    with Laying(str(tmp_path / "points")) as laying:
        found = read_by(laying, [table([0, 1, 2])])
        assert isinstance(found, LaidTable)
        assert list((tmp_path / "points").iterdir()) == []
        assert len(set(os.listdir("/proc/self/fd")) - before) == 1

    assert set(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ValueError, match="closed"):
        _gone = found.steps


def test_what_cannot_be_laid_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELD_POINTS", 2)

    def full(*_arguments: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with Laying(str(tmp_path)) as laying:
        found = read_by(laying, [table([0, 1, 2]), table([0, 3], 3)])

    assert type(found) is PointTable
    assert found.n_points == 5


def test_where_no_folder_can_be_made_all_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELD_POINTS", 2)
    (tmp_path / "file").write_text("")

    with Laying(str(tmp_path / "file/points")) as laying:
        found = read_by(laying, [table([0, 1, 2])])

    assert type(found) is PointTable


def test_short_writes_and_reads_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELD_POINTS", 2)
    pwrite, pread = os.pwrite, os.pread
    monkeypatch.setattr(os, "pwrite", lambda fd, content, at: pwrite(fd, content[:5], at))
    monkeypatch.setattr(os, "pread", lambda fd, n_bytes, at: pread(fd, min(n_bytes, 3), at))

    with Laying(str(tmp_path)) as laying:
        found = read_by(laying, [table([0, 1, 0])])

        assert found is not None
        assert found.seq.tolist() == [0, 2, 1]
        assert found.wall_s.tolist() == [0.0, 14.0, 7.0]


def test_a_file_that_was_cut_is_no_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELD_POINTS", 2)
    monkeypatch.setattr(os, "pread", lambda *_arguments: b"")

    with Laying(str(tmp_path)) as laying:
        found = read_by(laying, [table([0, 1, 0])])

        assert found is not None
        with pytest.raises(HomeError, match="not in it"):
            _lost = found.steps


def nothing(_listing: object) -> Iterator[Claim]:
    return iter(())


@pytest.mark.usefixtures("few")
def test_a_source_that_fails_in_the_end_leaves_nothing(tmp_path: Path) -> None:
    def read(_source: object, _cursor: object) -> Iterator[PointTable | Cursor]:
        yield table([0, 1, 2, 3])
        raise RuntimeError("no")

    adapter = Adapter(name="odd", version=1, claims=nothing, read=read, example=lambda _folder: None)
    with Laying(str(tmp_path)) as laying:
        reading = read_source(adapter, Claim("/logs/x", Role.EVENTS, "/logs"), None, laying=laying)

    assert reading.points is None
    assert reading.n_points == 0


@pytest.mark.usefixtures("few")
def test_what_a_source_that_failed_had_is_not_held_against_the_next(tmp_path: Path) -> None:
    with Laying(str(tmp_path / "points")) as laying:
        batches: list[Points | PointTable] = [table([0, 1, 2])]
        laying.note(batches)
        laying.drop()

        found = read_by(laying, [table([0, 1, 2])])

    assert type(found) is PointTable
    assert not (tmp_path / "points").exists()


def test_a_short_run_of_which_something_is_laid_is_stored_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HELD_POINTS", 2)
    shelf = Shelf(str(tmp_path), 0)

    with Laying(str(tmp_path)) as laying:
        shelf.add(draft(source("/logs/a/e", read_by(laying, [table([0, 1, 0])]))))

    (stored,) = shelf.store()
    assert pq.read_table(tmp_path / stored.segment.file)["seq"].to_pylist() == [0, 2, 1]


def test_few_batches_are_laid_together_and_the_last_ones_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HELD_POINTS", 4)
    monkeypatch.setattr(module, "LEAST_LAID", 3)
    with Laying(str(tmp_path)) as laying:
        held = read_by(laying, [table([0, 1, 2, 3])])
        found = read_by(laying, [table([0], start) for start in range(4, 12)])

        assert type(held) is PointTable
        assert isinstance(found, PointParts)
        assert [(type(part), part.n_points) for part in found.parts] == [(LaidTable, 3), (LaidTable, 3), (LaidTable, 2)]
        assert found.seq.tolist() == list(range(4, 12))


def test_metrics_that_are_only_named_are_no_series() -> None:
    empty = PointTable(("x",), np.zeros(0, np.int32), *(np.zeros(0, kind) for kind in ("i8", "f8", "f8", "i8")))
    named_too = table([1, 1])
    named_too = PointTable(
        ("z", "b"), named_too.which + 1, named_too.steps, named_too.wall_s, named_too.values, named_too.seq
    )

    found = named(empty, named_too, None)

    assert [key.metric for key in found.keys] == ["b"]
    assert sorted_rows(found)["b"] == [(6, (1 << 40) + seq, seq, 7.0 * seq, seq / 8) for seq in (0, 1)]
    assert name_points(draft(source("/logs/run/e", empty))) is None
