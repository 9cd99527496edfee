"""Hugging Face Trainer: `trainer_state.json` (transformers 4 and 5, also TRL, PEFT and others built on it).

The Trainer writes it into every `checkpoint-N/` and, when it ends, beside them; each holds the whole history so far.
The folder above the checkpoints is the run, and of its files the one with the longest history is read. Every row of
`log_history` has a step; `epoch` and whatever is a number are metrics, named as the file names them (`loss`,
`eval_loss`). There is no wall time.
Link: https://huggingface.co/docs/transformers/main_classes/callback#transformers.TrainerState
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator, Iterator, Mapping

from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
    Fact,
    JsonValue,
    Layer,
    Listing,
    Param,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.wire.counting import so_many
from mlbench.wire.flatten import value_text
from mlbench.wire.jsonlog import JsonFile, as_list, as_mapping, as_number, as_text, load_json_file, params_in
from mlbench.wire.points import PointCollector, as_step

_NAME = "trainer_state.json"
_CHECKPOINT = re.compile(r"checkpoint-(\d{1,18})")
_STATE_PARAMS = ("num_train_epochs", "max_steps", "train_batch_size", "logging_steps", "eval_steps", "save_steps",
                 "best_metric", "best_model_checkpoint", "best_global_step", "total_flos")  # fmt: skip
_N_COMPARED = 3
"""Files whose histories are compared; more would be read for nothing, since each holds those before it."""


def claims(listing: Listing) -> Iterator[Claim]:
    if not (listing.has(_NAME) or listing.folders) or _CHECKPOINT.fullmatch(os.path.basename(listing.path)):
        return
    paths = [os.path.join(listing.path, _NAME)] if listing.has(_NAME) else []
    paths.extend(_in_checkpoints(listing))
    if paths:
        yield Claim(paths[0], Role.METRICS, listing.path, follows=tuple(paths[1:_N_COMPARED]))


def _in_checkpoints(listing: Listing) -> Iterator[str]:
    """The files in checkpoints, newest first."""
    found = [(int(match[1]), name) for name in listing.folders if (match := _CHECKPOINT.fullmatch(name))]
    for _, name in sorted(found, reverse=True):
        path = os.path.join(listing.path, name, _NAME)
        if os.path.lexists(path):
            yield path


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    files = [(path, load_json_file(path)) for path in (source.path, *source.follows)]
    for path, file in files:
        if file.problem:
            yield file.problem
        elif file.status is ReadStatus.EMPTY:
            yield Problem(path, "the file is empty")
        elif "log_history" not in as_mapping(file.value):
            yield Problem(path, "this is no state of a Trainer: it has no 'log_history'")
    path, state = max(files, key=lambda pair: _length(pair[1]))
    history = [as_mapping(row) for row in as_list(as_mapping(state.value).get("log_history"))]
    n_bad = yield from _points(path, history)
    yield from _facts(as_mapping(state.value), history)
    status = ReadStatus.DAMAGED if n_bad and state.status is ReadStatus.EOF else state.status
    yield Cursor({}, status, len(history), n_bad)


def _length(file: JsonFile) -> tuple[int, int]:
    """By what the longest history is known; a file that could not be read is the shortest."""
    state = as_mapping(file.value)
    return len(as_list(state.get("log_history"))), as_step(state.get("global_step")) or 0


def _points(path: str, history: list[Mapping[str, JsonValue]]) -> Generator[Fact, None, int]:
    collector = PointCollector()
    n_bad = 0
    for row in history:
        step = as_step(row.get("step"))
        if step is None:
            n_bad += 1
            continue
        for name, value in row.items():
            if name != "step" and (number := as_number(value)) is not None:
                collector.add(name, step, number)
        if collector.is_full:
            yield from collector.flush()
    yield from collector.flush()
    if n_bad:
        have = "has no step and was" if n_bad == 1 else "have no step and were"
        yield Problem(path, f"{n_bad:,} of {so_many(len(history), 'row', 'rows')} of the history {have} left out")
    return n_bad


def _facts(state: Mapping[str, JsonValue], history: list[Mapping[str, JsonValue]]) -> Iterator[Fact]:
    for key in _STATE_PARAMS:
        value = state.get(key)
        if isinstance(value, str | int | float):
            yield Param(key, value_text(value), value, Layer.DERIVED)
    yield from params_in(as_mapping(state.get("trial_params")), Layer.OVERRIDE)
    if name := as_text(state.get("trial_name")):
        yield RunField("name", name)
    if is_finished(state, history):
        yield RunField("status", "finished")


def is_finished(state: Mapping[str, JsonValue], history: list[Mapping[str, JsonValue]]) -> bool:
    """Whether the training came to its end: it says how long it took, or made all its steps."""
    step, last = as_step(state.get("global_step")), as_step(state.get("max_steps"))
    return any("train_runtime" in row for row in history) or (
        step is not None and last is not None and 0 < last <= step
    )


def example(folder: str) -> None:
    """A training of 8 steps with one checkpoint, which holds the first rows of the same history."""
    rows = [
        {"epoch": 0.5, "grad_norm": 0.31, "learning_rate": 0.0005, "loss": 0.693, "step": 4},
        {"epoch": 1.0, "eval_loss": 0.681, "eval_acc": 0.5, "step": 8},
        {"epoch": 1.0, "train_loss": 0.684, "train_runtime": 0.87, "step": 8},
    ]
    os.makedirs(os.path.join(folder, "checkpoint-8"))
    for inside, n_rows in (("checkpoint-8", 2), ("", 3)):
        state = {"best_metric": None, "epoch": 1.0, "global_step": 8, "max_steps": 8, "log_history": rows[:n_rows]}
        with open(os.path.join(folder, inside, _NAME), "w", encoding="utf-8") as file:
            json.dump(state, file, indent=2)


ADAPTER = Adapter(
    name="hf-trainer",
    claims=claims,
    read=read,
    example=example,
    formats="Hugging Face Trainer's trainer_state.json, in the run's folder or its checkpoints",
    files=(_NAME, f"checkpoint-*/{_NAME}"),
)
