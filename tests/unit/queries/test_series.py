"""Promises of points: for charts and for export."""

import numpy as np
import pytest

from mlbench.errors import UsageError
from mlbench.queries.series import count_set_aside, export_series, fetch_series
from tests.unit.queries.conftest import NOW_S, FakeReader, run_id_of


def test_series_come_metric_by_metric_in_the_order_of_the_runs(reader: FakeReader) -> None:
    ids = [run_id_of("sweep/1"), run_id_of("sweep/0"), run_id_of("ppo")]

    found = fetch_series(reader, ids, ["val/loss", "acc"])

    assert [(series.metric, series.head.name, series.values.tolist()) for series in found] == [
        ("val/loss", "sweep/1", [0.9, 0.4, 0.35]),
        ("val/loss", "sweep/0", [0.9, 0.2, 0.25]),
        ("acc", "sweep/1", [0.1, 0.85, 0.9]),
        ("acc", "sweep/0", [0.1, 0.95, 0.8]),
    ]
    assert found[0].steps.tolist() == [0, 1, 2]
    assert found[0].wall_s.tolist() == [1000.0, 1001.0, 1002.0]
    assert (found[0].n_raw, found[0].goal, found[2].goal) == (3, "min", "max")
    assert found[0].started_s == NOW_S - 2 * 86400


def test_the_effective_view_leaves_out_what_a_restart_took_back(reader: FakeReader) -> None:
    ids = [run_id_of("restarted")]

    (effective,) = fetch_series(reader, ids, ["train/loss"])
    (raw,) = fetch_series(reader, ids, ["train/loss"], view="raw")

    assert (effective.steps.tolist(), effective.values.tolist()) == ([0, 1, 2, 3], [1.0, 0.8, 0.7, 0.6])
    assert raw.steps.tolist() == [0, 1, 2, 1, 2, 3]
    assert effective.n_raw == raw.n_raw == 6


def test_times_are_left_unread_and_take_no_memory(reader: FakeReader) -> None:
    ids = [run_id_of("restarted"), run_id_of("sweep/0")]

    found = fetch_series(reader, ids, ["train/loss", "acc"], has_times=False)
    whole = fetch_series(reader, ids, ["train/loss", "acc"])

    assert [series.values.tolist() for series in found] == [series.values.tolist() for series in whole]
    assert [series.steps.tolist() for series in found] == [series.steps.tolist() for series in whole]
    assert all(np.isnan(series.wall_s).all() and series.wall_s.strides == (0,) for series in found)
    assert [series.wall_s.shape for series in found] == [series.values.shape for series in whole]
    assert {series.has_times for series in found} == {False}


def test_of_several_sources_the_longest_series_is_drawn(empty: FakeReader) -> None:
    run = empty.add_run("a")
    empty.add_series(run, "loss", [1.0], source_run="x")
    empty.add_series(run, "loss", [2.0, 3.0], source_run="y")

    (series,) = fetch_series(empty, [run], ["loss"])

    assert series.values.tolist() == [2.0, 3.0]


def test_series_of_equal_steps_share_them(empty: FakeReader) -> None:
    ids = [empty.add_run(name) for name in "abc"]
    for run, values in zip(ids, ([1.0, 2.0], [3.0, 4.0], [5.0, 6.0, 7.0]), strict=True):
        empty.add_series(run, "loss", values)

    a, b, c = fetch_series(empty, ids, ["loss"])

    assert a.steps is b.steps
    assert (b.steps.tolist(), c.steps.tolist()) == ([0, 1], [0, 1, 2])


def test_runs_are_exported_one_after_another_whatever_the_order_of_their_series(empty: FakeReader) -> None:
    ids = [empty.add_run(name) for name in "ab"]
    for metric in ("acc", "loss"):
        for run in ids:
            empty.add_series(run, metric, [float(len(metric)), float(ids.index(run))])

    table = export_series(empty, ids, view="raw")

    assert table.select(["run", "metric", "value"]).to_pydict() == {
        "run": [name for name in "ab" for _ in range(4)],
        "metric": ["acc", "acc", "loss", "loss"] * 2,
        "value": [3.0, 0.0, 4.0, 0.0, 3.0, 1.0, 4.0, 1.0],
    }


def test_no_metrics_are_no_series(reader: FakeReader) -> None:
    assert fetch_series(reader, [run_id_of("ppo")], []) == ()


@pytest.mark.parametrize(
    ("metric", "view", "message"),
    [
        ("los", "raw", "no metric 'los' in 1 run."),
        ("acc", "rawe", "there is no view 'rawe'. Did you mean 'raw'? Try one of: effective, raw"),
    ],
)
def test_an_unknown_metric_or_view_is_told(empty: FakeReader, metric: str, view: str, message: str) -> None:
    run = empty.add_run("a")
    empty.add_series(run, "acc", [1.0])

    with pytest.raises(UsageError) as raised:
        fetch_series(empty, [run], [metric], view=view)

    assert str(raised.value) == message


def test_an_export_has_every_point_of_every_source(empty: FakeReader) -> None:
    run = empty.add_run("exp/a", root="/runs", path="/runs/exp/a")
    empty.add_series(run, "train/loss", [(0, 1.0), (1, 2.0), (1, 3.0), (0, 4.0)], source_run="exp/a/train",
                     source_metric="loss")  # fmt: skip
    top = empty.add_run("top", path="/runs", root="/runs")
    empty.add_series(top, "acc", [5.0], source_run=".")

    table = export_series(empty, [top, run], view="raw")

    assert table.column_names == [
        "root", "run", "metric", "source_run", "source_metric", "step", "wall_time", "value", "seq",
    ]  # fmt: skip
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("/runs", "exp/a", "train/loss", "exp/a/train", "loss", 0, 1000.0, 1.0, 0),
        ("/runs", "exp/a", "train/loss", "exp/a/train", "loss", 1, 1001.0, 2.0, 1),
        ("/runs", "exp/a", "train/loss", "exp/a/train", "loss", 1, 1001.0, 3.0, 2),
        ("/runs", "exp/a", "train/loss", "exp/a/train", "loss", 0, 1000.0, 4.0, 3),
        ("/runs", ".", "acc", ".", "acc", 0, 1000.0, 5.0, 0),
    ]
    assert export_series(empty, [run], view="effective").column("value").to_pylist() == [4.0]
    assert export_series(empty, [run], view="effective").column("seq").to_pylist() == [3]


def test_an_export_of_nothing_is_an_empty_table_with_all_columns(empty: FakeReader) -> None:
    for view in ("raw", "effective"):
        table = export_series(empty, [], view=view)

        assert (table.num_rows, table.num_columns) == (0, 9)


@pytest.mark.parametrize(
    ("key", "root", "run"),
    [("/mlruns#abc", "/mlruns", "#abc"), ("/a/b#1", "/a", "b#1"), ("/x/y", None, "."), ("/x/y", "/z", "/x/y"), ("/x/y", "/", "x/y"), ("/abc", "/a", "/abc")],
)  # fmt: skip
def test_a_run_is_told_below_its_root(empty: FakeReader, key: str, root: str | None, run: str) -> None:
    run_id = empty.add_run("a", run_key=key, root=root)
    empty.add_series(run_id, "loss", [1.0])

    assert export_series(empty, [run_id], view="raw").column("run").to_pylist() == [run]


def test_what_the_effective_view_leaves_out_and_repeats_is_counted(empty: FakeReader) -> None:
    run, other = empty.add_run("a"), empty.add_run("b")
    empty.add_series(run, "loss", [(0, 1.0), (1, 2.0), (2, 2.5), (1, 3.0)])
    empty.add_series(run, "acc", [(0, 1.0)])
    empty.add_series(other, "loss", [(0, 1.0), (0, 2.0)])
    empty.connection.execute("UPDATE series SET n_repeat = 1 WHERE run_id = ?", [other])

    assert count_set_aside(empty, [run]) == (5, 2, 0)
    assert count_set_aside(empty, [run, other]) == (7, 2, 1)
    assert count_set_aside(empty, []) == (0, 0, 0)
