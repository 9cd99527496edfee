"""Promises of goals and of which metrics matter."""

import pytest

from mlbench.journal import Words
from mlbench.queries.goals import goal_of, guess_goal, primary_metric, ranked_metrics
from tests.unit.queries.conftest import FakeReader


@pytest.mark.parametrize(
    ("metric", "goal"),
    [
        ("val/loss", "min"), ("loss/val", "min"), ("valLoss", "min"), ("train_logloss", "min"), ("MAE", "min"),
        ("eval.perplexity", "min"), ("nll", "min"), ("rmse", "min"), ("time", "min"), ("time/step_time", "min"),
        ("error_rate", "min"), ("acc", "max"), ("val_accuracy", "max"), ("top1acc", "max"), ("roc_auc", "max"),
        ("f1", "max"), ("rollout/ep_rew_mean", "max"), ("test_return_mean", "max"), ("metrics/mAP50(B)", "max"),
        ("BLEU", "max"), ("mIoU", "max"), ("r2", "max"), ("precision", "max"), ("lr", ""), ("epoch", ""),
        ("evaluations/std_reward", ""), ("loss_var", ""),
        ("time/fps", "max"), ("time/iterations", ""), ("return_std", ""), ("loss_scale", ""), ("", ""), ("///", ""),
        ("accuracy/loss", "min"),
    ],
)  # fmt: skip
def test_a_goal_is_guessed_from_the_name(metric: str, goal: str) -> None:
    assert guess_goal(metric) == goal


def test_what_the_user_said_holds_before_a_guess(empty: FakeReader) -> None:
    assert goal_of(empty, "loss") == ("min", "guessed")
    assert goal_of(empty, "lr") == ("", "")

    empty.say(Words(goals={"loss": "max"}))

    assert goal_of(empty, "loss") == ("max", "set")


def test_held_out_scores_matter_more_than_losses_training_and_counters(empty: FakeReader) -> None:
    run = empty.add_run("a")
    for name in ("epoch", "time", "misc", "train/acc", "loss", "val/loss", "val/acc", "test/acc"):
        empty.add_series(run, name, [1.0])

    assert ranked_metrics(empty) == (
        "val/acc", "test/acc", "val/loss", "loss", "train/acc", "misc", "time", "epoch",
    )  # fmt: skip
    assert primary_metric(empty) == ("val/acc", "max")


def test_a_score_of_a_few_runs_matters_less_than_one_of_all(empty: FakeReader) -> None:
    for number in range(5):
        run = empty.add_run(f"r{number}")
        empty.add_series(run, "train/loss", [1.0])
        if number == 0:
            empty.add_series(run, "val/acc", [1.0])

    assert ranked_metrics(empty) == ("train/loss", "val/acc")
    assert ranked_metrics(empty, []) == ()


def test_the_primary_metric_and_set_goals_come_first(empty: FakeReader) -> None:
    run = empty.add_run("a")
    for name in ("val/acc", "speed", "misc"):
        empty.add_series(run, name, [1.0])
    empty.say(Words(goals={"speed": "max"}))

    assert ranked_metrics(empty) == ("speed", "val/acc", "misc")

    empty.say(Words(primary={"": "misc"}))

    assert ranked_metrics(empty)[0] == "misc"
    assert primary_metric(empty) == ("val/acc", "max")  # misc has no goal, so nothing can be best by it


def test_without_a_goal_there_is_no_primary_metric(empty: FakeReader) -> None:
    empty.add_series(empty.add_run("a"), "misc", [1.0])

    assert primary_metric(empty) is None


def test_what_is_of_the_machine_comes_last_and_is_never_primary(empty: FakeReader) -> None:
    run_id = empty.add_run("one")
    for metric in ("system/gpu.0.loss", "epoch", "throughput"):
        empty.add_series(run_id, metric, [(0, 1.0)])

    assert ranked_metrics(empty) == ("throughput", "epoch", "system/gpu.0.loss")
    assert primary_metric(empty) is None
