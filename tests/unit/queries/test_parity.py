"""The parity views as tables: which files are read again, and how series are named. The rules: tests/contract."""

from pathlib import Path

import pytest

from mlbench.errors import SourceError, UsageError
from mlbench.queries.parity import read_parity
from tests.events import scalar_file
from tests.unit.queries.conftest import FakeReader


def add_run(reader: FakeReader, root: Path, name: str, *files: str, adapter: str = "tensorboard") -> str:
    """A run whose sources are these files, below the root."""
    run_id = reader.add_run(name, root=str(root), path=str(root / name), run_key=str(root / name))
    for place, file in enumerate(files):
        reader.add("source", source_id=place, run_ids=[run_id], adapter=adapter, path=str(root / file))
    return run_id


def add_names(reader: FakeReader, run_id: str, metric: str, source_run: str, tag: str) -> None:
    series_id = reader.add_series(run_id, metric, [0.0], source_run=source_run, source_metric=tag)
    reader.connection.execute("UPDATE series SET adapter = 'tensorboard' WHERE series_id = ?", [series_id])


def test_points_are_read_from_the_files_and_named_as_in_the_catalog(empty: FakeReader, tmp_path: Path) -> None:
    scalar_file(tmp_path / "a/train/tfevents.2", {"loss": [(0, 1.0), (1, 2.0), (1, 3.0)]})
    scalar_file(tmp_path / "a/tfevents.1", {"acc": [(4, 0.5)]})
    run = add_run(empty, tmp_path, "a", "a/config.yaml", "a/tfevents.1", "a/train/tfevents.2")
    add_names(empty, run, "train/loss", "a/train", "loss")
    add_names(empty, run, "acc", "a", "acc")

    table = read_parity(empty, [run], view="tensorboard").table

    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (str(tmp_path), "a", "acc", "a", "acc", 4, 1_700_000_004.0, 0.5, 1 << 40),
        (str(tmp_path), "a", "train/loss", "a/train", "loss", 0, 1_700_000_000.0, 1.0, 2 << 40),
        (str(tmp_path), "a", "train/loss", "a/train", "loss", 1, 1_700_000_001.0, 3.0, (2 << 40) + 2),
    ]


def test_a_tag_that_the_catalog_lacks_is_named_like_the_others_of_its_folder(empty: FakeReader, tmp_path: Path) -> None:
    scalar_file(tmp_path / "a/train/tfevents.1", {"loss": [(0, 1.0)], "new": [(0, 2.0)]})
    run = add_run(empty, tmp_path, "a", "a/train/tfevents.1")
    add_names(empty, run, "train/loss", "a/train", "loss")

    table = read_parity(empty, [run], view="plugin").table

    assert table.column("metric").to_pylist() == ["train/loss", "train/new"]
    assert table.column("source_metric").to_pylist() == ["loss", "new"]


def test_a_file_that_came_later_is_read_too_and_ranks_last(empty: FakeReader, tmp_path: Path) -> None:
    scalar_file(tmp_path / "a/tfevents.2", {"loss": [(0, 1.0)]})
    run = add_run(empty, tmp_path, "a", "a/tfevents.2")
    scalar_file(tmp_path / "a/tfevents.3", {"loss": [(1, 2.0)]})

    table = read_parity(empty, [run], view="eventaccumulator").table

    assert table.column("seq").to_pylist() == [0, 2 << 40]


def test_a_file_that_is_gone_is_told_and_the_others_are_read(empty: FakeReader, tmp_path: Path) -> None:
    scalar_file(tmp_path / "a/tfevents.1", {"loss": [(0, 1.0)]})
    run = add_run(empty, tmp_path, "a", "a/tfevents.1", "a/tfevents.2")

    answer = read_parity(empty, [run], view="plugin")

    (problem,) = answer.problems
    assert problem.path == str(tmp_path / "a/tfevents.2")
    assert problem.what == "The file is gone since it was read: its points are not shown"
    assert answer.table.column("value").to_pylist() == [1.0]


@pytest.mark.parametrize("view", ["eventaccumulator", "plugin", "tensorboard"])
def test_runs_whose_files_are_all_gone_are_an_error(empty: FakeReader, tmp_path: Path, view: str) -> None:
    run = add_run(empty, tmp_path, "a", "a/tfevents.1")

    with pytest.raises(SourceError, match=r"a/tfevents\.1: the event files of these runs are gone.*Try: --view raw"):
        read_parity(empty, [run], view=view)


def test_where_a_reader_gives_up_is_told(empty: FakeReader, tmp_path: Path) -> None:
    path = tmp_path / "a/tfevents.1"
    scalar_file(path, {"loss": [(0, 1.0), (1, 2.0)]})
    path.write_bytes(path.read_bytes() + b"no record at all")
    run = add_run(empty, tmp_path, "a", "a/tfevents.1")

    answer = read_parity(empty, [run], view="tensorboard")

    (problem,) = answer.problems
    assert (problem.path, problem.place, problem.run_id) == (str(path), "offset 122", run)
    assert problem.what == "The reader ends at a length whose checksum does not hold: the last 16 bytes are not shown"
    assert answer.table.num_rows == 2


def test_series_of_other_sources_are_counted_and_left_out(empty: FakeReader, tmp_path: Path) -> None:
    run = add_run(empty, tmp_path, "a", "a/metrics.csv", adapter="metrics_csv")
    empty.add_series(run, "loss", [1.0, 2.0])

    answer = read_parity(empty, [run], view="tensorboard")

    assert (answer.table.num_rows, answer.table.num_columns, answer.n_other_series) == (0, 9, 1)
    assert answer.problems == ()


def test_a_run_without_sources_has_no_rows(empty: FakeReader) -> None:
    run = empty.add_run("a")

    assert read_parity(empty, [run], view="plugin").table.num_rows == 0


def test_an_unknown_view_names_the_nearest(empty: FakeReader) -> None:
    with pytest.raises(UsageError, match=r"no view 'plugins'\. Did you mean 'plugin'"):
        read_parity(empty, [], view="plugins")
