import os
from pathlib import Path

import pytest

from mlbench.errors import HomeError
from mlbench.ingest.secrets import SALT_FILE, home_salt
from mlbench.paths import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(str(tmp_path / "journal"), str(tmp_path / "cache"), "test")


def test_a_home_has_one_private_salt(home: Home) -> None:
    first, again = home_salt(home), home_salt(home)

    assert first == again
    assert len(first) == 32
    assert os.listdir(home.journal) == [SALT_FILE]
    assert os.stat(os.path.join(home.journal, SALT_FILE)).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"0123456789abcdef"])
def test_a_salt_that_a_crash_cut_off_is_made_anew(home: Home, content: bytes) -> None:
    os.makedirs(home.journal)
    Path(home.journal, SALT_FILE).write_bytes(content)

    salt = home_salt(home)

    assert len(salt) == 32
    assert home_salt(home) == salt


def test_who_is_second_takes_the_salt_of_the_first(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def late(source: str, target: str) -> None:
        Path(target).write_bytes(b"f" * 32)
        link(source, target)

    monkeypatch.setattr(os, "link", late)

    assert home_salt(home) == b"f" * 32
    assert os.listdir(home.journal) == [SALT_FILE]


def test_without_hard_links_it_is_kept_all_the_same(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(source: str, target: str) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refused)

    assert home_salt(home) == home_salt(home)
    assert os.listdir(home.journal) == [SALT_FILE]


def test_a_full_disk_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(HomeError, match="salt: cannot be kept: No space left"):
        home_salt(home)
