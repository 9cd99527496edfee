"""The plain files of a repository, read by hand: where it is, HEAD, branches, remotes, the log of HEAD.

Needs neither git nor a library, and follows nothing that a repository's configuration could point at.
"""

from __future__ import annotations

import os
import re
import stat

from mlbench.dataclass import dataclass
from mlbench.redaction import redact_url
from mlbench.wire.files import is_there, read_head, read_whole

MAX_REFS_BYTES = 64 << 20
MAX_LOG_BYTES = 16 << 20
"""About 100,000 entries of the log of HEAD; of a longer one the end is not read and the log is not used."""


@dataclass(frozen=True, slots=True)
class GitFolder:
    """The folders that make up one repository."""

    path: str
    """The work tree; the repository itself where it is bare."""
    control: str
    """Holds HEAD and its log: `.git`, or the worktree's own folder in it."""
    common: str
    """Holds objects, branches and config."""
    is_bare: bool


@dataclass(frozen=True, slots=True)
class Head:
    """What is checked out."""

    commit: str
    """'' for a branch without commits, or when it cannot be told."""
    branch: str
    """'' when detached."""


@dataclass(frozen=True, slots=True)
class Move:
    """One line of the log of HEAD."""

    time_s: int
    commit: str
    message: str


def find_repository(folder: str) -> str | None:
    """The nearest folder, this one or above, that is a work tree or a bare repository."""
    place = os.path.abspath(folder)
    while True:
        if is_repository(place):
            return place
        above = os.path.dirname(place)
        if above == place:
            return None
        place = above


def is_repository(path: str) -> bool:
    """Whether a folder itself is a work tree or a bare repository."""
    return _control_of(path) is not None or (_is_control(path) and os.path.basename(path) != ".git")


def locate(path: str) -> GitFolder | None:
    """The folders of the repository whose work tree (or, if bare, whose self) is `path`."""
    control = _control_of(path)
    if control is None:
        return GitFolder(path, path, path, is_bare=True) if _is_control(path) else None
    common = os.fsdecode(read_head(os.path.join(control, "commondir")).strip())
    return GitFolder(path, control, os.path.normpath(os.path.join(control, common)) if common else control, False)


def _control_of(path: str) -> str | None:
    git = os.path.join(path, ".git")
    if not is_there(git):
        return None
    try:
        is_folder = stat.S_ISDIR(os.stat(git).st_mode)
    except OSError:
        return None
    if is_folder:
        return git if _is_control(git) else None
    pointer = read_head(git)
    if not pointer.startswith(b"gitdir:"):
        return None
    control = os.path.normpath(os.path.join(path, os.fsdecode(pointer[7:].strip().partition(b"\0")[0])))
    return control if os.path.isfile(os.path.join(control, "HEAD")) else None


def _is_control(path: str) -> bool:
    objects = os.path.join(path, "objects")
    is_complete = is_there(objects) and os.path.isdir(objects) and os.path.lexists(os.path.join(path, "refs"))
    return is_complete and os.path.isfile(os.path.join(path, "HEAD"))


# ---------------------------------------------------------------- HEAD and branches

_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def read_head_ref(folder: GitFolder) -> Head:
    """What is checked out, followed through at most five symbolic names."""
    name, branch = "HEAD", ""
    for _ in range(5):
        value = _read_ref(folder, name)
        if _OID.fullmatch(value):
            return Head(value, branch)
        if not value.startswith("ref:"):
            return Head("", branch)
        name = value[4:].strip()
        if not name.startswith("refs/") or ".." in name.split("/") or "\0" in name:
            return Head("", "")
        branch = name.removeprefix("refs/heads/")
    return Head("", branch)


def _read_ref(folder: GitFolder, name: str) -> str:
    homes = (folder.control,) if name == "HEAD" else (folder.control, folder.common)
    for home in homes:
        value = _text(read_head(os.path.join(home, name))).strip()
        if value:
            return value
    return _packed_ref(folder, name)


def _packed_ref(folder: GitFolder, name: str) -> str:
    try:
        packed = read_whole(os.path.join(folder.common, "packed-refs"), limit_bytes=MAX_REFS_BYTES)
    except (OSError, ValueError):
        return ""
    found = re.search(rb"^([0-9a-f]{40,64}) " + re.escape(os.fsencode(name)) + rb"\r?$", packed, re.MULTILINE)
    return found[1].decode() if found else ""


_EXPERIMENT = re.compile(r"refs/exps/([0-9a-f]{2})/([0-9a-f]{38}(?:[0-9a-f]{24})?)/(.+)")


def experiment_refs(folder: GitFolder) -> list[tuple[str, str]]:
    """DVC's experiments as (baseline's id, `/`, name; commit's id), sorted: loose references win over packed ones."""
    found: dict[str, str] = {}
    try:
        packed = read_whole(os.path.join(folder.common, "packed-refs"), limit_bytes=MAX_REFS_BYTES)
    except (OSError, ValueError):
        packed = b""
    for oid, name in re.findall(rb"^([0-9a-f]{40,64}) (refs/exps/[^\n\r]+)\r?$", packed, re.MULTILINE):
        found[_text(name)] = oid.decode()
    top = os.path.join(folder.common, "refs", "exps")
    for place, folders, names in os.walk(top):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            value = _text(read_head(os.path.join(place, name))).strip()
            if _OID.fullmatch(value):
                found[os.path.relpath(os.path.join(place, name), folder.common)] = value
    matches = ((_EXPERIMENT.fullmatch(name), oid) for name, oid in sorted(found.items()))
    return [(f"{match[1]}{match[2]}/{match[3]}", oid) for match, oid in matches if match]


def experiment_commit(folder: GitFolder, name: str) -> str:
    """The commit of one of `experiment_refs`, without walking the others; '' where there is none of this name."""
    baseline, _, rest = name.partition("/")
    reference = f"refs/exps/{baseline[:2]}/{baseline[2:]}/{rest}"
    if not _EXPERIMENT.fullmatch(reference) or ".." in rest.split("/") or "\0" in rest:
        return ""
    value = _read_ref(folder, reference)
    return value if _OID.fullmatch(value) else ""


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


# ---------------------------------------------------------------- config

_SECTION = re.compile(r'\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]')
_SETTING = re.compile(r"([A-Za-z][\w-]*)\s*=\s*(.*)")


def read_config(folder: GitFolder) -> dict[tuple[str, str, str], str]:
    """The repository's own settings by (section, subsection, name), the last of each; includes are not followed."""
    try:
        text = _text(read_whole(os.path.join(folder.common, "config"), limit_bytes=1 << 20))
    except (OSError, ValueError):
        return {}
    settings: dict[tuple[str, str, str], str] = {}
    section = subsection = ""
    for line in text.splitlines():
        line = line.strip()
        if header := _SECTION.match(line):
            section, subsection = header[1].lower(), (header[2] or "").replace('\\"', '"').replace("\\\\", "\\")
            line = line[header.end() :].strip()
        if setting := _SETTING.match(line):
            settings[section, subsection, setting[1].lower()] = _unquoted(setting[2])
    return settings


def _unquoted(value: str) -> str:
    if value.startswith('"'):
        return value[1:].partition('"')[0]
    return re.split(r"\s*[#;]", value, maxsplit=1)[0].strip()


def remote_of(settings: dict[tuple[str, str, str], str], branch: str) -> str:
    """The address that the branch is fetched from, else `origin`'s, else the first; without credentials."""
    urls = {name: url for (section, name, key), url in settings.items() if (section, key) == ("remote", "url")}
    wanted = settings.get(("branch", branch, "remote"), "origin")
    return redact_url(urls.get(wanted) or urls.get("origin") or next(iter(urls.values()), ""))


# ---------------------------------------------------------------- the log of HEAD

_MOVE = re.compile(rb"^[0-9a-f]{40,64} ([0-9a-f]{40,64}) [^\n]*?> (\d{1,12}) [+-]\d{1,4}(?:\t([^\n]*))?$", re.MULTILINE)


def read_moves(folder: GitFolder) -> tuple[Move, ...]:
    """Where HEAD has been, oldest first; () where no log is kept (bare repositories, fresh clones of a machine)."""
    try:
        log = read_whole(os.path.join(folder.control, "logs", "HEAD"), limit_bytes=MAX_LOG_BYTES)
    except (OSError, ValueError):
        return ()
    return tuple(
        Move(int(time_s), commit.decode(), message.decode("utf-8", "replace"))
        for commit, time_s, message in _MOVE.findall(log)
        if commit.strip(b"0")
    )


_SWITCH = re.compile(r"checkout: moving from (\S+) to (\S+)")


def branch_at(moves: tuple[Move, ...], index: int, current: str) -> str:
    """The branch that was checked out at a place of the log, '' when detached: told by the switches around it."""
    for move in reversed(moves[: index + 1]):
        if switch := _SWITCH.match(move.message):
            return _branch(switch[2])
    for move in moves[index + 1 :]:
        if switch := _SWITCH.match(move.message):
            return _branch(switch[1])
    return current


def _branch(name: str) -> str:
    return "" if re.fullmatch(r"[0-9a-f]{7,64}|HEAD.*", name) else name
