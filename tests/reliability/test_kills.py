"""A short version of `benchmarks/campaigns.py kill`: every test run kills a few dozen."""

from pathlib import Path

import pytest

from mlbench.ingest.run import ingest_paths
from mlbench.paths import Home
from tests.events import scalar_file
from tests.reliability.killing import in_own_process
from tests.reliability.trees import LOG, Tree, dump


def test_no_word_of_four_writers_is_lost_doubled_or_changed_by_kills(tmp_path: Path) -> None:
    outcome = in_own_process("words", tmp_path, 60, seed=9, minutes=5)

    assert outcome.n_kills == 60
    assert outcome.n_acknowledged > 500
    assert (outcome.n_lost, outcome.n_doubled, outcome.n_corrupt) == (0, 0, 0)


@pytest.mark.slow
def test_after_a_killed_ingest_the_next_start_and_a_rebuild_equal_a_fresh_ingest(tmp_path: Path) -> None:
    outcome = in_own_process("ingest", tmp_path, 8, seed=10, minutes=5)

    assert outcome.talk == []
    assert (outcome.n_kills, outcome.n_differing) == (8, 0)
    assert len(outcome.kinds) >= 2


def test_a_tree_read_as_it_grows_gives_the_catalog_of_a_tree_read_at_once(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "logs")
    tree.make()
    homes = [Home(str(tmp_path / name / "journal"), str(tmp_path / name / "cache"), "test") for name in "ab"]
    ingest_paths(homes[0], [str(tree.folder)])
    before = dump(homes[0])
    tree.grow()

    for home in homes:
        ingest_paths(home, [str(tree.folder)])

    assert dump(homes[0]) == dump(homes[1])
    assert dump(homes[0]) != before


def test_one_point_or_one_problem_more_is_another_dump(tmp_path: Path) -> None:
    log, home = tmp_path / "logs/a" / LOG, Home(str(tmp_path / "journal"), str(tmp_path / "cache"), "test")
    scalar_file(log, {"loss": [(1, 0.5)]})

    def told() -> str:
        ingest_paths(home, [str(log.parent)])
        return dump(home)

    first, again = told(), told()
    scalar_file(log, {"loss": [(2, 0.5)]}, append=True)
    grown = told()
    log.write_bytes(log.read_bytes()[:-1])
    cut = told()

    assert first == again
    assert len({first, grown, cut}) == 3
