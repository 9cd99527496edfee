from collections.abc import Sequence
from dataclasses import replace

import pytest

from mlbench.queries.answers import Column, DiffAnswer, FactRow, MetricCell, MetricRow, ParamRow, RunsAnswer
from mlbench.queries.data_changes import DataChange
from mlbench.queries.folding import is_place, is_seed
from mlbench.render.verdict import groups_of, primary_metric, setting_text, verdict

from .samples import head, param

RUNS = RunsAnswer((), (), 0, 0)


def _loss(values: Sequence[float | None], *, goal: str = "min", how: str = "set", name: str = "loss") -> MetricRow:
    cells = tuple(MetricCell(value, 9, value, None if value is None else 7) for value in values)
    return MetricRow(name, goal, how, cells)


def _diff(values: Sequence[float | None], *params: ParamRow, **rest: object) -> DiffAnswer:
    runs = tuple(head(name) for name in "abcdefgh"[: len(values)])
    return DiffAnswer(runs, params, (_loss(values, **rest),))  # type: ignore[arg-type]


def test_nothing_and_one_run_are_not_compared() -> None:
    assert verdict(RUNS, DiffAnswer((), (), ())) == "No run matches."
    assert verdict(RUNS, _diff([1.0])) == "There is one run, so there is nothing to compare it with."


def test_without_a_goal_no_run_is_called_best() -> None:
    assert verdict(RUNS, _diff([1.0, 2.0], goal="", how="")).startswith("2 runs. No metric that they have says")


def test_the_best_run_is_named_with_its_distance_to_the_baseline() -> None:
    assert verdict(RUNS, _diff([0.5, 0.25, 0.75], param("lr", "1", "2", "3"))) == (
        "Of 3 runs, `b` has the lowest `loss` (min is best): 0.25 at step 7, 0.25 (50 %) lower than the baseline, "
        "`a` (0.5). There is one run of each setting, so nothing can be said about noise."
    )


def test_a_baseline_that_is_best_is_compared_with_the_next() -> None:
    text = verdict(RUNS, _diff([0.9, 0.7], param("lr", "1", "2"), goal="max", how="guessed"))

    assert text.startswith(
        "Of 2 runs, `a` has the highest `loss` (max is best, as its name suggests): 0.9 at step 7, "
        "0.2 (29 %) higher than the next, `b` (0.7). It is the baseline."
    )


def test_equal_runs_share_the_first_place() -> None:
    text = verdict(RUNS, _diff([0.5, 0.5, 1.0], param("lr", "1", "2", "3")))

    assert text.startswith("Of 3 runs, 2 share the lowest `loss` (min is best), 0.5: `a`, `b`.")


def test_runs_without_a_value_are_counted() -> None:
    one = verdict(RUNS, _diff([None, 0.5, float("inf")], param("lr", "1", "2", "3")))
    two = verdict(RUNS, _diff([0.5, None, 0.25], param("lr", "1", "2", "3")))
    lone = verdict(RUNS, _diff([0.5, None], param("lr", "1", "2")))

    assert one.startswith("Of 3 runs, `b` has the lowest `loss` (min is best): 0.5 at step 7. There is one run of each")
    assert one.endswith("2 of 3 runs have no finite `loss`.")
    assert two.endswith("1 of 3 runs has no finite `loss`.")
    assert lone.startswith("Of 2 runs, `a` has the lowest `loss` (min is best): 0.5 at step 7. There is")


def test_a_distance_from_nought_has_no_percents() -> None:
    assert "1 lower than the baseline, `a` (0)" in verdict(RUNS, _diff([0.0, -1.0], param("lr", "1", "2")))


def test_seeds_are_noise_and_none_of_them_is_best() -> None:
    text = verdict(RUNS, _diff([1.0, 2.0, 3.0], param("train.seed", "1", "2", "3"), param("save_dir", "x", "y", "z")))

    assert text == (
        "The 3 runs differ in no parameter but `train.seed` and names and places (`save_dir`): best `loss` mean 2 ± 2.5 "
        "(95 % interval, n = 3), from 1 to 3. What sets them apart is noise, so none of them is called best."
    )


def test_equal_parameters_of_other_code_and_data_are_no_repetitions() -> None:
    diff = replace(
        _diff([1.0, None]), code=(FactRow("commit", ("a", "b"), True),), data=(FactRow("d", ("1", "2"), True),)
    )

    assert verdict(RUNS, diff) == (
        "Of 2 runs, `a` has the lowest `loss` (min is best): 1 at step 7. There is one run of each setting, so nothing "
        "can be said about noise. 1 of 2 runs has no finite `loss`. The runs also differ in code and data (see below)."
    )


def test_other_data_that_the_runs_made_are_told_too() -> None:
    diff = replace(_diff([1.0, 2.0]), data_changes=(DataChange("b", "wandb", "d", "1", "2"),))

    assert verdict(RUNS, diff).endswith("The runs also differ in data (see below).")


def test_settings_with_several_seeds_are_compared_by_their_means() -> None:
    params = (param("lr", "0.1", "0.1", "0.2", "0.2"), param("seed", "1", "2", "1", "2"))

    apart = verdict(RUNS, _diff([1.0, 1.01, 2.0, 2.01], *params))
    overlapping = verdict(RUNS, _diff([2.0, 3.0, 1.9, 2.8], *params))

    assert apart == (
        "4 runs of 2 settings. The setting `lr` = `0.1` has the lowest `loss` (min is best): mean 1.005 ± 0.064 "
        "(95 % interval, n = 2); the next setting (`lr` = `0.2`) has mean 2.005 ± 0.064 (95 % interval, n = 2). "
        "The difference is -1, 95 % interval -1.03 to -0.97; by chance alone 2 and 2 runs would come out this far apart "
        "1 time in 6 in this direction. With so few runs nothing can be shown: it takes 4 of each. "
        "It is the baseline's setting."
    )
    assert overlapping.startswith(
        "4 runs of 2 settings. The setting `lr` = `0.2` has the lowest `loss` (min is best): mean 2.35"
    )
    assert "the baseline's setting has mean 2.5 ± 6.4 (95 % interval, n = 2). " in overlapping
    assert "by chance alone 2 and 2 runs would come out this far apart 2 times in 6 in this direction" in overlapping


def test_with_enough_seeds_the_permutation_test_decides() -> None:
    lrs, seeds = ["0.1"] * 4 + ["0.2"] * 4, [str(seed) for seed in range(4)] * 2
    params = (param("lr", *lrs), param("seed", *seeds))

    apart = verdict(RUNS, _diff([1.0, 1.1, 1.2, 1.3, 2.0, 2.1, 2.2, 2.3], *params))
    mingled = verdict(RUNS, _diff([1.0, 1.1, 2.2, 1.3, 2.0, 1.1, 1.2, 2.3], *params))

    assert "1 time in 70 in this direction. So it is more than chance (permutation test, p = 0.029)." in apart
    assert "These runs do not show that one is better." in mingled


def test_a_setting_with_one_run_has_no_interval() -> None:
    params = (param("lr", "0.1", "0.1", None), *(param(f"p{i}", "a", "a", "b") for i in range(5)))

    text = verdict(RUNS, _diff([2.0, 2.0, 1.0], *params))

    assert "`lr` = `(absent)`, `p0` = `b`, `p1` = `b`, `p2` = `b`, …" in text
    assert "has the lowest `loss` (min is best): 1 (one run, so no interval)" in text
    assert text.endswith("With one run of a setting nothing can be said about noise.")


def test_settings_are_named_by_what_tells_them_apart() -> None:
    same = [param(f"p{i}", "a", "a", "b") for i in range(5)]
    params = (*same, param("width", "16", "64", "64"))

    groups = groups_of(_diff([2.0, 2.0, 1.0], *params), _loss([2.0, 2.0, 1.0]))

    assert [setting_text(group).split(", ")[:2] for group in groups] == [
        ["`p0` = `a`", "`width` = `16`"], ["`p0` = `a`", "`width` = `64`"], ["`p0` = `b`", "`width` = `64`"],
    ]  # fmt: skip


@pytest.mark.parametrize(("key", "seed", "label"), [
    ("seed", True, False), ("train.random_seed", True, False), ("seed_everything", True, False),
    ("env.save-dir", False, True), ("lr", False, False), ("seedling", False, False),
])  # fmt: skip
def test_seeds_and_labels_are_known_by_name(key: str, seed: bool, label: bool) -> None:
    assert (is_seed(key), is_place(key)) == (seed, label)


def test_the_metric_that_decides_is_the_users_then_the_shown_one_then_any() -> None:
    rows = (_loss([1, 2], how="guessed", name="x"), _loss([1, 2], how="guessed", name="val/y"), _loss([1, 2], name="z"))
    runs = RunsAnswer((Column("min(metrics.val/y) as best", "best", "metric"),), (), 0, 0)

    def chosen(metrics: tuple[MetricRow, ...], answer: RunsAnswer = RUNS) -> str | None:
        row = primary_metric(answer, DiffAnswer((head("a"), head("b")), (), metrics))
        return None if row is None else row.metric

    assert chosen(rows, runs) == "z"
    assert chosen(rows[:2], runs) == "val/y"
    assert chosen(rows[:2]) == "x"
    assert chosen((_loss([None, None]),)) is None


def test_groups_are_the_runs_that_differ_in_seeds_alone() -> None:
    diff = _diff([1.0, None, 2.0], param("lr", "1", "2", "1"), param("seed", "1", "1", "2"))

    groups = groups_of(diff, diff.metrics[0])

    assert [(group.members, group.values) for group in groups] == [((0, 2), (1.0, 2.0)), ((1,), ())]
    assert verdict(RUNS, diff).startswith("Of 2 settings only `lr` = `1` has a finite `loss`: mean 1.5 ± 6.4")
