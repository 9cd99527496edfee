import math
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlbench.adapters.metrics_parquet import ADAPTER
from mlbench.model import Claim, Points, ReadStatus, Role
from mlbench.wire.parquet_schema import ParquetError, parquet_columns
from tests.unit.adapters.reading import (
    claims_below,
    cursor_of,
    points_of,
    problems_of,
    read,
    read_only_claim,
    series_of,
    write,
)  # fmt: skip

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12\n"


def table(folder: Path, columns: dict[str, object], *, name: str = "metrics.parquet", group: int | None = None) -> Path:
    pq.write_table(pa.table(columns), folder / name, row_group_size=group)
    return folder / name


def test_columns_of_numbers_are_metrics_and_texts_are_not(tmp_path: Path) -> None:
    table(tmp_path, {"host": ["a", "a"], "step": [10, 20], "loss": [0.5, math.nan], "is_best": [True, None]})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert series_of(facts).keys() == {"loss", "is_best"}
    assert points_of(facts, "is_best") == [(10, 1.0)]
    (first, second) = points_of(facts, "loss")
    assert first == (10, 0.5)
    assert second[0] == 20
    assert math.isnan(second[1])
    assert cursor_of(facts).status is ReadStatus.EOF


@pytest.mark.parametrize(
    "walls",
    [
        [1.7e9, 1.7e9 + 1],
        [1_700_000_000_000, 1_700_000_001_000],
        [datetime.fromtimestamp(1.7e9, UTC), datetime.fromtimestamp(1.7e9 + 1, UTC)],
        ["2023-11-14T22:13:20", "2023-11-14T22:13:21"],
    ],
)
def test_wall_times_are_seconds_milliseconds_timestamps_or_iso(tmp_path: Path, walls: list[object]) -> None:
    table(tmp_path, {"step": [1, 2], "timestamp": walls, "loss": [0.5, 0.25]})

    (points,) = [fact for fact in read_only_claim(ADAPTER, tmp_path) if isinstance(fact, Points)]

    assert points.metric == "loss"
    assert points.wall_s.tolist() == [1.7e9, 1.7e9 + 1]


def test_row_groups_follow_each_other(tmp_path: Path) -> None:
    table(tmp_path, {"step": list(range(1000)), "loss": [float(step) for step in range(1000)]}, group=70)

    points = points_of(read_only_claim(ADAPTER, tmp_path), "loss")

    assert points == [(step, float(step)) for step in range(1000)]


def test_steps_as_floats_are_cut_and_rows_without_one_are_told(tmp_path: Path) -> None:
    table(tmp_path, {"epoch": [0.0, 1.5, None, math.inf], "loss": [1.0, 2.0, 3.0, 4.0]})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "loss") == [(0, 1.0), (1, 2.0)]
    assert problems_of(facts) == ["metrics.parquet: 2 rows have no step and were left out"]


@pytest.mark.parametrize(
    "columns",
    [
        {"epoch": [0, 1], "loss": [1.0, 0.5]},
        {"step": [0, 1], "loss": [1.0, 0.5], "wall_time": ["2023-11-14T22:13:20"] * 2},
    ],
)
def test_a_table_that_is_obvious_is_a_training_of_its_own(tmp_path: Path, columns: dict[str, object]) -> None:
    path = table(tmp_path, columns, name="run-7.parquet")

    assert claims_below(ADAPTER, tmp_path) == [Claim(str(path), Role.METRICS, str(tmp_path), is_one_training=True)]


@pytest.mark.parametrize(
    "columns",
    [
        {"feature": [0, 1], "step": [0, 1]},
        {"step": [0, 1], "user": ["a", "b"], "loss": [1.0, 0.5]},
        {"step": [0, 1], "loss": [[1.0], [0.5]]},
        {"step": [0, 1]},
    ],
)
def test_a_table_of_data_is_not_ours(tmp_path: Path, columns: dict[str, object]) -> None:
    table(tmp_path, columns, name="part-0.parquet")

    assert claims_below(ADAPTER, tmp_path) == []


def test_parts_of_a_delta_table_are_not_ours(tmp_path: Path) -> None:
    (tmp_path / "_delta_log").mkdir()
    table(tmp_path, {"step": [0, 1], "loss": [1.0, 0.5]}, name="part-0.parquet")

    assert claims_below(ADAPTER, tmp_path) == []


def test_a_file_cut_anywhere_is_a_problem_and_never_an_error(tmp_path: Path) -> None:
    path = table(tmp_path, {"step": [1, 2, 3], "loss": [0.5, 0.25, 0.125]})
    whole = path.read_bytes()

    for size in range(4, len(whole), 7):
        path.write_bytes(whole[:size])
        facts = read_only_claim(ADAPTER, tmp_path)
        assert cursor_of(facts).status is ReadStatus.DAMAGED
        assert len(problems_of(facts)) == 1


def test_a_changed_byte_is_never_an_error(tmp_path: Path) -> None:
    path = table(tmp_path, {"step": [1, 2, 3], "loss": [0.5, 0.25, 0.125]})
    whole = path.read_bytes()

    for place in range(4, len(whole), 5):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        facts = read(ADAPTER, Claim(str(path), Role.METRICS, str(tmp_path)))
        told = cursor_of(facts).status is ReadStatus.EOF or problems_of(facts)
        assert told, place


def test_a_pointer_says_how_to_get_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"metrics.parquet": POINTER, "run.parquet": POINTER})

    assert cursor_of(read_only_claim(ADAPTER, tmp_path)).status is ReadStatus.LFS_POINTER


def test_nested_columns_count_once_in_the_schema(tmp_path: Path) -> None:
    path = table(tmp_path, {"step": [1], "of": [{"a": 1, "b": {"c": 2.0}}], "loss": [0.5], "at": [datetime.now(UTC)]})

    assert [(column.name, column.is_number) for column in parquet_columns(str(path))] == [
        ("step", True), ("of", False), ("loss", True), ("at", False),
    ]  # fmt: skip


def test_a_footer_that_claims_more_than_there_is_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "metrics.parquet"
    footer = b"\x15\x04\x19\xfc" + b"\xff" * 9 + b"\x01"
    path.write_bytes(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")

    with pytest.raises(ParquetError, match="broken"):
        parquet_columns(str(path))


def test_pyarrow_is_not_loaded_to_know_what_is_ours(tmp_path: Path) -> None:
    table(tmp_path, {"step": [1], "loss": [0.5]})
    code = (
        "import sys; from mlbench.adapters.metrics_parquet import ADAPTER; from mlbench.model import Listing;"
        f"print(len(list(ADAPTER.claims(Listing({str(tmp_path)!r}, ('metrics.parquet',), ())))), 'pyarrow' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["1", "False"]
