"""Every scalar of the real corpora, and of the files that each writer made, against what other readers found."""

import json
import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from mlbench.adapters.tensorboard import ADAPTER
from mlbench.model import Cursor, Fact, Listing, Param, Points, Problem, ReadStatus, RunField, Source
from mlbench.wire.views import effective
from tests.facts import apart
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats

Series = dict[str, list[tuple[int, int, int]]]
"""Metric to (step, bits of the wall time, bits of the value)."""

SEVERAL_FILES = {
    "tf2-hparams-tutorial/logs/hparam_tuning/run-0": 2,
    "unity-ml-agents/results/5/Seeker": 2,
    "unity-ml-agents/results/ppo/Seeker": 3,
}
"""Run folders with more than one event file; they are read in the order of their names."""


def event_files(root: Path) -> Iterator[tuple[str, list[Path]]]:
    """Each folder below `root` with its event files in order, as the adapter claims them."""
    for folder in sorted({path.parent for path in root.rglob("*tfevents*") if path.is_file()}):
        names = tuple(sorted(path.name for path in folder.iterdir() if path.is_file()))
        files = [Path(claim.path) for claim in ADAPTER.claims(Listing(str(folder), names, ()))]
        if files:
            yield folder.relative_to(root).as_posix(), files


def read(files: list[Path]) -> list[Fact]:
    return [fact for path in files for fact in apart(ADAPTER.read(Source(str(path), str(path.parent)), None))]


def bits(column: Any) -> list[int]:
    return [int(number) for number in np.asarray(column, dtype=np.float64).view(np.int64)]


def series(facts: list[Fact]) -> Series:
    found: Series = {}
    for fact in facts:
        if isinstance(fact, Points):
            rows = zip(fact.steps.tolist(), bits(fact.wall_s), bits(fact.values), strict=True)
            found.setdefault(fact.metric, []).extend(rows)
    return found


def expected_series() -> dict[str, Series]:
    table = pq.read_table(CORPORA / "expected_scalars.parquet").to_pydict()
    found: dict[str, Series] = {}
    folders = (f"{corpus}/{run}" for corpus, run in zip(table["corpus"], table["run"], strict=True))
    rows = zip(table["step"], bits(table["wall_time"]), bits(table["value"]), strict=True)
    for folder, tag, row in zip(folders, table["tag"], rows, strict=True):
        found.setdefault(folder, {}).setdefault(tag, []).append(row)
    return found


@needs_corpora
def test_every_scalar_of_the_real_corpora_is_read_bit_for_bit_and_in_order() -> None:
    expected = expected_series()

    read_by_folder = {folder: series(read(files)) for folder, files in event_files(CORPORA)}

    assert {folder for folder, found in read_by_folder.items() if found} == set(expected)
    assert sum(len(rows) for found in read_by_folder.values() for rows in found.values()) == 220_944
    for folder, found in expected.items():
        assert read_by_folder[folder] == found, folder


@needs_corpora
def test_the_folders_with_several_files_of_scalars_are_known() -> None:
    several = {
        folder: len(files)
        for folder, files in event_files(CORPORA)
        if sum(bool(series(read([path]))) for path in files) > 1 or folder in SEVERAL_FILES
        if len(files) > 1
    }

    assert several == SEVERAL_FILES


@needs_corpora
def test_no_real_file_has_a_problem() -> None:
    facts = [fact for _, files in event_files(CORPORA) for fact in read(files)]

    assert [fact for fact in facts if isinstance(fact, Problem)] == []
    assert {fact.status for fact in facts if isinstance(fact, Cursor)} == {ReadStatus.EOF}


# ---------------------------------------------------------------- one folder a writer


@cache
def written() -> dict[str, Any]:
    """Folder below tfevents/ to what is known of it; empty where the samples are not here."""
    path = FORMATS / "expected.json"
    if not path.exists():
        return {}
    runs: dict[str, Any] = json.loads(path.read_text())["tfevents"]["runs_detail"]
    return runs


def written_facts(folder: str) -> list[Fact]:
    return read(dict(event_files(FORMATS / "tfevents"))[folder])


def as_number(known: float | str) -> float:
    return float(known) if isinstance(known, str) else known


@needs_formats
@pytest.mark.parametrize("folder", sorted(written()) or ["none"])
def test_the_raw_points_of_every_writer_are_read(folder: str) -> None:
    facts = written_facts(folder)

    found = series(facts)

    assert [fact for fact in facts if isinstance(fact, Problem)] == []
    assert {tag: len(rows) for tag, rows in found.items()} == {
        tag: known["n_raw"] for tag, known in written()[folder]["scalars"].items()
    }


@needs_formats
@pytest.mark.parametrize("folder", sorted(written()) or ["none"])
def test_the_effective_points_of_every_writer_are_those_that_tensorboard_shows(folder: str) -> None:
    found = series(written_facts(folder))

    for tag, known in written()[folder]["scalars"].items():
        steps = np.array([step for step, _, _ in found[tag]], dtype=np.int64)
        kept = [row for row, is_kept in zip(found[tag], effective(steps), strict=True) if is_kept]
        last_value = np.array([kept[-1][2]], dtype=np.int64).view(np.float64)[0]
        assert (len(kept), kept[0][0], kept[-1][0]) == (known["n"], known["first_step"], known["last_step"]), tag
        assert last_value == as_number(known["last_value"]) or (
            math.isnan(last_value) and known["last_value"] == "NaN"
        ), tag


@needs_formats
@pytest.mark.parametrize("folder", sorted(name for name, known in written().items() if "hparams" in known) or ["none"])
def test_the_hyper_parameters_of_every_writer_are_read(folder: str) -> None:
    known = written()[folder]["hparams"]
    facts = written_facts(folder)

    params = {fact.key: fact.value for fact in facts if isinstance(fact, Param)}
    statuses = [fact.value for fact in facts if isinstance(fact, RunField) and fact.name == "status"]

    assert params == known.get("session_start_info", {})
    assert statuses == ["finished"] * ("session_end_info" in known)


@needs_formats
def test_the_arguments_of_hugging_face_are_read_from_the_events() -> None:
    known = json.loads((FORMATS / "expected.json").read_text())["hf"]
    facts = [fact for _, files in event_files(FORMATS / "hf") for fact in read(files)]

    params = {fact.key: fact.value for fact in facts if isinstance(fact, Param)}

    arguments = [key for key in params if not key.startswith("model_config.")]
    assert {key: params[key] for key in known["params"]} == {
        key: said["value"] for key, said in known["params"].items()
    }
    assert {key: params[f"model_config.{key}"] for key in known["model_params"]} == {
        key: said["value"] for key, said in known["model_params"].items()
    }
    assert len({key.split(".")[0] for key in arguments}) == known["training_args_keys_in_event_text"]
