"""`mlbench doctor --crc`."""

import io
import json
import sys
from pathlib import Path

import pytest

from mlbench.cli import checking
from mlbench.wire.tfrecord import write_record
from tests.unit.cli.test_commands import Mlbench

NAME = "events.out.tfevents.1700000000.node1.4242.0"
RECORD = write_record(b"x" * 84)
BROKEN = RECORD[:50] + b"y" + RECORD[51:]


def log(folder: Path, content: bytes) -> str:
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(content)
    return str(folder)


def test_a_tree_that_is_well_ends_with_0(mlbench: Mlbench, tmp_path: Path) -> None:
    done = mlbench("doctor", "--crc", log(tmp_path / "logs", RECORD * 3), "--format", "json")

    assert (done.code, done.out) == (0, "[]\n")
    assert done.err == "mlbench: 1 file, 3 records, 300 B checked: no damage\n"


def test_damage_ends_with_3_and_says_where(mlbench: Mlbench, tmp_path: Path) -> None:
    folder = log(tmp_path / "logs", RECORD + BROKEN + RECORD)

    done = mlbench("doctor", "--crc", folder, "--format", "json")

    assert done.code == 3
    assert json.loads(done.out) == [
        {
            "path": f"{folder}/{NAME}",
            "kind": "payload",
            "offset": 100,
            "bytes": 100,
            "what": "the payload does not match its checksum",
        }
    ]
    assert done.err == "mlbench: 1 file, 3 records, 300 B checked: 1 place is damaged\n"


def test_a_truncated_end_ends_with_3_only_when_strict(mlbench: Mlbench, tmp_path: Path) -> None:
    folder = log(tmp_path / "logs", (RECORD * 2)[:-5])

    assert mlbench("doctor", "--crc", folder).code == 0
    assert mlbench("doctor", "--crc", folder, "--strict").code == 3


def test_the_table_names_each_place(mlbench: Mlbench, tmp_path: Path) -> None:
    done = mlbench("doctor", "--crc", log(tmp_path / "logs", BROKEN), "--format", "table")

    assert done.code == 3
    assert [line.split()[1:5] for line in done.out.splitlines()] == [
        ["offset", "size", "kind", "what"],
        ["0", "100", "B", "payload"],
    ]


def test_where_there_are_no_logs_it_is_said(mlbench: Mlbench, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    done = mlbench("doctor", "--crc", str(tmp_path / "empty"))

    assert done.code == 0
    assert "no event files were found" in done.err


@pytest.mark.parametrize("arguments", [("--crc",), (".",), ("--crc", ".", "--in", ".")])
def test_paths_and_crc_belong_together(mlbench: Mlbench, arguments: tuple[str, ...]) -> None:
    assert mlbench("doctor", *arguments).code == 2


def test_a_path_that_is_not_there_ends_with_3(mlbench: Mlbench) -> None:
    assert mlbench("doctor", "--crc", "nowhere").code == 3


def test_no_home_is_made(mlbench: Mlbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLBENCH_HOME", str(tmp_path / "other"))

    mlbench("doctor", "--crc", log(tmp_path / "logs", RECORD))

    assert not (tmp_path / "other").exists()


def test_progress_is_drawn_on_a_terminal_and_erased(
    mlbench: Mlbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(checking, "REDRAW_S", 0)
    folder = log(tmp_path / "logs", BROKEN)
    monkeypatch.setattr(sys, "stderr", terminal)

    mlbench("doctor", "--crc", folder)

    assert "\x1b[K1 of 1 files checked, 100 B, 1 damaged\r\x1b[K" in terminal.getvalue()
