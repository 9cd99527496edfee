"""Promises of the columns that are shown where nobody chose."""

import pytest

from mlbench.journal import Words
from mlbench.queries.chosen import default_columns, is_label, usual_columns
from tests.unit.queries.conftest import FakeReader


def sweep(reader: FakeReader, *runs: dict[str, object]) -> list[str]:
    ids = []
    for number, params in enumerate(runs):
        ids.append(reader.add_run(f"r{number}"))
        reader.add_params(ids[-1], **params)
    return ids


def test_only_parameters_that_differ_are_shown(empty: FakeReader) -> None:
    ids = sweep(empty, {"lr": 0.1, "depth": 3}, {"lr": "1e-1", "depth": 4})

    assert default_columns(empty, ids) == ("params.depth",)


def test_few_values_come_before_many_short_before_long_common_before_rare(empty: FakeReader) -> None:
    long = "x" * 40
    ids = sweep(
        empty,
        {"a": 1, "b": 1, "long": long, "rare": 1, "once": 1},
        {"a": 2, "b": 1, "long": long + "y"},
        {"a": 3, "b": 2, "long": long},
        {"a": 4, "b": 2, "long": long},
        {"a": 5, "b": 2, "long": long, "rare": 2},
    )

    assert default_columns(empty, ids) == (
        "params.b", "params.a", "params.long", "params.rare", "params.once",
    )  # fmt: skip
    assert default_columns(empty, ids, n_params=2) == ("params.b", "params.a")


def test_what_was_said_on_the_command_line_comes_first(empty: FakeReader) -> None:
    ids = sweep(empty, {"a": 1, "z": 1}, {"a": 2}, {"a": 2, "z": 3})
    empty.add_param(ids[1], "z", 2, layer="override")

    assert default_columns(empty, ids) == ("params.z", "params.a")


def test_paths_ids_and_dates_that_are_different_in_every_run_are_left_out(empty: FakeReader) -> None:
    ids = sweep(
        empty,
        {"output_dir": "a", "ckpt": "/x/1", "uuid": "u1", "start": "2026-01-02_11-12", "git": "0a1b2c3d4e5f", "lr": 1},
        {"output_dir": "b", "ckpt": "/x/2", "uuid": "u2", "start": "2026-01-03_11-12", "git": "9a1b2c3d4e5f", "lr": 2},
    )

    assert default_columns(empty, ids) == ("params.lr",)


def test_a_path_that_several_runs_share_is_a_setting(empty: FakeReader) -> None:
    ids = sweep(empty, {"data": "/cats"}, {"data": "/cats"}, {"data": "/dogs"})

    assert default_columns(empty, ids) == ("params.data",)


def test_a_reference_to_another_parameter_is_left_out(empty: FakeReader) -> None:
    ids = sweep(empty, {"n": 1}, {"n": 2})
    for number, run_id in enumerate(ids):
        empty.add("param", run_id=run_id, key="m", raw="${n}", type="int", num=float(number), txt=str(number),
                  layer="config", is_effective=True)  # fmt: skip

    assert default_columns(empty, ids) == ("params.n",)


def test_metrics_follow_those_that_matter_first(empty: FakeReader) -> None:
    ids = sweep(empty, {}, {})
    for name in ("epoch", "train/loss", "val/loss", "val/acc", "grad norm"):
        empty.add_series(ids[0], name, [1.0])

    assert default_columns(empty, ids) == ("metrics.val/acc", "metrics.val/loss", "metrics.train/loss")
    assert default_columns(empty, ids, n_metrics=4)[-1] == "metrics.`grad norm`"


def test_one_run_or_none_shows_no_parameters(empty: FakeReader) -> None:
    ids = sweep(empty, {"lr": 1})

    assert default_columns(empty, ids) == ()
    assert default_columns(empty, []) == ()


@pytest.mark.parametrize(
    ("key", "samples", "is_derived", "expected"),
    [
        ("run_name", ["a", "b"], False, True),
        ("trial_id", ["a", "b"], False, True),
        ("env_id", ["a", "b"], False, False),
        ("model_name", ["a", "b"], False, False),
        ("hydra.job.num", ["0", "1"], True, True),
        ("num", ["0", "1"], False, False),
        ("seed", ["1", "2"], False, False),
        ("t", ["1600000000", "1600000001"], False, True),
        ("empty", [], False, False),
        ("lr", ["0.1", "/x/y"], False, False),
    ],
)
def test_a_label_is_known_by_its_key_or_its_looks(
    key: str, samples: list[str], is_derived: bool, expected: bool
) -> None:
    assert is_label(key, samples, is_derived=is_derived) is expected


def test_numbers_that_are_moments_are_labels_and_other_numbers_are_settings(empty: FakeReader) -> None:
    ids = sweep(
        empty, {"began": 1700000001, "day": 20260102, "lr": 0.25}, {"began": 1700000002, "day": 20260103, "lr": 0.5}
    )

    assert default_columns(empty, ids) == ("params.lr",)


def test_a_number_written_as_text_is_the_same_number_and_a_missing_one_differs(empty: FakeReader) -> None:
    ids = sweep(empty, {"lr": 0.001, "seed": 1}, {"lr": "1.0e-03"})

    assert default_columns(empty, ids) == ("params.seed",)


def test_texts_are_read_of_eight_runs_where_every_run_has_its_own(empty: FakeReader) -> None:
    params: list[dict[str, object]] = [{"where": f"/data/{number}", "kind": f"k{number}"} for number in range(40)]

    assert default_columns(empty, sweep(empty, *params)) == ("params.kind",)


def test_what_is_of_the_machine_is_no_column_unless_asked_for(empty: FakeReader) -> None:
    run_id = empty.add_run("one")
    for metric in ("system/cpu", "loss"):
        empty.add_series(run_id, metric, [(0, 1.0)])

    assert default_columns(empty, [run_id]) == ("metrics.loss",)
    empty.say(Words(goals={"system/cpu": "min"}))
    assert default_columns(empty, [run_id]) == ("metrics.system/cpu", "metrics.loss")


def test_of_a_mixed_lot_the_fields_come_before_what_few_runs_have(empty: FakeReader) -> None:
    ids = [empty.add_run(f"r{number}") for number in range(9)]
    for run_id in ids[:2]:
        empty.add_series(run_id, "val/acc", [0.5])
    for number, run_id in enumerate(ids[:3]):
        empty.add_params(run_id, lr=number)
    for number, run_id in enumerate(ids):
        empty.add_params(run_id, seed=number)

    assert usual_columns(empty, ids, ("started",)) == ("params.seed", "started", "metrics.val/acc", "params.lr")
    assert usual_columns(empty, ids[:4], ("started",)) == ("metrics.val/acc", "params.lr", "params.seed", "started")
    assert usual_columns(empty, [], ("started",)) == ("started",)
