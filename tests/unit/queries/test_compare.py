"""Promises of the comparison."""

import math

import pytest

from mlbench.errors import UsageError
from mlbench.journal import Words
from mlbench.queries.answers import DiffAnswer, FactRow, MetricCell, ParamCell, ParamRow
from mlbench.queries.compare import compare_runs
from mlbench.queries.meaning import meaning_of
from tests.unit.queries.conftest import INF, NAN, FakeReader, run_id_of, typed


def two_runs(reader: FakeReader) -> list[str]:
    return [reader.add_run("a", run_id="a"), reader.add_run("b", run_id="b")]


def params(answer: DiffAnswer) -> dict[str, tuple[str | None, ...]]:
    return {row.key: tuple(cell.raw for cell in row.cells) for row in answer.params}


def test_only_parameters_that_differ_in_meaning_are_kept(empty: FakeReader) -> None:
    ids = two_runs(empty)
    for key, first, second in (("lr", 0.001, "1e-3"), ("depth", 3, 4), ("amp", True, "True"), ("opt", "adam", "sgd"),
                               ("n", 1, 1.0), ("layers", [1, 2], [1, 2]), ("big", 2**60, 2**60 + 1)):  # fmt: skip
        empty.add_param("a", key, first)
        empty.add_param("b", key, second)

    answer = compare_runs(empty, ids)

    assert params(answer) == {"big": (str(2**60), str(2**60 + 1)), "depth": ("3", "4"), "opt": ("adam", "sgd")}
    assert answer.n_equal_params == 4
    assert answer.differs


def test_a_missing_parameter_is_not_a_null(empty: FakeReader) -> None:
    ids = two_runs(empty)
    empty.add_param("a", "ckpt", None)

    (row,) = compare_runs(empty, ids).params

    assert row == ParamRow("ckpt", (ParamCell("None", None, "config", "config.yaml"), ParamCell(None)), differs=True)


def test_everything_keeps_what_is_equal_and_says_so(empty: FakeReader) -> None:
    ids = two_runs(empty)
    for run_id in ids:
        empty.add_param(run_id, "lr", 0.1)
        empty.add_series(run_id, "loss", [1.0])

    answer = compare_runs(empty, ids, everything=True)

    assert [(row.key, row.differs) for row in answer.params] == [("lr", False)]
    assert [(row.metric, row.differs) for row in answer.metrics] == [("loss", False)]
    assert (answer.n_equal_params, answer.n_equal_metrics, answer.differs) == (0, 0, False)
    assert compare_runs(empty, ids).n_equal_metrics == 1


def test_only_the_strongest_layer_is_compared(empty: FakeReader) -> None:
    ids = two_runs(empty)
    for run_id, default in zip(ids, (1, 2), strict=True):
        empty.add_param(run_id, "lr", default, layer="default", is_effective=False)
        empty.add_param(run_id, "lr", 3, layer="cli")

    assert compare_runs(empty, ids).params == ()


def test_a_reference_to_a_parameter_that_differs_is_no_difference_of_its_own(empty: FakeReader) -> None:
    ids = two_runs(empty)
    for number, run_id in enumerate(ids):
        empty.add_param(run_id, "data.n", number, layer="override")
        for key, raw in (("copy", "${data.n}"), ("other", "${oc.env:HOST}")):
            empty.add("param", run_id=run_id, key=key, raw=raw, type="int", num=float(number), txt=str(number),
                      layer="config", is_effective=True)  # fmt: skip

    assert params(compare_runs(empty, ids)) == {"data.n": ("0", "1"), "other": ("${oc.env:HOST}", "${oc.env:HOST}")}


def test_what_a_source_works_out_to_tell_runs_apart_is_no_difference(empty: FakeReader) -> None:
    ids = two_runs(empty)
    for number, run_id in enumerate(ids):
        empty.add_params(run_id, "derived", **{"hydra.job.num": number, "env_id": f"env{'ab'[number]}"})

    assert params(compare_runs(empty, ids)) == {"env_id": ("enva", "envb")}


@pytest.mark.parametrize(
    ("left", "right", "are_equal"),
    [
        (1, 1.0, True), ("1e-3", 0.001, True), ("nan", NAN, False), (NAN, NAN, True), (True, "true", True),
        (True, 1, False), (None, "null", False), (None, None, True), ("a", "A", False), (INF, INF, True), (INF, 1, False),
        ([1, 2.0], [1.0, 2], True), ([1], [True], False), ([1], ["1"], False), ([1], [1, 1], False),
    ],
)  # fmt: skip
def test_equal_means_the_same_meaning(left: object, right: object, are_equal: bool) -> None:
    assert (meaning_of(*typed(left)) == meaning_of(*typed(right))) is are_equal


def test_mappings_and_broken_lists_have_a_meaning_too() -> None:
    assert meaning_of("dict", None, '{"a": 1, "b": null}') == meaning_of("dict", None, '{"b": null, "a": 1.0}')
    assert meaning_of("list", None, "[1,") == ("tree", ("str", "[1,"))
    assert meaning_of("dict", None, '{"a": NaN}') == meaning_of("dict", None, '{"a": NaN}')


def test_metrics_are_compared_by_their_best_towards_the_goal(empty: FakeReader) -> None:
    ids = two_runs(empty)
    empty.add_series("a", "loss", [1.0, 0.5, 0.75])
    empty.add_series("b", "loss", [1.0, 0.25, 0.375])
    empty.add_series("a", "acc", [0.5, 0.75])
    empty.add_series("b", "acc", [0.5, 0.625])
    empty.add_series("a", "grad", [2.0])
    empty.add_series("b", "grad", [3.0])

    answer = compare_runs(empty, ids)

    assert [(row.metric, row.goal, row.goal_how) for row in answer.metrics] == [
        ("acc", "max", "guessed"), ("grad", "", ""), ("loss", "min", "guessed"),
    ]  # fmt: skip
    cells = {row.metric: row.cells for row in answer.metrics}
    assert cells["loss"] == (
        MetricCell(0.75, 2, 0.5, 1, n=3),
        MetricCell(0.375, 2, 0.25, 1, -0.25, -50.0, True, n=3),
    )
    assert (cells["acc"][1].delta, cells["acc"][1].is_better) == (-0.125, False)
    assert (cells["grad"][1].best, cells["grad"][1].delta, cells["grad"][1].is_better) == (None, 1.0, None)
    assert cells["grad"][1].percent == 50.0


def test_the_primary_metric_stands_first(empty: FakeReader) -> None:
    ids = two_runs(empty)
    for name in ("a", "z"):
        empty.add_series("a", name, [1.0])
    empty.say(Words(goals={"z": "min"}))

    assert [row.metric for row in compare_runs(empty, ids).metrics] == ["z", "a"]
    assert compare_runs(empty, ids).metrics[0].goal_how == "set"


def test_a_metric_that_a_run_lacks_is_empty_and_differs(empty: FakeReader) -> None:
    ids = two_runs(empty)
    empty.add_series("b", "loss", [1.0])

    (row,) = compare_runs(empty, ids).metrics

    assert row.cells[0] == MetricCell(None)
    assert (row.cells[1].last, row.cells[1].delta, row.cells[1].percent) == (1.0, None, None)
    assert row.differs


def test_nan_equals_nan_and_has_no_delta(empty: FakeReader) -> None:
    ids = two_runs(empty)
    for run_id in ids:
        empty.add_series(run_id, "x", [NAN])

    (row,) = compare_runs(empty, ids, everything=True).metrics

    assert math.isnan(row.cells[1].last or 0)
    assert (row.cells[1].delta, row.cells[1].n_nan, row.differs) == (None, 1, False)


def test_a_percentage_of_nothing_is_nothing(empty: FakeReader) -> None:
    ids = two_runs(empty)
    empty.add_series("a", "loss", [0.0])
    empty.add_series("b", "loss", [1.0])

    (row,) = compare_runs(empty, ids).metrics

    assert (row.cells[1].delta, row.cells[1].percent, row.cells[1].is_better) == (1.0, None, False)


def test_a_run_that_lists_no_packages_does_not_differ_in_each(empty: FakeReader) -> None:
    ids = [empty.add_run(name) for name in ("all", "more", "few")]
    for run_id, names in zip(ids, ("abcdefgh", "abcdefghi", "a"), strict=True):
        for name in names:
            version = "2" if (run_id, name) == (ids[1], "b") else "1"
            empty.add("environment", run_id=run_id, key=f"package:{name}", value=version)

    answer = compare_runs(empty, ids)

    assert answer.environment == (
        FactRow("package:b", ("1", "2", None), differs=True),
        FactRow("package:i", (None, "1", None), differs=True),
        FactRow("packages", ("8 listed", "9 listed", "1 listed"), differs=True),
    )


def test_code_environment_and_data_are_compared(reader: FakeReader) -> None:
    answer = compare_runs(reader, [run_id_of("sweep/0"), run_id_of("diverged"), run_id_of("sweep/1")])

    assert answer.code == (
        FactRow("commit", ("abcdef1234567890", "1234567890abcdef", "abcdef1234567890"), differs=True),
        FactRow("dirty", ("no", "yes", None), differs=True),
        FactRow("how", ("recorded", "tracked", "guess"), differs=True),
    )
    assert answer.environment == (FactRow("package:torch", ("2.9.1", None, "2.10.0+cu126"), differs=True),)
    assert answer.data == (
        FactRow("digits", ("v1", None, "v2"), differs=True),
        FactRow("digits rows", ("1797", None, "1797"), differs=True),
    )


def test_facts_that_are_equal_are_left_out_or_kept(reader: FakeReader) -> None:
    ids = [run_id_of("sweep/0"), run_id_of("sweep/1")]

    assert [row.key for row in compare_runs(reader, ids).code] == ["dirty", "how"]
    assert [row.key for row in compare_runs(reader, ids, everything=True).code] == [
        "commit", "branch", "dirty", "how", "remote",
    ]  # fmt: skip


def test_several_facts_of_one_key_are_all_shown(empty: FakeReader) -> None:
    ids = two_runs(empty)
    for value in ("A100", "H100"):
        empty.add("environment", run_id="a", key="gpu", value=value)
    empty.add("environment", run_id="b", key="gpu", value=None)
    empty.add("data_version", run_id="a", system="dvc", name="d", version="1", schema_text="x: int", is_pinned=True)

    answer = compare_runs(empty, ids)

    assert answer.environment == (FactRow("gpu", ("A100, H100", None), differs=True),)
    assert [row.key for row in answer.data] == ["d", "d schema"]


def test_the_first_run_is_the_baseline_and_none_comes_twice(empty: FakeReader) -> None:
    two_runs(empty)

    answer = compare_runs(empty, ["b", "a", "b"])

    assert [head.name for head in answer.runs] == ["b", "a"]
    assert not answer.differs


def test_a_run_that_is_not_there_is_told(empty: FakeReader) -> None:
    with pytest.raises(UsageError, match="no run has the id 'x'"):
        compare_runs(empty, ["x"])
