"""Promises of the comparison of two groups."""

import pytest

from mlbench.errors import UsageError
from mlbench.queries.expectations import failures, read_expectation
from mlbench.queries.versus import Measured, VersusAnswer, compare_groups
from mlbench.render.cells import plain
from mlbench.render.versus import chance_sentence, uneven_text, verdict_sentence, versus_lines, versus_records
from tests.unit.queries.conftest import NAN, FakeReader


def two_groups(reader: FakeReader, n: int = 4, *, gap: float = 0.5) -> None:
    """Adam is better than sgd by `gap`, with the same seeds on both sides."""
    for optimizer, shift in (("adam", gap), ("sgd", 0.0)):
        for seed in range(n):
            run_id = reader.add_run(f"{optimizer}/{seed}")
            reader.add_params(run_id, optimizer=optimizer, seed=seed)
            reader.add_series(run_id, "val/acc", [0.1, 0.25 + shift + seed / 64, 0.2])
            reader.add_series(run_id, "grad", [float(seed)])


def compared(reader: FakeReader, *metrics: str, **options: str) -> VersusAnswer:
    return compare_groups(reader, "optimizer = 'sgd'", "optimizer = 'adam'", metrics=metrics, **options)


def text_of(answer: VersusAnswer) -> str:
    return plain(versus_lines(answer, 100))


def test_two_and_two_runs_are_told_how_often_chance_does_it(empty: FakeReader) -> None:
    two_groups(empty, 2)

    (row,) = compared(empty, pairing="unpaired").metrics

    assert (row.title, row.goal, row.goal_how) == ("best val/acc", "max", "guessed")
    assert (set(row.a), set(row.b)) == ({0.25, 0.265625}, {0.75, 0.765625})
    assert chance_sentence(row) == "n=2 and 2: by chance alone B would be this far ahead 1 time in 6"
    assert verdict_sentence(row) == (
        "not shown to differ, and with so few runs nothing could be: it takes 4 runs on each side"
    )


def test_runs_of_equal_seeds_are_compared_in_pairs(empty: FakeReader) -> None:
    two_groups(empty, 6)

    answer = compared(empty)

    assert (answer.is_paired, answer.n_pairs, answer.pair_keys) == (True, 6, ("seed",))
    assert answer.metrics[0].verdict == "better"
    assert answer.metrics[0].improvement == 1.0
    assert chance_sentence(answer.metrics[0]) == "n=6 pairs: by chance alone B would be this far ahead 1 time in 64"
    assert "B is better than A (at 5 %)" in text_of(answer)
    assert "compared in 6 pairs of equal seed" in text_of(answer)


def test_a_run_without_a_partner_is_left_out_only_when_asked(empty: FakeReader) -> None:
    two_groups(empty, 6)
    extra = empty.add_run("sgd/9")
    empty.add_params(extra, optimizer="sgd", seed=9)
    empty.add_series(extra, "val/acc", [0.5])

    auto, asked = compared(empty), compared(empty, pairing="paired")

    assert (auto.is_paired, auto.n_pairs, len(auto.a)) == (False, 6, 7)
    assert "6 pairs have equal seed; --pairing paired compares these alone" in text_of(auto)
    assert (asked.is_paired, len(asked.a), asked.remarks[-1]) == (True, 6, "1 run without a partner is left out")


def test_pairs_that_do_not_exist_cannot_be_asked_for(empty: FakeReader) -> None:
    two_groups(empty, 1)

    with pytest.raises(UsageError, match="no two pairs"):
        compared(empty, pairing="paired")


def test_one_run_on_each_side_says_nothing_about_chance(empty: FakeReader) -> None:
    two_groups(empty, 1)

    answer = compared(empty)

    assert answer.metrics[0].verdict == "unknown"
    assert "one run on a side says nothing about chance" in text_of(answer)


def test_several_metrics_are_corrected_together(empty: FakeReader) -> None:
    two_groups(empty, 6)

    acc, grad = compared(empty, "val/acc", "grad").metrics

    assert acc.contrast is not None
    assert acc.contrast.p == pytest.approx(2 / 64)
    assert acc.p_holm == pytest.approx(4 / 64)
    assert acc.verdict == "not shown"
    assert (grad.title, grad.goal, grad.verdict) == ("last grad", "", "not shown")
    assert "Holm-corrected p = 0.062" in text_of(compared(empty, "val/acc", "grad")).replace("\n  ", " ")


def test_a_difference_without_a_goal_has_no_better_side(empty: FakeReader) -> None:
    for name in "ab":
        for number in range(4):
            run_id = empty.add_run(f"{name}/{number}")
            empty.add_params(run_id, group=name)
            empty.add_series(run_id, "x", [number + (10.0 if name == "b" else 0.0)])

    (row,) = compare_groups(
        empty, "params.group = 'a'", "params.group = 'b'", metrics=["x"], pairing="unpaired"
    ).metrics

    assert (row.verdict, row.improvement) == ("different", None)
    assert verdict_sentence(row) == "B is different (at 5 %)"
    assert chance_sentence(row).endswith("B would be this much greater 1 time in 70")


def test_the_last_value_or_a_column_may_count(empty: FakeReader) -> None:
    two_groups(empty, 2)

    last = compared(empty, counts="last", pairing="unpaired").metrics[0]
    column = compared(empty, "min(metrics.val/acc)", pairing="unpaired").metrics[0]

    assert (last.title, last.a) == ("last val/acc", (0.2, 0.2))
    assert (column.title, column.goal, column.a) == ("min(metrics.val/acc)", "min", (0.1, 0.1))


def test_a_metric_whose_name_looks_like_a_column_is_a_metric(empty: FakeReader) -> None:
    two_groups(empty, 2)
    for value, row in enumerate(empty.rows("SELECT run_id FROM run ORDER BY name")):
        empty.add_series(row[0], "metrics/mAP50(B)", [float(value)])
        empty.add_series(row[0], "acc at 5", [0.5])

    odd, blank = compared(empty, "metrics/mAP50(B)", "acc at 5", pairing="unpaired").metrics

    assert (odd.title, odd.goal, set(odd.a), set(odd.b)) == ("best metrics/mAP50(B)", "max", {2.0, 3.0}, {0.0, 1.0})
    assert blank.title == "best acc at 5"


def test_runs_without_a_finite_value_are_counted(empty: FakeReader) -> None:
    two_groups(empty, 3)
    lost = empty.add_run("adam/lost")
    empty.add_params(lost, optimizer="adam", seed=7)
    empty.add_series(lost, "val/acc", [NAN])

    answer = compared(empty)

    assert answer.metrics[0].b.count(None) == 1
    assert "3 of 4" in text_of(answer)
    empty_side = compare_groups(empty, "optimizer = 'sgd'", "name:lost", metrics=["val/acc"])
    assert "no run of B has a finite best val/acc" in text_of(empty_side)


def test_what_else_differs_is_told(empty: FakeReader) -> None:
    two_groups(empty, 2)
    for number, (run_id,) in enumerate(empty.rows("SELECT run_id FROM run ORDER BY name")):
        empty.add_param(run_id, "data_set", "v1" if number < 3 else "v2")

    answer = compared(empty)

    assert uneven_text(answer.uneven) == "data_set (v1 ×1, v2 ×1 | v1)"
    assert answer.mixed == ("data_set",)
    assert "what else differs between the groups" in text_of(answer)


def test_a_run_of_both_filters_counts_for_the_first(empty: FakeReader) -> None:
    two_groups(empty, 2)

    answer = compare_groups(empty, "optimizer = 'adam'", "")

    assert [len(answer.a), len(answer.b)] == [2, 2]
    assert answer.remarks[-1] == "2 runs match both filters and count for the first"
    with pytest.raises(UsageError, match="but the 2 that match the first filter"):
        compare_groups(empty, "", "optimizer = 'adam' and seed < 2")


def test_a_filter_without_runs_and_an_unknown_metric_are_refused(empty: FakeReader) -> None:
    two_groups(empty, 2)

    with pytest.raises(UsageError, match="no run matches"):
        compare_groups(empty, "optimizer = 'adam'", "seed > 5")
    with pytest.raises(UsageError, match="Did you mean 'val/acc'"):
        compared(empty, "val/ac")


def test_records_hold_exact_values(empty: FakeReader) -> None:
    two_groups(empty, 2)

    records = versus_records(compared(empty, pairing="unpaired"))
    (row,) = records.rows
    by_key = dict(zip(records.keys, row, strict=True))

    assert (by_key["n_a"], by_key["mean_b"], by_key["difference"], by_key["one_sided"]) == (2, 0.7578125, 0.5, 1 / 6)
    assert by_key["p"] == pytest.approx(1 / 3)
    assert (by_key["n_arrangements"], by_key["is_exact"]) == (6, True)
    assert (by_key["verdict"], by_key["bootstrap_low"]) == ("not shown", None)


# ---------------------------------------------------------------- expectations


@pytest.mark.parametrize(
    ("text", "n_failures"),
    [
        ("better", 0), ("not-worse", 0), ("not worse", 0), ("worse", 1), ("different", 0), ("not-different", 1),
        ("val/acc better", 0), ("better by 0.4", 0), ("better by 0.6", 1), ("not-worse by 0", 0), ("not-better", 1),
    ],
)  # fmt: skip
def test_expectations_hold_or_fail(empty: FakeReader, text: str, n_failures: int) -> None:
    two_groups(empty, 6)

    answer = compared(empty, pairing="unpaired")

    assert len(failures(read_expectation(text), answer)) == n_failures


def test_where_nothing_can_be_said_nothing_is_as_expected(empty: FakeReader) -> None:
    two_groups(empty, 1)

    assert failures(read_expectation("not-worse"), compared(empty)) == (
        "best val/acc: nothing can be said, with so few runs",
    )
    assert failures(read_expectation("not-worse by 1"), compared(empty)) == (
        "best val/acc: there is no interval, with so few runs",
    )


@pytest.mark.parametrize("text", ["beter", "", "better by", "better by -1", "worse by 1", "better by x", "better than"])
def test_other_expectations_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_expectation(text)


def test_an_expectation_needs_its_metric_and_its_goal(empty: FakeReader) -> None:
    two_groups(empty, 6)

    with pytest.raises(UsageError, match="is not compared"):
        failures(read_expectation("loss better"), compared(empty))
    with pytest.raises(UsageError, match="--goal"):
        failures(read_expectation("grad better"), compared(empty, "grad"))


def test_a_metric_of_which_nothing_is_known_has_no_verdict() -> None:
    row = Measured("best x", "x", "max", "set", (None,), (None,))

    assert (row.verdict, row.improvement, chance_sentence(row)) == ("unknown", None, "")
    assert verdict_sentence(row) == "no run of A and of B has a finite best x"


def test_numbers_are_never_cut_columns_are_left_out_instead(empty: FakeReader) -> None:
    two_groups(empty, 6)

    text = plain(versus_lines(compared(empty), 60))

    assert "more columns" in text
    assert all("…" not in line for line in text.splitlines() if line.startswith(("A  ", "B  ", "B - A")))
