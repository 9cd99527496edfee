"""Which metric others are drawn over by W&B's `define_metric`: rules, and runs in a hand-made catalog."""

import numpy as np
import pytest

from mlbench.queries.series import export_series, fetch_series
from mlbench.queries.step_metrics import (
    common_axis,
    default_axis,
    places_on,
    with_axis,
    with_step_metrics,
)
from mlbench.queries.step_rules import TAG, step_metric_of
from tests.unit.queries.conftest import FakeReader

NAN = float("nan")
RULES = [("val/*", "epoch"), ("val/speed*", "batch"), ("val/loss", "round"), ("*", "anything"), ("a*b", "never")]


@pytest.mark.parametrize(
    ("metric", "over"),
    [
        ("val/acc", "epoch"),
        ("val/speed_ms", "batch"),
        ("val/loss", "round"),
        ("other", "anything"),
        ("axxb", "anything"),
    ],
)
def test_the_name_goes_before_patterns_and_the_longer_before_the_shorter(metric: str, over: str) -> None:
    assert step_metric_of(metric, RULES) == over


def test_a_pattern_does_not_draw_a_metric_over_itself() -> None:
    assert step_metric_of("epoch", [("*", "epoch")]) == ""
    assert step_metric_of("loss", []) == ""


def reader_of(rules: dict[str, str]) -> tuple[FakeReader, list[str]]:
    """Two runs with `val/acc` and `epoch`, the first also with `loss`."""
    reader = FakeReader()
    ids = [reader.add_run("one"), reader.add_run("two")]
    curve = [(0, 1.0), (1, 2.0)]
    for run_id in ids:
        for metric in ("val/acc", "epoch", *(["loss"] if run_id == ids[0] else [])):
            reader.add_series(run_id, metric, curve)
        if rule := rules.get(run_id) or rules.get("all"):
            reader.connection.execute("INSERT INTO imported_tag VALUES (?, ?, ?)", [run_id, TAG, rule])
    return reader, ids


def test_what_all_runs_define_is_the_axis() -> None:
    reader, ids = reader_of({"all": "val/*=epoch"})

    assert default_axis(reader, ids, ["val/acc"]) == "epoch"
    assert default_axis(reader, ids, ["val/acc", "loss"]) == ""
    assert default_axis(reader, ids, ["loss"]) == ""
    assert default_axis(reader, [], ["val/acc"]) == ""


def test_a_metric_that_was_never_logged_is_no_axis() -> None:
    reader, ids = reader_of({"all": "val/*=samples=seen"})

    assert default_axis(reader, ids, ["val/acc"]) == ""


def test_runs_that_differ_are_drawn_over_the_step() -> None:
    reader, ids = reader_of({})
    reader.connection.execute("INSERT INTO imported_tag VALUES (?, ?, 'val/*=epoch')", [ids[0], TAG])

    assert default_axis(reader, ids, ["val/acc"]) == ""
    assert default_axis(reader, ids[:1], ["val/acc"]) == "epoch"


def test_series_have_the_values_of_what_they_are_drawn_over() -> None:
    reader, ids = reader_of({"all": "val/*=epoch"})

    found = with_step_metrics(reader, fetch_series(reader, ids, ["val/acc", "loss"]))

    assert [(one.metric, one.over) for one in found] == [("val/acc", "epoch"), ("val/acc", "epoch"), ("loss", "")]
    assert [None if one.over_values is None else one.over_values.tolist() for one in found] == [
        [1.0, 2.0], [1.0, 2.0], None,
    ]  # fmt: skip
    assert common_axis(found[:2]) == "epoch"
    assert common_axis(found) == ""
    assert common_axis([]) == ""


def test_series_without_rules_stay_as_they_are() -> None:
    reader, ids = reader_of({})
    series = fetch_series(reader, ids, ["val/acc"])

    assert with_step_metrics(reader, series) == series


def test_a_name_that_is_drawn_over_the_step_is_so_in_spite_of_patterns() -> None:
    assert step_metric_of("val/loss", [("val/*", "epoch"), ("val/loss", "")]) == ""


def test_an_export_has_the_axis_and_its_values_where_a_run_defined_one() -> None:
    reader = FakeReader()
    one, two = reader.add_run("one"), reader.add_run("two")
    for run_id in (one, two):
        reader.add_series(run_id, "epoch", [(0, 1.0), (10, 2.0)])
        reader.add_series(run_id, "val/acc", [(0, 0.5), (5, 0.6), (10, 0.7)])
    reader.connection.execute("INSERT INTO imported_tag VALUES (?, ?, ?)", [one, TAG, "val/*=epoch"])

    table = export_series(reader, [one, two], view="raw")
    without = export_series(reader, [two], view="raw")

    rows = [(row["metric"], row["step"], row["axis"], row["x"]) for row in table.to_pylist()]
    assert [row[:3] for row in rows if row[0] == "val/acc"] == [
        ("val/acc", 0, "epoch"), ("val/acc", 5, "epoch"), ("val/acc", 10, "epoch"),
        ("val/acc", 0, "step"), ("val/acc", 5, "step"), ("val/acc", 10, "step"),
    ]  # fmt: skip
    assert [str(row[3]) for row in rows if row[0] == "val/acc"] == ["1.0", "nan", "2.0", "0.0", "5.0", "10.0"]
    assert [(row[2], row[3]) for row in rows if row[0] == "epoch"] == [("step", 0.0), ("step", 10.0)] * 2
    assert without.num_columns == 9


def test_a_chosen_metric_is_the_axis_of_all_that_have_it() -> None:
    reader, ids = reader_of({"all": "val/*=epoch"})

    chosen = with_axis(reader, fetch_series(reader, ids, ["val/acc"]), "loss")
    gone = with_axis(reader, fetch_series(reader, ids, ["val/acc"]), "never")

    assert [one.over for one in chosen] == ["loss", "loss"]
    assert chosen[0].over_values is not None
    assert chosen[0].over_values.tolist() == [1.0, 2.0]
    assert chosen[1].over_values is not None
    assert np.isnan(chosen[1].over_values).all()
    assert [one.over for one in gone] == ["", ""]


@pytest.mark.parametrize(
    ("epochs", "places"),
    [
        ([(0, 0.0), (10, 1.0), (20, 2.0)], [0.0, 0.5, 1.0, 1.5, 2.0]),
        ([(10, 1.0), (20, 1.0)], [NAN, NAN, 1.0, 1.0, 1.0]),
        ([(0, 0.0), (10, 1.0), (20, 0.5)], [0.0, NAN, 1.0, NAN, 0.5]),
        ([(0, 0.0), (10, NAN), (20, 2.0)], [0.0, 0.5, 1.0, 1.5, 2.0]),
        ([(5, 3.0)], [NAN, 3.0, NAN, NAN, NAN]),
    ],
)
def test_points_stand_between_the_values_of_a_metric_that_never_falls(
    epochs: list[tuple[int, float]], places: list[float]
) -> None:
    reader = FakeReader()
    run_id = reader.add_run("one")
    reader.add_series(run_id, "loss", [(step, 1.0) for step in range(0, 25, 5)])
    reader.add_series(run_id, "epoch", epochs)
    loss, epoch = fetch_series(reader, [run_id], ["loss", "epoch"])

    assert places_on(loss, epoch).tolist() == pytest.approx(places, nan_ok=True)
    assert np.isnan(places_on(loss, None)).all()
