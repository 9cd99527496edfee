"""Confusion matrices and histograms of runs, as the workbench asks for them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbench.paths import find_home
from mlbench.queries.matrix import MatrixAnswer
from mlbench.render.histories_beside import RunHistory
from mlbench.tui import details
from mlbench.tui.catalog_session import CatalogSession
from mlbench.tui.session import RunsQuestion
from tests.paths import ROOT

CM = "confusion_matrix.json"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """The two long runs of the samples, and one of the first tries."""
    for name in ("long/w128-seed0", "long/w128-seed1", "first-try/seed0"):
        shutil.copytree(ROOT / "sample_runs/logs" / name, tmp_path / "logs" / name)
    return tmp_path / "logs"


@pytest.fixture
def session(logs: Path, tmp_path: Path) -> Iterator[CatalogSession]:
    session = CatalogSession(find_home(str(tmp_path / "home")), [str(logs)])
    session.index(lambda _progress: None, lambda: False)
    yield session
    session.close()


def ids(session: CatalogSession) -> list[str]:
    found = session.find(RunsQuestion("", sort=("name:desc",)))
    return [row.head.run_id for row in found.answer.rows]


def test_matrices_come_in_the_order_of_the_runs_over_the_classes_of_all(session: CatalogSession) -> None:
    found = session.details.logged(ids(session), "confusion", "")

    matrices: list[MatrixAnswer] = list(found.items)
    assert (found.names, found.metric, found.n_left_out) == ({"confusion_matrix": 3}, "confusion_matrix", 0)
    assert [matrix.head.run_id for matrix in matrices] == ids(session)
    assert found.aligned is not None
    assert found.aligned.tables.shape == (3, 10, 10)


def test_a_matrix_that_is_another_by_now_is_a_problem_and_the_others_are_shown(
    session: CatalogSession, logs: Path
) -> None:
    path = logs / "long/w128-seed0" / CM
    path.write_text(json.dumps({"labels": ["a"], "matrix": 7}))

    found = session.details.logged(ids(session), "confusion", "")

    assert len(found.items) == 2
    (problem,) = found.problems
    assert problem.path == str(path)


def test_of_matrices_that_are_too_large_together_the_first_are_shown(
    session: CatalogSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(details, "MOST_MATRIX_CELLS", 250)

    found = session.details.logged(ids(session), "confusion", "")

    assert (len(found.items), found.n_left_out) == (2, 1)


def test_histograms_come_with_their_distances(session: CatalogSession) -> None:
    found = session.details.logged(ids(session), "histogram", "weights/hidden/kernel")

    histories: list[RunHistory] = list(found.items)
    assert len(found.names) == 2
    assert [len(history.steps) for history in histories] == [4, 5, 4]
    assert histories[0].moved[0] == 0
    assert 0 < histories[1].apart[-1] < histories[1].moved[-1]


def test_of_no_runs_there_is_nothing(session: CatalogSession) -> None:
    found = session.details.logged(ids(session)[:0], "histogram", "weights/hidden/kernel")

    assert (found.names, found.metric, list(found.items)) == ({}, "", [])
