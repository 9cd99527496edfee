"""How many runs the real corpora hold, by hand count (RUNS.md beside them), and what some of them are."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbench.catalog.reader import Reader, open_reader
from mlbench.ingest.run import ingest_paths
from mlbench.paths import Home
from tests.paths import CORPORA, needs_corpora

RUNS = {
    "sb3-ppo-three-seeds": 18, "tb-reducer-fixtures": 9, "hf-lora-agnews": 6, "hydra-wandb-vime": 16,
    "tensorboardx-dqn-variants": 13, "keras-keyword-transformer": 4, "unity-ml-agents": 7, "mlflow-optuna-tweets": 19,
    "dvc-bank-churn": 1, "ultralytics-stop-sign": 25, "mmdet-faster-rcnn": 1, "tf2-hparams-tutorial": 17,
    "lightning-csvlogger": 19, "lightning-mimo": 33, "tf1-train-test-2018": 1, "keras-csvlogger": 3, "keras-tuner": 72,
    "args-cfg_args-namespace": 1, "args-train_opt-txt": 1, "args-commandline_args": 1, "wandb-offline-run": 1,
    "sacred-pymarl": 7, "jax-sac-seeds": 3,
}  # fmt: skip

pytestmark = needs_corpora


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder: Path = tmp_path_factory.mktemp("home")
    home = Home(str(folder / "journal"), str(folder / "cache"), "test")
    ingest_paths(home, [str(CORPORA)])
    with open_reader(home) as opened:
        yield opened


@pytest.mark.parametrize(("corpus", "n_runs"), RUNS.items())
def test_the_runs_of_a_corpus_are_those_counted_by_hand(reader: Reader, corpus: str, n_runs: int) -> None:
    rows = reader.rows(
        "SELECT path FROM runs WHERE starts_with(path, ?) ORDER BY path", [f"{CORPORA.resolve() / corpus}/"]
    )
    rows += reader.rows("SELECT path FROM runs WHERE path = ?", [str(CORPORA.resolve() / corpus)])

    assert len(rows) == n_runs, rows


def test_a_hydra_job_keeps_its_layers(reader: Reader) -> None:
    rows = reader.rows(
        "SELECT value, layer FROM params p JOIN runs r ON r.id = p.run_id WHERE p.key = 'data.n_labeled' "
        "AND r.name LIKE '%multirun/data.n_labeled=100,data.n_workers=0,model=xgboost'"
    )

    assert rows == [("100", "override")]


def test_validation_metrics_of_keras_carry_their_split(reader: Reader) -> None:
    rows = reader.rows(
        "SELECT DISTINCT metric, source_metric FROM series s JOIN runs r ON r.id = s.run_id "
        "WHERE r.name LIKE 'keras-keyword-transformer/%'"
    )

    assert rows == [("validation/accuracy", "accuracy")]


def test_metrics_of_a_single_chain_keep_their_names(reader: Reader) -> None:
    rows = reader.rows(
        "SELECT count(*) FROM series s JOIN runs r ON r.id = s.run_id "
        "WHERE r.name LIKE 'sb3-ppo-three-seeds/%' AND metric = 'rollout/ep_rew_mean'"
    )

    assert rows == [(18,)]


def test_two_records_of_one_training_are_hinted_not_merged(reader: Reader) -> None:
    rows = reader.rows(
        "SELECT count(*) FROM runs WHERE hint LIKE 'perhaps the same as %' AND name LIKE 'sacred-pymarl/%'"
    )

    assert rows[0][0] >= 1
