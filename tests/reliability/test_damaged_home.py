"""Something else in the place of a file of the home: told, moved aside, built again, and the user's words kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mlbench.catalog.connection import SCHEMA_VERSION, connect
from mlbench.journal import replay
from mlbench.main import run
from mlbench.paths import find_home
from tests.reliability.trees import Tree, dump

Harm = Callable[[Path], object]


def take_away(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def garbage(path: Path) -> None:
    take_away(path)
    path.write_bytes(bytes(range(256)) * 100)


def empty(path: Path) -> None:
    take_away(path)
    path.write_bytes(b"")


def folder(path: Path) -> None:
    take_away(path)
    path.mkdir()


def pipe(path: Path) -> None:
    take_away(path)
    os.mkfifo(path)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A home with words, and its logs."""
    base = tmp_path_factory.mktemp("made")
    tree = Tree(base / "logs")
    tree.make()
    assert run(["--home", str(base / "home"), "ingest", str(tree.folder)]) == 0
    assert run(["--home", str(base / "home"), "tag", "run1", "+kept"]) == 0
    return base / "home", tree.folder


class Place:
    """A copy of the home, to do harm to."""

    def __init__(self, home: Path, logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path, self.logs, self._capsys = home, logs, capsys
        self.home = find_home(str(home))
        self.cache = Path(self.home.cache)

    @property
    def snapshot(self) -> Path:
        return self.cache / os.readlink(self.cache / "CURRENT")

    @property
    def segment(self) -> Path:
        (file,) = Path(self.home.points).iterdir()
        return file

    def call(self, *words: str) -> tuple[int, str]:
        self._capsys.readouterr()
        code = run(["--home", str(self.path), *words])
        said = self._capsys.readouterr().err
        assert "Traceback" not in said
        assert "fault of mlbench" not in said
        return code, said

    def is_whole(self, like: Path) -> bool:
        words = replay(self.home)
        tags = words.tags.get(str(self.logs / "run1"))
        return dump(self.home) == dump(find_home(str(like))) and tags == ("kept",) and not words.problems


@pytest.fixture
def place(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Place:
    monkeypatch.delenv("MLBENCH_TRACEBACK", raising=False)
    shutil.copytree(made[0], tmp_path / "home", symlinks=True)
    return Place(tmp_path / "home", made[1], capsys)


@pytest.mark.parametrize("harm", [garbage, empty, folder, pipe, half])
def test_a_catalog_that_cannot_be_used_is_moved_aside_and_built_again(
    place: Place, made: tuple[Path, Path], harm: Harm
) -> None:
    harm(place.cache / "work.duckdb")

    code, said = place.call("ingest", str(place.logs))

    assert code == 0
    assert "the catalog could not be used" in said
    assert len(list(place.cache.glob("work.duckdb.broken-*"))) == 1
    assert place.is_whole(made[0])


@pytest.mark.parametrize("harm", [garbage, empty, folder, pipe, half])
def test_a_snapshot_that_cannot_be_read_is_told_and_published_again_by_the_next_ingest(
    place: Place, made: tuple[Path, Path], harm: Harm
) -> None:
    harm(place.snapshot)

    looked = place.call("query")
    code, said = place.call("ingest", str(place.logs))

    assert looked[0] == 3
    assert "the catalog cannot be opened" in looked[1]
    assert "Try: mlbench rebuild" in looked[1]
    assert code == 0
    assert "the snapshot could not be read" in said
    assert len(list(place.cache.glob("snap-*.broken-*"))) == 1
    assert place.is_whole(made[0])


@pytest.mark.parametrize("harm", [garbage, folder, pipe])
def test_what_is_no_link_to_a_snapshot_is_moved_aside(place: Place, made: tuple[Path, Path], harm: Harm) -> None:
    harm(place.cache / "CURRENT")

    looked = place.call("query")
    code, said = place.call("ingest", str(place.logs))

    assert looked[0] == 3
    assert (code, "CURRENT was no link to a snapshot" in said) == (0, True)
    assert place.is_whole(made[0])


@pytest.mark.parametrize("harm", [garbage, empty, folder, pipe, half, take_away])
def test_damaged_points_are_told_by_whoever_asks_for_them_and_a_rebuild_brings_them_back(
    place: Place, made: tuple[Path, Path], harm: Harm
) -> None:
    segment = place.segment
    harm(segment)

    exported = place.call("export", "series", "-o", str(place.path / "out.csv"))
    checked = place.call("doctor", "--fsck")
    rebuilt = place.call("rebuild")

    assert exported[0] == 3
    assert "Try: mlbench rebuild" in exported[1]
    assert checked[0] == 3
    assert str(segment) in checked[1]
    assert rebuilt[0] == 0
    assert place.is_whole(made[0])


def test_a_file_in_place_of_the_folder_of_points_is_moved_aside_by_a_rebuild(
    place: Place, made: tuple[Path, Path]
) -> None:
    garbage(Path(place.home.points))

    code, _said = place.call("rebuild")

    assert code == 0
    assert place.is_whole(made[0])


@pytest.mark.parametrize("name", ["work.duckdb", "snapshot"])
def test_a_catalog_of_a_newer_mlbench_is_left_alone(place: Place, name: str) -> None:
    path = place.snapshot if name == "snapshot" else place.cache / name
    connection = connect(str(path), read_only=False)
    connection.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", [str(SCHEMA_VERSION + 1)])
    connection.close()
    before = path.read_bytes()

    code, said = place.call("query") if name == "snapshot" else place.call("ingest", str(place.logs))

    assert code == 3
    assert "written by a newer mlbench" in said
    assert path.read_bytes() == before


@pytest.mark.parametrize("harm", [folder, pipe])
def test_what_is_no_lock_is_told(place: Place, harm: Harm) -> None:
    harm(place.cache / "writer.lock")

    code, said = place.call("ingest", str(place.logs))

    assert code == 3
    assert "writer.lock" in said
    assert "Try: " in said


@pytest.mark.parametrize("harm", [garbage, folder, pipe, half])
def test_a_damaged_journal_file_is_told_and_its_readable_words_hold(place: Place, harm: Harm) -> None:
    (file,) = [path for path in Path(place.home.journal).glob("*.jsonl") if b"kept" in path.read_bytes()]
    harm(file)

    looked = place.call("query")
    said = place.call("tag", "run1", "+new")

    assert (looked[0], said[0]) == (0, 0)
    assert str(file) in looked[1]
    assert replay(place.home).tags == {str(place.logs / "run1"): ("new",)}


@pytest.mark.parametrize("harm", [garbage, folder])
def test_settings_that_cannot_be_read_are_told(
    place: Place, harm: Harm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    harm(tmp_path / "config.toml")
    monkeypatch.setenv("MLBENCH_CONFIG", str(tmp_path / "config.toml"))

    code, said = place.call("settings")

    assert code == 2
    assert "config.toml" in said
