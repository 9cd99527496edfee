"""A walk is left once there is enough to read, gone on with, and of what it found only what is needed is kept."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mlbench.adapters import load_adapters
from mlbench.ingest import scan as module
from mlbench.ingest.plan import make_plan, source_key
from mlbench.ingest.run import Scanner, ingest_paths
from mlbench.ingest.scan import scan_root
from mlbench.ingest.tree import Forest
from mlbench.paths import Home
from tests.events import scalar_file

LOG = "events.out.tfevents.1700000000.host"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Three runs, below a dump that belongs to all of them."""
    for name in "abc":
        scalar_file(tmp_path / "logs" / name / LOG, {"loss": [(1, 0.5), (2, 0.25)]})
    (tmp_path / "logs/args.json").write_text('{"lr": 0.1}')
    return tmp_path / "logs"


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the folders that were listed."""
    found: list[str] = []
    true = module._list_folder

    def counting(folder: str) -> object:
        found.append(Path(folder).name)
        return true(folder)

    monkeypatch.setattr(module, "_list_folder", counting)
    return found


def test_a_walk_goes_on_where_it_was_left(logs: Path, listed: list[str]) -> None:
    scanner = Scanner(lambda _progress: None)
    size = (logs / "a" / LOG).stat().st_size

    assert scanner.weigh(str(logs), size + 1) == 2 * size
    assert listed == ["logs", "a", "b"]

    found = scanner.scan(str(logs))
    assert listed == ["logs", "a", "b", "c"]
    scanner.patience.rest()
    assert found.claims == scan_root(str(logs), load_adapters()).claims
    assert not found.folders


def test_logs_that_weigh_less_are_walked_to_the_end_once(logs: Path, listed: list[str]) -> None:
    scanner = Scanner(lambda _progress: None)

    assert scanner.weigh(str(logs), 1 << 20) == 3 * (logs / "a" / LOG).stat().st_size
    scanner.scan(str(logs))
    scanner.patience.rest()

    assert listed == ["logs", "a", "b", "c"]


def test_what_cannot_be_read_is_told_where_folders_are_not_kept(logs: Path) -> None:
    (logs / "a" / "events.out.tfevents.1700000001.host").symlink_to(logs / "nowhere")
    scanner = Scanner(lambda _progress: None)

    found = scanner.scan(str(logs))
    scanner.patience.rest()

    assert [problem.what for problem in found.problems] == ["the link leads nowhere"]


@pytest.mark.parametrize(("make", "n_members"), [(Scanner, 0), (Forest, 2)])
def test_of_runs_that_were_read_the_sources_are_kept_for_the_next_look_alone(
    home: Home, logs: Path, make: Callable[..., Scanner], n_members: int
) -> None:
    scanner = make(lambda _progress: None)

    ingest_paths(home, [str(logs)], scanner=scanner)

    assert [len(unit.members) for unit in scanner.units] == [n_members] * 3
    assert bool(scanner.scans) == (make is Forest)


def test_a_plan_says_of_few_sources_whose_they_are(home: Home, logs: Path) -> None:
    from mlbench.catalog.writer import open_writer
    from mlbench.ingest.identity import find_units

    units = find_units(str(logs), scan_root(str(logs), load_adapters()).claims)
    inherited, own = (
        source_key(next(one for one in units[0].members if one.is_inherited is wanted)) for wanted in (True, False)
    )

    with open_writer(home) as writer:
        plan = make_plan(writer, units, [str(logs)], {})

    assert plan.runs_of_source == {inherited: {unit.run_id for unit in plan.units}}
    assert (plan.is_shared(inherited), plan.is_shared(own)) == (True, False)
    assert not plan.is_gone(own)
