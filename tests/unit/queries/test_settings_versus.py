"""Promises of the question whether the settings of marked runs differ by more than chance."""

import pytest
import scipy.stats

from mlbench.queries.settings_versus import ONE_SETTING, compare_settings
from mlbench.render.cells import plain
from mlbench.render.settings_versus import settings_versus_lines, settings_versus_records
from tests.unit.queries.conftest import FakeReader

VALUES = {"adam": (0.75, 0.8125, 0.8125, 0.875, 0.84375, 0.9375), "sgd": (0.5, 0.625, 0.5625, 0.59375, 0.53125, 0.6875)}


def sweep(reader: FakeReader, n: int = 6) -> dict[str, list[str]]:
    """Two optimizers with `n` seeds each, with a score, a loss, training's own, and slices."""
    ids: dict[str, list[str]] = {"adam": [], "sgd": []}
    for optimizer, runs in ids.items():
        for seed, value in enumerate(VALUES[optimizer][:n]):
            run_id = reader.add_run(f"{optimizer}/{seed}")
            reader.add_params(run_id, optimizer=optimizer, seed=seed)
            for metric in ("val/acc", "train/acc", "val/recall/class=0", "val/recall/class=1"):
                reader.add_series(run_id, metric, [0.0, value])
            reader.add_series(run_id, "val/loss", [9.0, 1.0 + seed % 3 / 8])
            runs.append(run_id)
    return ids


def test_two_marked_runs_stand_for_their_settings(empty: FakeReader) -> None:
    ids = sweep(empty)

    found = compare_settings(empty, [ids["sgd"][2], ids["adam"][0]])

    (answer,) = found.answers
    assert (found.n_runs, found.n_added, found.said) == (2, 10, "")
    assert (answer.where_a, answer.where_b) == ("optimizer = sgd", "optimizer = adam")
    assert (len(answer.a), len(answer.b), answer.is_paired, answer.pair_keys) == (6, 6, True, ("seed",))
    assert [row.title for row in answer.metrics] == ["best val/acc", "best val/loss"]
    alone = compare_settings(empty, [ids["sgd"][2], ids["adam"][0]], metrics=["val/acc"])
    assert [row.verdict for row in alone.answers[0].metrics] == ["better"]


def test_the_numbers_are_scipys_and_corrected_over_all_settings(empty: FakeReader) -> None:
    ids = sweep(empty)
    other = [empty.add_run(f"rms/{seed}") for seed in range(6)]
    for seed, run_id in enumerate(other):
        empty.add_params(run_id, optimizer="rms", seed=seed)
        empty.add_series(run_id, "val/acc", [0.5 + seed / 64])

    found = compare_settings(empty, [ids["sgd"][0], ids["adam"][0], other[0]], metrics=["val/acc"])

    first, second = (answer.metrics[0] for answer in found.answers)
    assert first.contrast is not None
    paired = scipy.stats.ttest_rel(VALUES["adam"], VALUES["sgd"]).confidence_interval()
    assert first.contrast.interval is not None
    assert (first.contrast.interval.low, first.contrast.interval.high) == pytest.approx((paired.low, paired.high))
    assert first.contrast.p == 2 / 64
    assert first.p_holm == 2 * 2 / 64
    assert first.verdict == "not shown"
    assert second.contrast is not None
    assert first.contrast.p is not None
    assert (second.contrast.p or 0) > first.contrast.p
    assert second.p_holm == second.contrast.p


def test_runs_that_repeat_each_other_are_told_to_be_one_setting(empty: FakeReader) -> None:
    ids = sweep(empty)

    found = compare_settings(empty, ids["adam"][:2])

    assert (found.answers, found.n_added, found.said) == ((), 4, ONE_SETTING)
    assert ONE_SETTING in plain(settings_versus_lines(found, 80))


def test_one_run_and_one_that_repeats_it_are_told_so(empty: FakeReader) -> None:
    ids = sweep(empty, 2)

    text = plain(settings_versus_lines(compare_settings(empty, ids["adam"][:1]), 80))

    assert text.startswith("1 run, and 1 more that repeats it: each setting")


def test_the_page_tells_what_chance_would_do(empty: FakeReader) -> None:
    ids = sweep(empty)

    text = plain(settings_versus_lines(compare_settings(empty, [ids["sgd"][0], ids["adam"][0]]), 100))

    assert "B  optimizer = adam  (6 runs, compared in pairs of equal seed)" in text
    assert "by chance alone B would be this far ahead 1 time in 64" in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_programs_get_a_row_for_each_setting_and_metric(empty: FakeReader) -> None:
    ids = sweep(empty)

    records = settings_versus_records(compare_settings(empty, [ids["sgd"][0], ids["adam"][0]]))

    assert records.keys[:3] == ("a", "b", "metric")
    assert [row[:3] for row in records.rows] == [
        ("optimizer = sgd", "optimizer = adam", "best val/acc"),
        ("optimizer = sgd", "optimizer = adam", "best val/loss"),
    ]


def test_settings_and_metrics_that_are_left_out_are_told(empty: FakeReader) -> None:
    ids = []
    for place in range(12):
        ids.append(empty.add_run(f"r{place}"))
        empty.add_params(ids[-1], lr=place)
        for metric in range(14):
            empty.add_series(ids[-1], f"val/loss_{metric}", [1.0])
    empty.add_params(empty.add_run("repeats the eleventh"), lr=10)

    found = compare_settings(empty, ids)

    assert len(found.answers) == 8
    assert (found.n_runs, found.n_added) == (12, 0)
    assert found.remarks == (
        "of 12 settings the first 9 are compared. Try: fewer runs",
        "of 14 metrics 12 are judged. Try for another: mlbench compare -m METRIC",
    )
    assert "of 12 settings the first 9 are compared" in plain(settings_versus_lines(found, 80))
    assert compare_settings(empty, ids[:9], metrics=["val/loss_1"]).remarks == ()
