"""Lines that gradient boosting prints. The texts are what xgboost 3.2.0, lightgbm 4.7.0 and catboost 1.2.10 printed."""

from pathlib import Path

import pytest

from mlbench.adapters.boosting_log import ADAPTER, row_of
from tests.unit.adapters.reading import claims_below, points_of, problems_of, read_only_claim, series_of, write

XGBOOST = """[0]\ttrain-logloss:0.47599\ttrain-auc:0.97581\tval-logloss:0.49631\tval-auc:0.93103
[1]\ttrain-logloss:0.36433\ttrain-auc:0.97581\tval-logloss:0.39872\tval-auc:0.93103
"""
XGBOOST_CV = "[0]\ttrain-logloss:0.46087+0.03295\ttest-logloss:0.55403+0.02453\n"
LIGHTGBM = """[LightGBM] [Info] Number of positive: 62, number of negative: 88
You can set `force_col_wise=true` to remove the overhead.
[LightGBM] [Info] [binary:BoostFromScore]: pavg=0.413333 -> initscore=-0.350202
[1]\ttraining's auc: 0.982038\ttraining's binary_logloss: 0.600156\tvalid_1's auc: 0.922824
Training until validation scores don't improve for 2 rounds
[LightGBM] [Warning] No further splits with positive gain, best gain: -inf
[2]\ttraining's auc: 0.985704\ttraining's binary_logloss: 0.537221\tvalid_1's auc: 0.970443
[3]\ttraining's auc: 0.98717\ttraining's binary_logloss: 0.485111\tvalid_1's auc: 0.969622
Early stopping, best iteration is:
[2]\ttraining's auc: 0.985704\ttraining's binary_logloss: 0.537221\tvalid_1's auc: 0.970443
"""
CATBOOST = """Learning rate set to 0.19877
0:\tlearn: 0.6206987\ttest: 0.6342730\tbest: 0.6342730 (0)\ttotal: 50.9ms\tremaining: 204ms
4:\tlearn: 0.4404472\ttest: 0.4787432\tbest: 0.4787432 (4)\ttotal: 51.9ms\tremaining: 0us

bestTest = 0.4787432193
"""


def test_xgboost(tmp_path: Path) -> None:
    facts = read_only_claim(ADAPTER, write(tmp_path, {"xgb.log": XGBOOST}))

    assert series_of(facts) == {
        "train/logloss": (2, 0, 1, 0.36433), "train/auc": (2, 0, 1, 0.97581),
        "val/logloss": (2, 0, 1, 0.39872), "val/auc": (2, 0, 1, 0.93103),
    }  # fmt: skip


def test_cross_validation_has_standard_deviations() -> None:
    assert row_of(XGBOOST_CV.rstrip()) == (
        0, [("train/logloss", 0.46087), ("train/logloss_std", 0.03295), ("test/logloss", 0.55403),
            ("test/logloss_std", 0.02453)],
    )  # fmt: skip
    assert row_of("[5]\tvalid binary_logloss: 0.5 + 0.01") is not None


def test_lightgbm_tells_the_best_round_once_more_and_that_is_no_new_round(tmp_path: Path) -> None:
    facts = read_only_claim(ADAPTER, write(tmp_path, {"lgb.txt": LIGHTGBM}))

    assert points_of(facts, "valid_1/auc") == [(1, 0.922824), (2, 0.970443), (3, 0.969622)]
    assert problems_of(facts) == []


def test_lightgbm_from_the_command_line() -> None:
    assert row_of("[LightGBM] [Info] Iteration:12, valid_1 auc : 0.812") == (12, [("valid_1/auc", 0.812)])


def test_catboost(tmp_path: Path) -> None:
    facts = read_only_claim(ADAPTER, write(tmp_path, {"out.log": CATBOOST}))

    assert series_of(facts) == {"learn": (2, 0, 4, 0.4404472), "test": (2, 0, 4, 0.4787432)}


def test_trainings_in_one_log_are_said_to_be_mixed(tmp_path: Path) -> None:
    facts = read_only_claim(ADAPTER, write(tmp_path, {"xgb.log": XGBOOST + XGBOOST_CV}))

    assert problems_of(facts) == ["xgb.log: its rounds begin again once: trainings are mixed in this log (line 3)"]
    assert len(points_of(facts, "train/logloss")) == 3


@pytest.mark.parametrize("line", ["", "[1] hello", "12: x", "2021-01-01 12:00:00 [1] ok", "[3]\ta:b", "x" * 70_000])
def test_other_lines_are_none(line: str) -> None:
    assert row_of(line) is None


NEARLY = {
    "names": "[1]\ttraining" + "- " * 30_000,
    "names after commas": " [1],a-aaaa" * 5_500,
    "digits": "[1]\ta-b:" + "0" * 60_000 + "!",
    "fractions": "[1]\ta-b:0." + "0" * 60_000 + "!",
    "items": "[1]" + "\ta-b:1" * 9_000 + "!",
    "items of LightGBM": "[1]" + "\ta's b: 1" * 6_000 + "!",
    "rounds": "\t[1]" * 15_000 + ":",
    "blanks": "[1]\ta-b:1" + " " * 60_000 + "!",
    "columns": "1:" + " learn: 1" * 6_500 + "\t!",
}


@pytest.mark.parametrize("line", NEARLY.values(), ids=NEARLY)
def test_long_lines_that_nearly_are_rounds_are_passed_over(line: str) -> None:
    assert row_of(line) is None  # a pattern that tries all ways through these needs minutes


def test_a_log_without_rounds_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, {"app.log": "started\n[1] done: 3\n", "notes.txt": XGBOOST})

    assert claims_below(ADAPTER, tmp_path) == []


def test_xgboost_in_a_log_of_sagemaker_has_words_for_tabs_and_colours() -> None:
    assert row_of("[3]#011train-rmse:10.758#011validation-rmse:11.9413") == (
        3,
        [("train/rmse", 10.758), ("validation/rmse", 11.9413)],
    )
    assert row_of("\x1b[34m[0]#011train-merror:0.5#011validation-merror:0.25\x1b[0m") == (
        0,
        [("train/merror", 0.5), ("validation/merror", 0.25)],
    )
