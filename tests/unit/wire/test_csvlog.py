import math
import os
from pathlib import Path

import pytest

from mlbench.model import Points, Problem, ReadStatus
from mlbench.wire import csvlog
from mlbench.wire.csvlog import (
    Batch,
    Header,
    Table,
    TablePoints,
    head_rows,
    header_of,
    number_of,
    read_table,
    split_line,
    step_of,
)


def table_of(folder: Path, content: str | bytes) -> tuple[Table, list[Batch]]:
    path = folder / "t.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    table = Table(str(path))
    return table, list(read_table(table))


@pytest.mark.parametrize(
    ("line", "header"),
    [
        ("step,loss", Header(("step", "loss"), ",")),
        ("  epoch,   train/loss", Header(("epoch", "train/loss"), ",")),
        ("epoch;a,b;c", Header(("epoch", "a,b", "c"), ";")),
        ("step\tloss", Header(("step", "loss"), "\t")),
        ('step,"a,b"', Header(("step", "a,b"), ",")),
        ("a,a,b,a", Header(("a", "a.2", "b", "a.3"), ",")),
        ("alone", Header(("alone",), ",")),
    ],
)
def test_a_header_says_its_columns(line: str, header: Header) -> None:
    assert header_of(line) == header


def test_a_quoted_cell_beyond_the_limit_of_csv_is_one_cell() -> None:
    line = f'a,"{"x" * 200_000}"'

    assert split_line(line, ",") == [line]
    assert split_line('""', ",") == [""]


def test_the_head_of_a_file_gives_only_whole_rows() -> None:
    assert head_rows(b"\xef\xbb\xbfa,b\r\n1,2\r\n\n3,4") == (Header(("a", "b"), ","), [["1", "2"]])
    assert head_rows(b"a,b") is None
    assert head_rows(b"a,\0\n1,2\n") is None


def test_rows_come_as_columns_with_their_lines(tmp_path: Path) -> None:
    table, (batch,) = table_of(tmp_path, "\ufeffstep,loss\r\n1,0.5\r\n\r\nstep,loss\r\n2, 0.25\r\n")

    assert batch == Batch((("1", "2"), ("0.5", "0.25")), [2, 5], 0)
    assert (table.status, table.n_rows, table.problems) == (ReadStatus.EOF, 2, [])


def test_long_tables_come_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvlog, "BATCH_ROWS", 2)

    _, batches = table_of(tmp_path, "a\n1\n2\n3\n4\n5\n")

    assert [(batch.columns, batch.first_row) for batch in batches] == [
        ((("1", "2"),), 0),
        ((("3", "4"),), 2),
        ((("5",),), 4),
    ]


def test_a_comment_before_the_header_is_kept(tmp_path: Path) -> None:
    table, (batch,) = table_of(tmp_path, '#{"t_start": 1}\nr,l\n1,2\n')

    assert table.comment == '{"t_start": 1}'
    assert batch.columns == (("1",), ("2",))


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("", ReadStatus.EMPTY),
        ("\n\n", ReadStatus.EMPTY),
        ("a,b", ReadStatus.TRUNCATED),
        ("a,b\n1,2\n3", ReadStatus.TRUNCATED),
        ("#{}\n", ReadStatus.EOF),
        ("a,b\n", ReadStatus.EOF),
        ("version https://git-lfs.github.com/spec/v1\noid\n", ReadStatus.LFS_POINTER),
        ("a,b\n1\n", ReadStatus.DAMAGED),
    ],
)
def test_how_a_table_ends_is_told(tmp_path: Path, content: str, status: ReadStatus) -> None:
    table, _ = table_of(tmp_path, content)

    assert table.status is status


def test_an_endless_line_ends_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvlog, "MAX_LINE_BYTES", 16)

    table, batches = table_of(tmp_path, "a\n1\n" + "2" * 50)

    assert batches[0].columns == (("1",),)
    assert table.status is ReadStatus.DAMAGED
    assert table.problems[0].place == "line 3"


def test_rows_that_do_not_fit_are_counted_and_told_once(tmp_path: Path) -> None:
    table, batches = table_of(tmp_path, "a,b\n1,2\n3\n4,5,6\n7,8\n")

    assert batches[0].columns == (("1", "7"), ("2", "8"))
    assert [(problem.what, problem.place) for problem in table.problems] == [
        ("2 rows do not fit the header and were left out", "line 3")
    ]


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    table = Table(str(tmp_path / "fifo"))

    assert list(read_table(table)) == []
    assert (table.status, len(table.problems)) == (ReadStatus.UNREADABLE, 1)


@pytest.mark.parametrize(
    ("cell", "number"),
    [("0.5", 0.5), ("1e-8", 1e-8), ("inf", math.inf), ("True", 1.0), ("false", 0.0), ("x", None), ("", None)],
)
def test_cells_are_numbers_truths_or_text(cell: str, number: float | None) -> None:
    assert number_of(cell) == number


@pytest.mark.parametrize(
    ("cell", "step"),
    [
        ("3", 3),
        ("9007199254740993", 9007199254740993),
        ("2.0", 2),
        ("2.7", 2),
        ("-5", -5),
        ("1e300", None),
        ("99999999999999999999", None),
        ("nan", None),
        ("x", None),
    ],
)
def test_steps_keep_every_digit(cell: str, step: int | None) -> None:
    assert step_of(cell) == step


def points_in(found: TablePoints, batch: Batch, steps: list[int | None]) -> dict[str, Points]:
    return {points.metric: points for points in found.points(batch, steps, [math.nan] * len(steps))}


def test_empty_cells_are_no_points_and_nan_is_one() -> None:
    batch = Batch((("1", "2", "3"), ("0.5", "", "nan"), ("NA", "None", "null")), [2, 3, 4], 0)
    found = TablePoints(("", "loss", "acc"))

    points = points_in(found, batch, [1, 2, 3])

    assert list(points) == ["loss"]
    assert points["loss"].steps.tolist() == [1, 3]
    assert math.isnan(points["loss"].values[1])
    assert points["loss"].seq.tolist() == [1, 7]
    assert list(found.problems("t.csv")) == []


def test_the_sequence_goes_on_over_batches() -> None:
    found = TablePoints(("a", "b"))

    points_in(found, Batch((("1",), ("2",)), [2], 0), [1])
    second = points_in(found, Batch((("3",), ("4",)), [3], 1), [2])

    assert (second["a"].seq.tolist(), second["b"].seq.tolist()) == ([2], [3])


def test_columns_of_text_are_no_metrics_and_mixed_ones_are_told() -> None:
    columns = (("node1", "node1"), ("1", "x"), ("?", "!"))
    found = TablePoints(("host", "loss", "other"))

    points = points_in(found, Batch(columns, [2, 3], 0), [1, 2])

    assert list(points) == ["loss"]
    assert list(found.problems("t.csv")) == [
        Problem("t.csv", "1 cell is no number and was left out of column 'loss'", "line 3")
    ]


def test_rows_without_a_step_are_left_out_and_told() -> None:
    found = TablePoints(("a",))

    first = points_in(found, Batch((("1", "2"),), [2, 3], 0), [None, 5])
    points_in(found, Batch((("3",),), [4], 2), [None])

    assert first["a"].steps.tolist() == [5]
    assert list(found.problems("t.csv")) == [Problem("t.csv", "2 rows have no step and were left out", "line 2")]


def test_many_mixed_columns_are_told_in_one_line_more() -> None:
    names = tuple(f"m{place}" for place in range(12))
    found = TablePoints(names)

    points_in(found, Batch(tuple(("1", "x") for _ in names), [2, 3], 0), [1, 2])

    problems = list(found.problems("t.csv"))
    assert len(problems) == 11
    assert problems[-1].what == "2 more columns have cells that are no numbers"
