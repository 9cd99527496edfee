import os
from pathlib import Path

from mlbench.adapters.metrics_csv import ADAPTER
from mlbench.model import Listing, ReadStatus, Role
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats
from tests.unit.adapters.reading import (
    assert_series,
    claims_below,
    cursor_of,
    expected,
    points_of,
    problems_of,
    read,
    read_only_claim,
    series_of,
    write,
)

KERAS = "epoch,accuracy,loss\n0,0.5,1.25\n1,0.625,1.0\n"


@needs_corpora
def test_the_corpora_hold_25_metric_tables_of_which_three_are_trainings_by_themselves() -> None:
    claims = claims_below(ADAPTER, CORPORA)

    assert len(claims) == 25
    assert {claim.role for claim in claims} == {Role.METRICS}
    assert sorted(os.path.basename(claim.path) for claim in claims if claim.is_one_training) == [
        "stage1_training_log.csv",
        "stage2_training_log.csv",
        "training_log.csv",
    ]


@needs_corpora
def test_a_table_of_feature_importances_is_no_metric_file() -> None:
    assert claims_below(ADAPTER, CORPORA / "dvc-bank-churn") == []


@needs_corpora
def test_keras_epochs_are_the_steps() -> None:
    claims = {os.path.basename(claim.path): claim for claim in claims_below(ADAPTER, CORPORA / "keras-csvlogger")}

    series = series_of(read(ADAPTER, claims["stage1_training_log.csv"]))

    assert series["val_loss"] == (13, 0, 12, 1.1352134943008423)
    assert "epoch" not in series


@needs_corpora
def test_padded_headers_of_ultralytics_lose_their_blanks() -> None:
    facts = read_only_claim(ADAPTER, CORPORA / "ultralytics-stop-sign" / "runs" / "detect" / "train14")

    assert series_of(facts)["metrics/mAP50(B)"] == (11, 1, 11, 0.63338)


@needs_corpora
def test_lightning_counts_steps_in_its_step_column() -> None:
    facts = read_only_claim(ADAPTER, CORPORA / "lightning-csvlogger" / "lightning_logs" / "version_0")

    assert points_of(facts, "train/loss")[:2] == [(0, 3.8805861473083496), (1, 3.7638213634490967)]
    assert points_of(facts, "epoch")[0] == (0, 0.0)


@needs_formats
def test_lightning_agrees_with_what_is_known_of_the_sample() -> None:
    for version in ("version_0", "version_1"):
        facts = read_only_claim(ADAPTER, FORMATS / "lightning" / "logs" / "exp" / version)

        known = expected("lightning")["runs_detail"][version]  # type: ignore[index]
        assert_series(facts, known["csv_series"])
        assert cursor_of(facts).n_records == 18


@needs_formats
def test_stable_baselines_agrees_with_what_is_known_of_the_sample() -> None:
    facts = read_only_claim(ADAPTER, FORMATS / "sb3" / "logs")

    assert_series(facts, expected("sb3")["csv_series"])  # type: ignore[arg-type]
    assert cursor_of(facts).n_records == 8


def test_semicolons_and_tabs_separate_as_well(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": KERAS.replace(",", ";"), "b.tsv": KERAS.replace(",", "\t"), "c.log": KERAS})

    claims = claims_below(ADAPTER, tmp_path)

    assert [claim.is_one_training for claim in claims] == [True, True, True]
    assert [series_of(read(ADAPTER, claim))["loss"] for claim in claims] == [(2, 0, 1, 1.0)] * 3


def test_a_training_appended_to_another_is_still_a_training_log(tmp_path: Path) -> None:
    write(tmp_path, {"log.csv": KERAS + "0,0.7,0.9\n1,NA,0.8\n"})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "accuracy") == [(0, 0.5), (1, 0.625), (0, 0.7)]


def test_tables_that_only_resemble_a_training_log_are_left_alone(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "jumps.csv": "epoch,loss\n0,1.0\n7,2.0\n",
            "late.csv": "epoch,loss\n2017,1.0\n2018,2.0\n",
            "texts.csv": "epoch,era\n0,Hadean\n1,Archean\n",
            "ragged.csv": "epoch,loss\n0,1.0,3\n",
            "alone.csv": "epoch\n0\n1\n",
            "empty.csv": "epoch,loss\n",
            "other.csv": "id,loss\n0,1.0\n",
            "one_line.csv": "epoch,loss",
            "binary.csv": b"epoch,loss\n0,\0\n",
            "results.csv": "model,score\na,1\n",
            "metrics.csv": "step\n1\n",
            "progress.csv": "",
            "app.log": "2026-11-23 12:00:00 INFO start\n",
        },
    )

    assert claims_below(ADAPTER, tmp_path) == []


def test_a_metric_file_that_cannot_be_read_is_claimed_so_that_it_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"metrics.csv": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"})
    os.mkfifo(tmp_path / "results.csv")
    os.mkfifo(tmp_path / "other.csv")

    claims = claims_below(ADAPTER, tmp_path)

    assert [os.path.basename(claim.path) for claim in claims] == ["metrics.csv", "results.csv"]
    assert problems_of(read(ADAPTER, claims[0])) == [
        "metrics.csv: this is a Git LFS pointer, the file itself is not here"
    ]
    assert problems_of(read(ADAPTER, claims[1])) == ["results.csv: this is not a regular file, it was not read"]


def test_a_monitor_file_is_left_to_its_own_adapter() -> None:
    assert list(ADAPTER.claims(Listing("/nowhere", ("0.monitor.csv", "monitor.csv"), ()))) == []


def test_a_last_row_without_its_end_is_not_shown(tmp_path: Path) -> None:
    write(tmp_path, {"metrics.csv": "step,loss\n1,0.5\n2,0.2"})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "loss") == [(1, 0.5)]
    assert cursor_of(facts).status is ReadStatus.TRUNCATED


def test_what_is_left_out_is_counted_and_placed(tmp_path: Path) -> None:
    write(tmp_path, {"metrics.csv": "step,host,loss\n1,node1,0.5\n2,node1,oops\nx,node1,0.3\n4,0.2\n5,node1,0.1\n"})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "loss") == [(1, 0.5), (5, 0.1)]
    assert problems_of(facts) == [
        "metrics.csv: 1 row does not fit the header and was left out (line 5)",
        "metrics.csv: 1 cell is no number and was left out of column 'loss' (line 3)",
        "metrics.csv: 1 row has no step and was left out (line 4)",
    ]
    assert (cursor_of(facts).status, cursor_of(facts).n_bad) == (ReadStatus.DAMAGED, 1)


def test_a_table_without_a_number_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"metrics.csv": "step,host\n1,node1\n"})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert problems_of(facts) == ["metrics.csv: no column holds numbers; nothing was taken from it"]


def test_rows_are_counted_where_the_step_column_has_gone(tmp_path: Path) -> None:
    write(tmp_path, {"metrics.csv": "step,loss\n1,0.5\n"})
    (claim,) = claims_below(ADAPTER, tmp_path)
    write(tmp_path, {"metrics.csv": "loss\n0.5\n0.25\n"})

    facts = read(ADAPTER, claim)

    assert points_of(facts, "loss") == [(0, 0.5), (1, 0.25)]
