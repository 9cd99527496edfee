import json
import math
import os
from pathlib import Path

from mlbench.adapters.keras_tuner import ADAPTER
from mlbench.model import Layer, Param, ReadStatus, Role
from tests.paths import CORPORA, needs_corpora
from tests.unit.adapters.reading import (
    claims_below,
    cursor_of,
    fields_of,
    params_of,
    problems_of,
    read,
    read_only_claim,
    series_of,
    write,
)


@needs_corpora
def test_the_corpus_holds_72_trials() -> None:
    claims = claims_below(ADAPTER, CORPORA / "keras-tuner")

    assert len(claims) == 72
    assert {claim.role for claim in claims} == {Role.TRACKER}


@needs_corpora
def test_a_trial_has_its_parameters_metrics_and_score() -> None:
    facts = read_only_claim(ADAPTER, CORPORA / "keras-tuner" / "untitled_project" / "trial_0003")

    assert params_of(facts)["activation"] == "tanh"
    assert params_of(facts)["units_0"] == 7
    assert series_of(facts) == {
        "loss": (1, 1, 1, 0.5812508463859558),
        "accuracy": (1, 1, 1, 0.7289978265762329),
        "val_loss": (1, 1, 1, 0.5871322751045227),
        "val_accuracy": (1, 1, 1, 0.7215663194656372),
        "score": (1, 1, 1, 0.7215663194656372),
    }
    assert fields_of(facts) == {"status": "finished"}


def test_several_executions_are_averaged_and_the_tuner_s_own_keys_are_derived(tmp_path: Path) -> None:
    values = [[1.0, 2.0], [1.0, math.nan], 4.0, [], ["x"]]
    observations = [{"value": value, "step": step} for step, value in enumerate(values)]
    trial = {
        "trial_id": "1",
        "hyperparameters": {"values": {"lr": 0.1, "tuner/epochs": 3}},
        "metrics": {"metrics": {"loss": {"observations": [*observations, {"value": [5.0]}]}}},
        "status": "INVALID",
    }
    write(tmp_path, {"x/trial.json": json.dumps(trial)})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert {fact.key: fact.layer for fact in facts if isinstance(fact, Param)} == {
        "lr": Layer.CONFIG,
        "tuner/epochs": Layer.DERIVED,
    }
    assert series_of(facts)["loss"] == (4, 0, 0, 5.0)
    assert fields_of(facts) == {"status": "failed"}


def test_a_trial_json_of_another_program_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, {"court/trial.json": '{"judge": "x"}', "none/other.json": "{}"})

    assert claims_below(ADAPTER, tmp_path) == []


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"trial_1/trial.json": "", "trial_2/trial.json": '{"trial_id"', "trial_3/trial.json": "[1]"})
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "trial_4").mkdir()
    os.rename(tmp_path / "fifo", tmp_path / "trial_4" / "trial.json")

    facts = [read(ADAPTER, claim) for claim in claims_below(ADAPTER, tmp_path)]

    assert [problems_of(found) for found in facts] == [
        ["trial.json: the file is empty"],
        ["trial.json: this is not JSON: expecting ':' delimiter in line 1"],
        ["trial.json: this is no trial of KerasTuner: it has no 'hyperparameters'"],
        ["trial.json: this is not a regular file, it was not read"],
    ]
    assert [cursor_of(found).status for found in facts] == [
        ReadStatus.EMPTY,
        ReadStatus.DAMAGED,
        ReadStatus.EOF,
        ReadStatus.UNREADABLE,
    ]
