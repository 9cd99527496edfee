"""Promises of DVC's experiments: each reference is a run, as DVC itself lists it."""

import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from mlbench.adapters import dvc_project
from mlbench.adapters.dvc_experiments import ADAPTER
from mlbench.model import (
    Claim,
    DataVersion,
    Fact,
    GitState,
    LineageEdge,
    Listing,
    Param,
    Points,
    Problem,
    RunField,
    Source,
)
from mlbench.wire.gitfolder import experiment_commit, experiment_refs, locate
from tests.paths import FORMATS, needs_formats


def listing(folder: Path) -> Listing:
    names = sorted(os.listdir(folder))
    files = tuple(name for name in names if (folder / name).is_file())
    return Listing(str(folder), files, tuple(name for name in names if (folder / name).is_dir()))


def claims_of(folder: Path) -> list[Claim]:
    return list(ADAPTER.claims(listing(folder)))


def facts_of(claim: Claim) -> list[Fact]:
    return list(ADAPTER.read(Source(claim.path, claim.run_folder, part=claim.part), None))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    with tarfile.open(FORMATS / "dvc" / "repo.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "repo"


@pytest.fixture
def expected() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FORMATS / "expected.json").read_text())["dvc"]
    return found


@needs_formats
def test_each_experiment_is_a_run(repository: Path, expected: dict[str, Any]) -> None:
    (told,) = expected["experiments"]
    (claim,) = claims_of(repository)
    facts = facts_of(claim)

    assert claim.part == f"{told['baseline']}/{told['name']}"
    assert RunField("name", told["name"]) in facts
    assert [fact.commit for fact in facts if isinstance(fact, GitState)] == [told["commit"]]
    params = {fact.key: fact.value for fact in facts if isinstance(fact, Param)}
    assert {key: value["value"] for key, value in told["params"].items()}.items() <= params.items()
    last = {fact.metric: fact.values[-1] for fact in facts if isinstance(fact, Points)}
    assert last["train/loss"] == pytest.approx(told["metrics"]["train.loss"], abs=1e-12)
    assert last["val/auc"] == told["metrics"]["val.auc"]
    assert last["eval.nested.f1"] == told["metrics"]["eval.nested.f1"]
    series = {fact.metric: fact for fact in facts if isinstance(fact, Points)}
    for metric, one in expected["dvclive_series"].items():
        assert (len(series[metric].steps), series[metric].steps[0], series[metric].steps[-1]) == (
            one["n"],
            one["first_step"],
            one["last_step"],
        )
    assert {(one.name, one.version) for one in facts if isinstance(one, DataVersion)} == {
        (os.path.join(os.path.dirname(one["file"]), one["path"]), one["md5"]) for one in expected["data_versions"]
    } | {("prepared", "648106722a7b633ae3a6f68f288f7299.dir")}  # the lock alone tells it
    assert not [fact for fact in facts if isinstance(fact, Problem)]


@needs_formats
def test_stages_are_the_lineage(repository: Path, expected: dict[str, Any]) -> None:
    (claim,) = claims_of(repository)
    for facts in (facts_of(claim), list(dvc_project.ADAPTER.read(Source(str(repository), str(repository)), None))):
        edges = [fact for fact in facts if isinstance(fact, LineageEdge)]
        assert len(edges) == expected["pipeline"]["lineage_edges"]
        assert sum(edge.direction == "input" for edge in edges) == expected["pipeline"]["deps"]
        assert list(dict.fromkeys(edge.step for edge in edges)) == expected["pipeline"]["stages"]
        md5 = next(one["md5"] for one in expected["data_versions"] if one["path"] == "train.csv")
        assert LineageEdge("input", "prepare", f"data/train.csv@{md5}") in edges


def test_packed_references_count_and_those_of_dvc_do_not(tmp_path: Path) -> None:
    ADAPTER.example(str(tmp_path))
    baseline = "a" * 40
    (tmp_path / ".git" / "packed-refs").write_text(
        f"# pack-refs with: peeled fully-peeled sorted\n{'b' * 40} refs/exps/aa/{baseline[2:]}/packed/name\n"
        f"{'c' * 40} refs/exps/exec/EXEC_HEAD\n{'d' * 40} refs/heads/main\n{'e' * 40} refs/exps/stash\n"
    )
    folder = locate(str(tmp_path))
    assert folder is not None

    refs = dict(experiment_refs(folder))

    assert refs[f"{baseline}/packed/name"] == "b" * 40
    assert len(refs) == 2
    assert {name: experiment_commit(folder, name) for name in refs} == refs
    assert experiment_commit(folder, f"{baseline}/../../../heads/main") == ""


def test_a_commit_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    ADAPTER.example(str(tmp_path))
    (tmp_path / ".git" / "packed-refs").write_text(f"{'b' * 40} refs/exps/aa/{'a' * 38}/gone\n")

    facts = facts_of(next(claim for claim in claims_of(tmp_path) if claim.part.endswith("gone")))

    assert any(isinstance(fact, Problem) and "missing or damaged" in fact.what for fact in facts)


def test_a_repository_without_dvc_has_none(tmp_path: Path) -> None:
    ADAPTER.example(str(tmp_path))
    (tmp_path / ".dvc").rmdir()

    assert claims_of(tmp_path) == []
