"""`mlbench init [DIR]`."""

from __future__ import annotations

import os

import click

from mlbench.cli.common import loudness_options, talk, warn
from mlbench.errors import HomeError, SourceError, UsageError
from mlbench.paths import TEAM_FOLDER

PRIVATE = 0o700
SHARED = 0o2770
"""The group may write, and what is made inside belongs to the folder's group, whoever makes it."""
IGNORED = "# The catalog is rebuilt on each machine; the journal holds what was said, and may be kept in git.\ncache/\n"


@click.command("init")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(file_okay=False))
@click.option("--group", metavar="GROUP", help="Share it with this group of users. [default: only you]")
@loudness_options
def command(folder: str | None, group: str | None) -> None:
    """Make a home beside a project, DIR/.mlbench/, which every mlbench in and below DIR uses from then on.

    With --group the whole group writes its words there: the folders get mode 2770 and the group, each process of each
    user has a journal file of its own (mode 0640), and each user a catalog on each host. Nothing else of DIR is
    touched. Without it the home is yours alone (mode 0700).

    \b
    mlbench init
    mlbench init /projects/digits --group vision
    """
    place = os.path.abspath(os.path.expanduser(folder or os.curdir))
    if not os.path.isdir(place):
        raise SourceError(f"{folder}: no such directory. Try: mkdir -p {folder}")
    home = os.path.join(place, TEAM_FOLDER)
    was_there = os.path.isdir(home)
    group_id = None if group is None else _group_id(group)
    try:
        for path in (home, os.path.join(home, "journal"), os.path.join(home, "cache")):
            _make(path, group_id)
        _write_ignored(os.path.join(home, ".gitignore"), group_id)
        _share_salt(home, group_id)
    except OSError as error:
        raise HomeError(f"{home}: cannot be made: {error.strerror}. See who owns {place}, and its groups") from error
    who = f"shared with the group {group}" if group else "as it was" if was_there else "yours alone"
    talk(f"{home}: {'there already, ' if was_there else ''}{who}. Try: mlbench ingest DIR, from {place} or below")
    _tell_parents(place)


def _group_id(group: str) -> int:
    import grp

    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise UsageError(f"there is no group {group!r} on this machine. Try: id, which lists yours") from error


def _make(path: str, group_id: int | None) -> None:
    """An existing folder keeps its mode unless it shall be shared now."""
    if not os.path.isdir(path):
        os.mkdir(path, PRIVATE)
    if group_id is not None:
        os.chown(path, -1, group_id)
        os.chmod(path, SHARED)


def _write_ignored(path: str, group_id: int | None) -> None:
    if not os.path.exists(path):
        with open(path, "x", encoding="utf-8") as file:
            file.write(IGNORED)
    if group_id is not None:
        os.chown(path, -1, group_id)
        os.chmod(path, 0o640)


def _share_salt(home: str, group_id: int | None) -> None:
    """All members redact secrets alike; a salt that only its maker may read would be nobody else's."""
    if group_id is None:
        return
    from mlbench.ingest.secrets import SALT_FILE, home_salt
    from mlbench.paths import find_home

    place = find_home(home)
    home_salt(place)
    path = os.path.join(place.journal, SALT_FILE)
    os.chown(path, -1, group_id)
    os.chmod(path, 0o640)


def _tell_parents(place: str) -> None:
    """Another home on the way up is not used any more from here."""
    parent = os.path.dirname(place)
    while parent != os.path.dirname(parent):
        if os.path.isdir(os.path.join(parent, TEAM_FOLDER)):
            warn(f"{os.path.join(parent, TEAM_FOLDER)}: not used from here any more, the nearest one counts")
            return
        parent = os.path.dirname(parent)
