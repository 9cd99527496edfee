"""Promises of blessings without a store: they are checks of the run that they lie in, or of the trainer before them."""

from pathlib import Path

import pytest

from mlbench.adapters.blessing import ADAPTER
from mlbench.model import Claim, Listing, Problem, Source, Validation
from mlbench.wire.tfrecord import write_record
from tests.paths import FORMATS, needs_formats
from tests.unit.ingest.test_data import mlbench, run_with


def claims_of(folder: Path, name: str) -> list[Claim]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).touch()
    return list(ADAPTER.claims(Listing(str(folder), (name,), ())))


@pytest.mark.parametrize(
    ("name", "check", "verdict"),
    [("BLESSED", "evaluator", "passed"), ("NOT_BLESSED", "evaluator", "failed"),
     ("INFRA_BLESSED", "infra validator", "passed"), ("INFRA_NOT_BLESSED", "infra validator", "failed")],
)  # fmt: skip
def test_the_name_of_the_file_is_the_verdict(tmp_path: Path, name: str, check: str, verdict: str) -> None:
    (claim,) = claims_of(tmp_path, name)

    facts = list(ADAPTER.read(Source(claim.path, claim.run_folder), None))

    assert facts[0] == Validation(check, verdict)


def test_a_blessing_belongs_to_the_newest_trainer_before_it(tmp_path: Path) -> None:
    for number in ("2", "12", "22"):
        (tmp_path / "Trainer" / "model_run" / number).mkdir(parents=True)

    (claim,) = claims_of(tmp_path / "Evaluator" / "blessing" / "13", "BLESSED")

    assert claim.run_folder == str(tmp_path / "Trainer" / "model_run" / "12")


@needs_formats
def test_where_a_store_lies_above_it_tells() -> None:
    folder = FORMATS / "mlmd" / "pipeline_root" / "Evaluator" / "blessing" / "13"

    assert list(ADAPTER.claims(Listing(str(folder), ("BLESSED",), ()))) == []


def test_it_is_shown_as_a_validation_of_its_run(tmp_path: Path) -> None:
    run_with(tmp_path, "a", "lr: 0.1\n")
    claims_of(tmp_path / "runs" / "a" / "evaluation", "NOT_BLESSED")

    mlbench(tmp_path, "ingest", str(tmp_path / "runs"))

    (row,) = mlbench(tmp_path, "sql", 'SELECT "check", verdict, evidence FROM validations')
    evidence = str(tmp_path / "runs" / "a" / "evaluation" / "NOT_BLESSED")
    assert row == {"check": "evaluator", "verdict": "failed", "evidence": evidence}


def test_without_a_run_around_it_is_a_run(tmp_path: Path) -> None:
    run_with(tmp_path, "a", "lr: 0.1\n")
    claims_of(tmp_path / "runs" / "Evaluator" / "blessing" / "13", "BLESSED")

    mlbench(tmp_path, "ingest", str(tmp_path / "runs"))

    rows = mlbench(tmp_path, "sql", "SELECT r.name, v.verdict FROM runs r JOIN validations v ON v.run_id = r.id")
    assert rows == [{"name": "Evaluator/blessing/13", "verdict": "passed"}]


def field(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return bytes([number << 3, content])
    return bytes([number << 3 | 2, len(content)]) + content


FAILURE = field(3, field(1, field(1, b"auc")) + field(4, b"too low"))


@pytest.mark.parametrize(
    ("message", "verdict", "told"),
    [
        (field(1, 1), "passed", ""),
        (b"", "failed", ""),
        (field(2, FAILURE) + field(3, b""), "failed", " (failed: auc; missing slices: 1)"),
        (field(6, 1), "failed", " (there were no thresholds)"),
    ],
)
def test_the_verdict_of_the_evaluator_names_what_failed(
    tmp_path: Path, message: bytes, verdict: str, told: str
) -> None:
    path = tmp_path / "validations.tfrecord-00000-of-00001"
    path.write_bytes(write_record(message))
    (claim,) = ADAPTER.claims(Listing(str(tmp_path), (path.name,), ()))

    facts = list(ADAPTER.read(Source(claim.path, claim.run_folder), None))

    assert facts[0] == Validation("thresholds", verdict, evidence=f"{path}{told}")


@pytest.mark.parametrize("content", [b"abc", write_record(b"\xff\xff"), write_record(field(1, 1))[:-1], b"\0" * 40])
def test_a_damaged_verdict_is_a_problem(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "validations.tfrecord"
    path.write_bytes(content)

    facts = list(ADAPTER.read(Source(str(path), str(tmp_path)), None))

    assert isinstance(facts[0], Problem)
