import json
import os
from pathlib import Path

from mlbench.adapters.hf_trainer import ADAPTER
from mlbench.model import Layer, Param, ReadStatus
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats
from tests.unit.adapters.reading import (
    assert_series,
    claims_below,
    cursor_of,
    expected,
    fields_of,
    params_of,
    points_of,
    problems_of,
    read,
    read_only_claim,
    series_of,
    write,
)


def state(n_rows: int, **more: object) -> str:
    rows = [{"step": step, "epoch": step / 10, "loss": 1 / step} for step in range(1, n_rows + 1)]
    return json.dumps({"log_history": rows, **more})


@needs_corpora
def test_three_checkpoints_are_one_run_read_from_the_longest() -> None:
    (claim,) = claims_below(ADAPTER, CORPORA / "hf-lora-agnews")

    facts = read(ADAPTER, claim)

    assert claim.run_folder == str(CORPORA / "hf-lora-agnews" / "results")
    assert claim.path.endswith("checkpoint-1200/trainer_state.json")
    assert series_of(facts)["eval_accuracy"] == (12, 100, 1200, 0.9135802469135802)
    assert series_of(facts)["loss"] == (12, 100, 1200, 0.2362)
    assert fields_of(facts) == {"status": "finished"}


@needs_formats
def test_it_agrees_with_what_is_known_of_the_sample() -> None:
    facts = read_only_claim(ADAPTER, FORMATS / "hf")

    assert_series(facts, expected("hf")["state_series"])  # type: ignore[arg-type]
    assert cursor_of(facts).n_records == 7
    assert points_of(facts, "epoch")[-1] == (16, 2.0)


def test_the_longest_history_is_read_whichever_file_holds_it(tmp_path: Path) -> None:
    write(tmp_path, {"trainer_state.json": state(2), "checkpoint-3/trainer_state.json": state(3)})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "loss") == [(1, 1.0), (2, 0.5), (3, 1 / 3)]


def test_checkpoints_are_ordered_by_number_not_by_name(tmp_path: Path) -> None:
    write(tmp_path, {f"checkpoint-{n}/trainer_state.json": state(1) for n in (9, 10, 100, 20)})
    (tmp_path / "checkpoint-200").mkdir()

    (claim,) = claims_below(ADAPTER, tmp_path)

    paths = [os.path.relpath(path, tmp_path) for path in (claim.path, *claim.follows)]
    assert paths == [f"checkpoint-{n}/trainer_state.json" for n in (100, 20, 10)]


def test_an_unreadable_newest_checkpoint_costs_nothing_but_its_own_rows(tmp_path: Path) -> None:
    write(tmp_path, {"checkpoint-2/trainer_state.json": state(2), "checkpoint-3/trainer_state.json": '{"log_hist'})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert series_of(facts)["loss"] == (2, 1, 2, 0.5)
    assert problems_of(facts) == ["trainer_state.json: this is not JSON: unterminated string starting at in line 1"]


def test_params_of_the_state_are_derived_and_those_of_a_trial_are_overrides(tmp_path: Path) -> None:
    more = {"best_metric": 0.9, "max_steps": 5, "global_step": 4, "trial_name": "t3", "trial_params": {"lr": 0.1}}
    write(tmp_path, {"trainer_state.json": state(1, **more)})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert params_of(facts) == {"best_metric": 0.9, "max_steps": 5, "lr": 0.1}
    assert [fact.layer for fact in facts if isinstance(fact, Param)] == [Layer.DERIVED, Layer.DERIVED, Layer.OVERRIDE]
    assert fields_of(facts) == {"name": "t3"}


def test_rows_without_a_step_and_files_without_a_history_are_told(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a/trainer_state.json": '{"log_history": [{"loss": 1}, {"step": 2, "loss": NaN, "note": "x"}, 7]}',
            "b/trainer_state.json": "{}",
            "c/trainer_state.json": "",
        },
    )

    a, b, c = (read(ADAPTER, claim) for claim in claims_below(ADAPTER, tmp_path))

    assert problems_of(a) == ["trainer_state.json: 2 of 3 rows of the history have no step and were left out"]
    assert cursor_of(a).status is ReadStatus.DAMAGED
    assert problems_of(b) == ["trainer_state.json: this is no state of a Trainer: it has no 'log_history'"]
    assert problems_of(c) == ["trainer_state.json: the file is empty"]
    assert cursor_of(c).status is ReadStatus.EMPTY
