"""Where mlbench keeps what it keeps: the home, its journal and its cache."""

from __future__ import annotations

import errno
import os
import socket
import stat
from functools import cache

from mlbench.dataclass import dataclass
from mlbench.errors import HomeError

HOME_VARIABLE = "MLBENCH_HOME"
TEAM_FOLDER = ".mlbench"


@dataclass(frozen=True, slots=True)
class Home:
    """One user's (or, in `.mlbench/`, one team's) place for words and catalog."""

    journal: str
    """Folder of the append-only journal files: precious."""
    cache: str
    """Folder of the catalog of this host and user: rebuildable."""
    source: str
    """How it was chosen: `--home`, `MLBENCH_HOME`, `.mlbench`, or `user directories`."""

    @property
    def points(self) -> str:
        return os.path.join(self.cache, "points")


def find_home(chosen: str | None = None, *, start: str | None = None) -> Home:
    """The home: `chosen`, else MLBENCH_HOME, else the nearest `.mlbench/` upward, else the user's directories.

    Nothing is created.

    Raises:
        HomeError: another user, or everybody, may write there.
    """
    home = _found_home(chosen, start)
    _refuse_strangers(home)
    return home


def _found_home(chosen: str | None, start: str | None) -> Home:
    if chosen:
        return _home_in(chosen, "--home")
    if variable := os.environ.get(HOME_VARIABLE):
        return _home_in(variable, HOME_VARIABLE)
    if team := _team_folder(start or os.getcwd()):
        return _home_in(team, TEAM_FOLDER)
    import platformdirs

    data = platformdirs.user_data_dir("mlbench", appauthor=False)
    cached = platformdirs.user_cache_dir("mlbench", appauthor=False)
    return Home(os.path.join(data, "journal"), os.path.join(cached, host_name()), "user directories")


def _refuse_strangers(home: Home) -> None:
    """See that nobody else may put words into our mouth, or a catalog in the place of ours.

    Members of the group of a shared home (`mlbench init --group`) may write words; the cache is each user's own.
    """
    if not hasattr(os, "getuid"):
        return
    for folder in (os.path.dirname(home.journal), home.journal, home.cache):
        try:
            status = os.stat(folder)
        except OSError:  # it is made later, or told by whoever needs it
            continue
        if status.st_mode & stat.S_IWOTH:
            raise HomeError(f"{folder}: everybody may write here, so it is no home. Try: chmod o-w {folder}")
        is_ours = os.getuid() == 0 or status.st_uid in (0, os.getuid())
        if not is_ours and (folder == home.cache or not _is_shared(status)):
            raise HomeError(
                f"{folder}: belongs to another user and is not shared with you, so it is no home. Try: mlbench --home "
                "DIR, or its owner types: mlbench init --group GROUP"
            )


def _is_shared(status: os.stat_result) -> bool:
    """Whether a folder was given to a group of ours: it may write, and what is made inside is the group's."""
    given = stat.S_ISGID | stat.S_IWGRP
    return status.st_mode & given == given and status.st_gid in {os.getegid(), *os.getgroups()}


def make_folder(path: str) -> None:
    """Create a private folder (0700) with its parents; nothing happens if it is there.

    Raises:
        HomeError: it cannot be created; the message says what to do.
    """
    try:
        _make_private(path)
    except OSError as error:
        raise HomeError(f"{path}: the home cannot be written: {error.strerror}. Try: mlbench --home DIR") from error


def _make_private(path: str) -> None:
    """`os.makedirs`, but every folder that is made is private, not only the last."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent != path:
        _make_private(parent)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path) from None


def rename_new(temporary: str, path: str) -> None:
    """Give a file its name unless that is taken, also by somebody who is at it at this moment.

    Raises:
        FileExistsError: it is; the temporary file is gone.
        OSError: the folder cannot be written.
    """
    try:
        os.link(temporary, path)  # unlike a rename, it leaves alone what is there
    except FileExistsError:
        os.unlink(temporary)
        raise
    except OSError:  # a file system without hard links
        os.rename(temporary, path)
    else:
        os.unlink(temporary)


@cache
def host_name() -> str:
    """`host-uid`: catalogs are never shared between hosts or users."""
    host = "".join(c if c.isalnum() or c in "-." else "_" for c in socket.gethostname())[:64] or "host"
    return f"{host}-{os.getuid() if hasattr(os, 'getuid') else 0}"


def _home_in(folder: str, source: str) -> Home:
    folder = os.path.abspath(os.path.expanduser(folder))
    return Home(os.path.join(folder, "journal"), os.path.join(folder, "cache", host_name()), source)


def _team_folder(start: str) -> str | None:
    folder = os.path.abspath(start)
    while True:
        candidate = os.path.join(folder, TEAM_FOLDER)
        if os.path.isdir(candidate):
            return candidate
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
