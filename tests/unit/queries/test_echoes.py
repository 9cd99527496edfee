from dataclasses import replace

from mlbench.queries.echoes import Curve, find_echoes

EVENTS = Curve("metrics/mAP50(B)", "tensorboard", 5, 0, 4, 0.58339, 0.1, 0, 0.6, 3)
CSV = replace(EVENTS, adapter="csv", first_step=1, last_step=5, last=0.5834, min_step=1, max_step=4)


def test_a_csv_one_epoch_off_its_events_is_told_with_the_offset() -> None:
    assert find_echoes([CSV, EVENTS]) == {0: "a second record, by csv, 1 step later"}


def test_a_name_with_another_prefix_or_separator_is_told_in_full() -> None:
    loss = replace(EVENTS, metric="train/loss")
    other = replace(loss, metric="loss", adapter="hf-trainer")

    assert find_echoes([loss, other]) == {1: "a second record of train/loss, by hf-trainer"}


def test_three_records_are_two_echoes_of_the_one_that_is_not_rounded() -> None:
    wandb = replace(EVENTS, adapter="wandb", first_step=10, last_step=14, min_step=10, max_step=13)

    assert find_echoes([CSV, wandb, EVENTS]) == {
        0: "a second record, by csv, 1 step later",
        1: "a second record, by wandb, 10 steps later",
    }


def test_other_values_lengths_names_or_distances_are_no_echo() -> None:
    for other in (
        replace(CSV, last=0.59),
        replace(CSV, n=6),
        replace(CSV, metric="metrics/precision(B)"),
        replace(CSV, last_step=50),
        replace(CSV, max_step=3),
        replace(CSV, adapter="tensorboard"),
        replace(CSV, min=None),
    ):
        assert find_echoes([EVENTS, other]) == {}
