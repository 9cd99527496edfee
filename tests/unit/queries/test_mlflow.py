"""What MLflow's search accepts is accepted here and means the same.

mlflow_answers.json holds what MLflow itself answered; record_mlflow.py says how it was asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlbench.catalog.reader import Reader, open_reader
from mlbench.ingest.run import ingest_paths
from mlbench.paths import find_home
from mlbench.queries.mistakes import FilterError
from mlbench.queries.runs import find_runs
from tests.unit.queries.mlflow_cases import FILTERS, HOUR_MS, RUNS, MlflowRun

ANSWERS: dict[str, Any] = json.loads(Path(__file__).with_name("mlflow_answers.json").read_text("utf-8"))["answers"]
EVERYBODY = sorted(run.name for run in RUNS)
NOT_KEPT = {
    "artifact_uri LIKE '%/artifacts'": "column 1: where MLflow put the artifacts is not kept. Try: path ~ 'mlruns'",
    "artifact_uri = 'nowhere'": "column 1: where MLflow put the artifacts is not kept. Try: path ~ 'mlruns'",
    "dataset.context = 'train'": "column 1: what a data set was used for is not kept. Try: dataset.name = 'train-set'",
}
"""The catalog does not hold it."""
ON_PURPOSE = {
    # Values compare as what they are and not as their spelling: numbers, truths and None.
    "params.lr = '0.001'": ["50% off", "adam-1", "adam-2"],
    "params.lr = '0.1'": ["sgd-1", "sgd-2"],
    "params.lr != '10'": ["50% off", "adam-1", "adam-2", "odd values", "sgd-1", "sgd-2"],
    "params.version = '1.1'": ["odd values"],
    "params.amp = 'true'": ["adam-1"],
    "params.null IS NULL": [name for name in EVERYBODY if name != "50% off"],
    "params.null IS NOT NULL": ["50% off"],
    "tags.release = '1'": ["adam-1"],
    # The status compares without regard to case.
    "status = 'finished'": ANSWERS["attributes.status = 'FINISHED'"],
    "status LIKE 'f%'": ANSWERS["attr.status ILIKE 'f%'"],
    # A number of four digits is a year.
    "start_time > 2027": [],
}
SAME = [text for text in FILTERS if text not in NOT_KEPT and text not in ON_PURPOSE]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """The runs of mlflow_cases.py as MLflow's file store has them, read in."""
    folder = tmp_path_factory.mktemp("mlflow")
    for number, run in enumerate(RUNS):
        _write_run(folder / "mlruns" / "1", f"{number:032x}", run)
    home = find_home(str(folder / "home"))
    ingest_paths(home, [str(folder / "mlruns")])
    with open_reader(home, now_s=RUNS[-1].start_ms / 1000 + 60) as opened:
        yield opened


def _write_run(experiment: Path, run_id: str, run: MlflowRun) -> None:
    number = {"RUNNING": 1, "FINISHED": 3, "FAILED": 4, "KILLED": 5}[run.status]
    end = "null" if run.status == "RUNNING" else run.start_ms + HOUR_MS // 2
    meta = {
        "run_id": run_id, "run_name": run.name, "start_time": run.start_ms, "end_time": end, "status": number,
        "user_id": run.user, "lifecycle_stage": "active",
    }  # fmt: skip
    _write(experiment / run_id / "meta.yaml", _yaml(meta))
    for key, value in run.params.items():
        _write(experiment / run_id / "params" / key, value)
    for key, value in {"mlflow.user": run.user, "mlflow.runName": run.name, **run.tags}.items():
        _write(experiment / run_id / "tags" / key, value)
    for key, values in run.metrics.items():
        lines = [f"{run.start_ms + step} {value!r} {step}\n" for step, value in enumerate(values)]
        _write(experiment / run_id / "metrics" / key, "".join(lines))
    for name, digest in run.data:
        identity = f"{name}-{digest}"
        link = {"source_id": identity, "source_type": "DATASET", "destination_id": run_id, "destination_type": "RUN"}
        _write(experiment / run_id / "inputs" / identity / "meta.yaml", _yaml(link))
        _write(experiment / "datasets" / identity / "meta.yaml", _yaml({"name": name, "digest": digest}))


def _yaml(values: dict[str, Any]) -> str:
    return "".join(
        f"{key}: {json.dumps(value) if isinstance(value, str) else value}\n" for key, value in values.items()
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def names(reader: Reader, where: str) -> list[str]:
    return sorted(row.head.name for row in find_runs(reader, where=where, columns=None).rows)


def test_there_are_answers_to_enough_filters() -> None:
    assert set(ANSWERS) == set(FILTERS)
    assert len(SAME) >= 100
    assert not [text for text, answer in ANSWERS.items() if isinstance(answer, str)]


@pytest.mark.parametrize("where", SAME)
def test_a_filter_finds_what_mlflow_finds(reader: Reader, where: str) -> None:
    assert names(reader, where) == ANSWERS[where]


@pytest.mark.parametrize(("where", "found"), ON_PURPOSE.items())
def test_where_the_two_differ_it_is_on_purpose(reader: Reader, where: str, found: list[str]) -> None:
    assert names(reader, where) == found


@pytest.mark.parametrize(("where", "message"), NOT_KEPT.items())
def test_what_the_catalog_does_not_hold_is_told(reader: Reader, where: str, message: str) -> None:
    with pytest.raises(FilterError) as raised:
        names(reader, where)

    assert raised.value.message == message
