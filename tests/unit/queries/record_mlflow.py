"""Puts the filters of mlflow_cases.py to MLflow itself and writes its answers to mlflow_answers.json.

No test needs this: it was run once, by

    python -m venv /tmp/mlflow && /tmp/mlflow/bin/pip install mlflow
    PYTHONPATH=. /tmp/mlflow/bin/python tests/unit/queries/record_mlflow.py
"""

from __future__ import annotations

import importlib
import json
import tempfile
from pathlib import Path
from typing import Any

from tests.unit.queries.mlflow_cases import FILTERS, HOUR_MS, RUNS, MlflowRun

ANSWERS = Path(__file__).with_name("mlflow_answers.json")


def main() -> None:
    mlflow = importlib.import_module("mlflow")
    with tempfile.TemporaryDirectory() as folder:
        client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
        experiment = client.create_experiment("cases")
        for run in RUNS:
            _log(client, experiment, run)
        answers = {text: _answer(client, experiment, text) for text in FILTERS}
    told = {"mlflow": mlflow.__version__, "answers": answers}
    ANSWERS.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _log(client: Any, experiment: str, run: MlflowRun) -> None:
    entities = importlib.import_module("mlflow.entities")
    tags = {"mlflow.user": run.user, **run.tags}
    made = client.create_run(experiment, start_time=run.start_ms, tags=tags, run_name=run.name)
    run_id = made.info.run_id
    for key, text in run.params.items():
        client.log_param(run_id, key, text)
    for key, values in run.metrics.items():
        for step, value in enumerate(values):
            client.log_metric(run_id, key, value, timestamp=run.start_ms + step, step=step)
    context = [entities.InputTag("mlflow.data.context", "train")]
    inputs = [
        entities.DatasetInput(entities.Dataset(name, digest, "local", "{}"), context) for name, digest in run.data
    ]
    if inputs:
        client.log_inputs(run_id, inputs)
    if run.status != "RUNNING":
        client.set_terminated(run_id, run.status, run.start_ms + HOUR_MS // 2)


def _answer(client: Any, experiment: str, text: str) -> list[str] | str:
    try:
        return sorted(run.info.run_name for run in client.search_runs([experiment], text))
    except Exception as error:  # noqa: BLE001 - whatever it says is its answer
        return f"refused: {error}"


if __name__ == "__main__":
    main()
