"""Whatever happens to a tree of logs: reading what has changed gives the catalog that reading everything gives."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from mlbench.ingest.run import ingest_paths
from mlbench.paths import Home
from mlbench.watch import Watcher
from tests.paths import needs_formats
from tests.reliability.editing import EditedTree, told

SEEDS = range(int(os.environ.get("MLBENCH_HISTORIES", "5")))
N_LOOKS = 5
ALL_TURNS = 33
"""Looks until folders in which nothing was written for an hour have had their turn."""


def a_home(folder: Path) -> Home:
    return Home(str(folder / "journal"), str(folder / "cache"), "test")


@needs_formats
@pytest.mark.parametrize("is_followed", [True, False], ids=["followed", "ingested"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_catalog_brought_up_to_date_is_one_made_anew(tmp_path: Path, seed: int, is_followed: bool) -> None:
    dice = random.Random(2 * seed + is_followed)
    tree = EditedTree(tmp_path / "logs", dice)
    home, roots = a_home(tmp_path / "kept"), [str(tmp_path / "logs")]
    look = Watcher(home, roots).look if is_followed else lambda: ingest_paths(home, roots)
    look()
    done = []

    for _look in range(N_LOOKS):
        done += [tree.edit() for _edit in range(dice.randint(1, 3))]
        look()
    for _turn in range(ALL_TURNS if is_followed else 0):
        look()
    ingest_paths(a_home(tmp_path / "fresh"), roots)

    kept, fresh = told(home), told(a_home(tmp_path / "fresh"))
    assert (sorted(set(kept) - set(fresh)), sorted(set(fresh) - set(kept))) == ([], []), done
    assert kept == fresh
