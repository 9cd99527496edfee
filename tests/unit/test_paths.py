import os
import stat
from pathlib import Path

import pytest

from mlbench.errors import HomeError
from mlbench.paths import Home, find_home, host_name, make_folder


@pytest.fixture(autouse=True)
def _no_home_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLBENCH_HOME", raising=False)


def test_a_chosen_home_holds_journal_and_cache(tmp_path: Path) -> None:
    home = find_home(str(tmp_path / "h"))

    assert home == Home(str(tmp_path / "h/journal"), str(tmp_path / "h/cache" / host_name()), "--home")
    assert home.points == str(tmp_path / "h/cache" / host_name() / "points")


def test_finding_a_home_creates_nothing(tmp_path: Path) -> None:
    find_home(str(tmp_path / "h"))

    assert list(tmp_path.iterdir()) == []


def test_the_chosen_home_wins_over_the_environment_and_that_over_the_team(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".mlbench").mkdir()
    team = find_home(start=str(tmp_path))
    monkeypatch.setenv("MLBENCH_HOME", str(tmp_path / "env"))

    assert team.source == ".mlbench"
    assert find_home(start=str(tmp_path)).journal == str(tmp_path / "env/journal")
    assert find_home(start=str(tmp_path)).source == "MLBENCH_HOME"
    assert find_home(str(tmp_path / "chosen"), start=str(tmp_path)).source == "--home"


def test_the_nearest_team_folder_upward_is_the_home(tmp_path: Path) -> None:
    (tmp_path / ".mlbench").mkdir()
    (tmp_path / "a" / ".mlbench").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)

    home = find_home(start=str(tmp_path / "a" / "b" / "c"))

    assert home.journal == str(tmp_path / "a/.mlbench/journal")


def test_a_file_named_like_the_team_folder_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".mlbench").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    assert find_home(start=str(tmp_path)).source == "user directories"


def test_without_any_word_the_users_directories_are_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    home = find_home(start="/")

    assert home.journal == str(tmp_path / "data/mlbench/journal")
    assert home.cache == str(tmp_path / "cache/mlbench" / host_name())


def test_the_start_is_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".mlbench").mkdir()
    monkeypatch.chdir(tmp_path)

    assert find_home().journal == str(tmp_path / ".mlbench/journal")


def test_a_tilde_is_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")

    assert find_home("~/ml").journal == "/home/ada/ml/journal"


def test_a_folder_is_made_with_its_parents_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"

    make_folder(str(folder))
    make_folder(str(folder))

    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700


def test_a_folder_that_cannot_be_made_says_what_to_type(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(
        HomeError, match=r"file/below: the home cannot be written: Not a directory\. Try: mlbench --home"
    ):
        make_folder(str(tmp_path / "file" / "below"))


def test_a_host_name_is_safe_in_a_path_and_tells_users_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    host_name.cache_clear()
    monkeypatch.setattr("socket.gethostname", lambda: "../x y" + "z" * 99)
    monkeypatch.setattr("os.getuid", lambda: 1001)

    try:
        name = host_name()
    finally:
        host_name.cache_clear()

    assert name.startswith(".._x_yzzz")
    assert name.endswith("-1001")
    assert "/" not in name
    assert len(name) == 64 + len("-1001")
