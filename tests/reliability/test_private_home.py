"""The home is its owner's: modes whatever the umask, homes of others refused, links never written through."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbench.errors import HomeError
from mlbench.main import run
from mlbench.paths import find_home
from tests.paths import ROOT

SAMPLES = ROOT / "sample_runs"


@pytest.fixture
def no_umask() -> Iterator[None]:
    """As careless as a shell can be."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("MLBENCH_HOME", str(home))
    monkeypatch.delenv("MLBENCH_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return home


def logs(folder: Path) -> Path:
    """Two of the sample runs."""
    for name in sorted(path.name for path in SAMPLES.iterdir() if path.is_dir())[:1]:
        shutil.copytree(SAMPLES / name, folder / name)
    return folder


@pytest.mark.usefixtures("no_umask")
def test_folders_are_0700_and_files_0600_whatever_the_umask(home: Path, tmp_path: Path) -> None:
    tree = str(logs(tmp_path / "logs"))
    for words in (
        ["ingest", tree],
        ["tag", "--where", "", "+x"],
        ["note", "--where", "", "odd"],
        ["ingest", tree],
        ["rebuild"],
    ):
        run(words)

    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in (home, *home.rglob("*")) if not path.is_symlink()}

    assert len(modes) > 8
    assert {str(path): oct(mode) for path, mode in modes.items() if path.is_dir() and mode != 0o700} == {}
    assert {str(path): oct(mode) for path, mode in modes.items() if path.is_file() and mode & 0o177} == {}


@pytest.mark.parametrize("part", ["", "journal", "cache/{host}"])
def test_a_home_that_everybody_may_write_is_refused(
    home: Path, tmp_path: Path, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["ingest", str(logs(tmp_path / "logs"))])
    folder = home / part.format(host=Path(find_home().cache).name)
    folder.chmod(0o777)
    capsys.readouterr()

    codes = [run(words) for words in (["query"], ["tag", "--where", "", "+x"], ["ingest", "logs"], ["sql", "SELECT 1"])]

    assert codes == [3, 3, 3, 3]
    assert f"{folder}: everybody may write here, so it is no home. Try: chmod o-w" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("mode", "group", "is_refused"),
    [(0o755, 1000, True), (0o775, 1000, True), (0o2770, 1000, False), (0o2770, 4242, True), (0o2750, 1000, True)],
)
def test_a_home_of_another_user_is_refused_unless_it_is_shared_with_a_group_of_ours(
    home: Path, monkeypatch: pytest.MonkeyPatch, mode: int, group: int, is_refused: bool
) -> None:
    real = os.stat

    def planted(path: str, *rest: object, **named: object) -> os.stat_result:
        status = real(path, *rest, **named)  # type: ignore[arg-type]
        if str(path).startswith(str(home)):
            return os.stat_result((stat.S_IFDIR | mode, *status[1:4], 4321, group, *status[6:10]))
        return status

    (home / "journal").mkdir(parents=True)
    monkeypatch.setattr(os, "stat", planted)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(os, "getegid", lambda: 1000)
    monkeypatch.setattr(os, "getgroups", lambda: [1000, 100])

    if is_refused:
        with pytest.raises(HomeError, match="belongs to another user and is not shared with you"):
            find_home()
    else:
        assert find_home().journal == str(home / "journal")


def test_the_cache_of_another_user_is_refused_also_in_a_shared_home(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.stat

    def planted(path: str, *rest: object, **named: object) -> os.stat_result:
        status = real(path, *rest, **named)  # type: ignore[arg-type]
        if str(path).startswith(str(home)):
            return os.stat_result((stat.S_IFDIR | 0o2770, *status[1:4], 4321, 1000, *status[6:10]))
        return status

    monkeypatch.setattr(os, "getuid", lambda: 1000)
    cache = Path(find_home().cache)
    cache.mkdir(parents=True)
    monkeypatch.setattr(os, "stat", planted)
    monkeypatch.setattr(os, "getgroups", lambda: [1000])

    with pytest.raises(HomeError, match=f"{cache.name}: belongs to another user"):
        find_home()


def test_the_home_of_a_user_may_be_read_by_others(home: Path) -> None:
    home.mkdir(mode=0o755)

    assert find_home().journal == str(home / "journal")


# ---------------------------------------------------------------- links


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl", "tsv", "parquet"])
def test_an_export_never_writes_through_a_link(home: Path, tmp_path: Path, ending: str) -> None:
    run(["ingest", str(logs(tmp_path / "logs"))])
    precious = tmp_path / "precious"
    precious.write_text("mine")
    link = tmp_path / f"out.{ending}"
    link.symlink_to(precious)

    assert run(["export", "runs", "-o", str(link)]) == 0

    assert precious.read_text() == "mine"
    assert not link.is_symlink()


def test_a_report_never_writes_through_a_link(home: Path, tmp_path: Path) -> None:
    run(["ingest", str(logs(tmp_path / "logs"))])
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "report.md").symlink_to(precious)

    run(["report", "-o", str(tmp_path / "report.md")])

    assert precious.read_text() == "mine"


def test_links_out_of_the_logs_are_not_followed_unasked(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = logs(tmp_path / "logs")
    outside = logs(tmp_path / "outside")
    (tree / "away").symlink_to(outside)
    run(["ingest", str(tree)])
    capsys.readouterr()

    run(["query", "--format", "json"])

    assert str(outside) not in capsys.readouterr().out


# ---------------------------------------------------------------- sockets


def test_no_command_makes_a_socket(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    class Refused:
        def __init__(self, *words: object, **_named: object) -> None:
            made.append(words)
            raise OSError("no sockets here")

    monkeypatch.setattr(socket, "socket", Refused)

    codes = [
        run(words)
        for words in (["ingest", str(logs(tmp_path / "logs"))], ["query"], ["sql", "SELECT 1"], ["report"], ["doctor"])
    ]

    assert codes[:4] == [0, 0, 0, 0]
    assert made == []
