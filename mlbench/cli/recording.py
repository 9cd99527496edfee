"""What `mlbench run` records: code, configurations and data, beside what `mlbench.capture` tells; and where it goes."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from mlbench import capture, redaction

if TYPE_CHECKING:
    from mlbench.paths import Home
    from mlbench.wire.gitlfs import Pointer

MAX_CONFIG_BYTES = 256 << 10
MAX_HASHED_BYTES = 64 << 20
"""Of the data files that are named, all together: a tenth of a second."""
MAX_ENTRIES = 20_000
"""Of folders that are looked through for what the command wrote."""
MAX_DEPTH = 6
_CONFIG_ENDINGS = (".yaml", ".yml", ".json", ".toml")
_LOG_MARKS = ("events.out.tfevents", ".tfevents")
_LOG_NAMES = frozenset(
    {"metrics.csv", "progress.csv", "results.csv", "trainer_state.json", "metrics.json", "params.yaml"}
)
_SKIPPED = frozenset(
    {".git", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache", ".hypothesis", "site-packages"}
)


def captured_folder(home: Home) -> str:
    """Where the home keeps records, until their runs have a folder or for good."""
    return os.path.join(os.path.dirname(home.journal), "captured")


def place_of_record(home: Home, argv: Sequence[str], record: capture.Record, chosen: str | None) -> str | None:
    """A new folder in the home (or the chosen one) for the record; None where none can be made, which is told."""
    from mlbench.errors import HomeError
    from mlbench.paths import make_folder

    folder = chosen or os.path.join(captured_folder(home), capture.new_id(argv))
    try:
        if chosen:
            os.makedirs(chosen, exist_ok=True)
        else:
            make_folder(folder)
            record["name"] = os.path.basename(folder)
    except (OSError, HomeError) as error:
        capture.tell(f"the run is not recorded: {error}")
        return None
    return os.path.abspath(folder)


def surroundings(record: capture.Record, argv: Sequence[str], folder: str | None) -> None:
    """Fill in code, configurations and data; secrets in what is stored are replaced."""
    problems: list[str] = record["problems"]
    record["argv"] = redaction.redact_argv(list(argv))
    for key, ask in (("git", lambda: _git(folder)), ("configs", lambda: _configs(argv)), ("data", lambda: _data(argv))):
        try:
            record[key] = ask()
        except (OSError, ValueError) as error:
            problems.append(f"{key}: {error}")


# ---------------------------------------------------------------- code


def _git(folder: str | None) -> dict[str, object]:
    """The repository around the current folder: commit, branch, and what differs from HEAD as a patch beside."""
    from mlbench.wire.gitindex import work_changes, work_patch
    from mlbench.wire.gitrepo import find_repository, open_repository, read_state

    top = find_repository(os.getcwd())
    repository = open_repository(top) if top else None
    if repository is None:
        return {}
    try:
        commit = read_state(repository, repository.head.commit) if repository.head.commit else None
        changes = work_changes(repository)
        told: dict[str, object] = {
            "commit": repository.head.commit, "branch": repository.head.branch, "dirty": bool(changes),
            "remote": redaction.redact_url(repository.remote) if repository.remote else "", "repository": top,
            "changed": [os.fsdecode(change.path) for change in changes[:1000]],
        }  # fmt: skip
        if commit is not None:
            told |= {"subject": commit.subject, "committed": commit.committed_s}
        if changes and folder is not None:
            _write_text(os.path.join(folder, capture.PATCH), redaction.redact_text(work_patch(repository, changes)))
            told["patch"] = capture.PATCH
        return told
    finally:
        repository.close()


def _write_text(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)


# ---------------------------------------------------------------- configurations and data


def named_paths(argv: Sequence[str]) -> Iterator[str]:
    """The paths among the arguments that exist, each once, also behind `=`; the program itself is none."""
    seen: set[str] = set()
    for word in argv[1:]:
        for path in (word, word.partition("=")[2]):
            if path and not path.startswith("-") and path not in seen and len(path) < 4096 and _exists(path):
                seen.add(path)
                yield path


def _exists(path: str) -> bool:
    try:
        return os.path.exists(path)
    except ValueError:
        return False


def _configs(argv: Sequence[str]) -> list[dict[str, str]]:
    from mlbench.wire.files import read_whole

    found = []
    for path in named_paths(argv):
        if path.endswith(_CONFIG_ENDINGS) and os.path.isfile(path):
            content = read_whole(path, limit_bytes=MAX_CONFIG_BYTES)
            digest = hashlib.sha256(content).hexdigest()
            text = redaction.redact_text(content.decode("utf-8", "replace"))
            found.append({"path": path, "sha256": digest, "text": text})
    return found


def _data(argv: Sequence[str]) -> list[dict[str, object]]:
    """The versions of the data among the paths: DVC's, Git LFS's, Delta's own, else a hash of what is not large."""
    room = MAX_HASHED_BYTES
    lfs = _lfs_versions([path for path in named_paths(argv) if os.path.isfile(path)])
    found: list[dict[str, object]] = []
    for path in named_paths(argv):
        name = os.path.basename(os.path.normpath(path))
        if pointer := lfs.get(path):
            found.append(pointer)
        elif version := _dvc_version(path):
            found.append({"system": "dvc", "name": name, "version": version})
        elif version := _delta_version(path):
            found.append({"system": "delta", "name": name, "version": version})
        elif os.path.isfile(path) and not path.endswith((*_CONFIG_ENDINGS, ".py", ".sh", ".ipynb")):
            size = os.path.getsize(path)
            if size <= room:
                room -= size
                found.append({"system": "hash", "name": name, "version": f"sha256:{_sha256(path)}"})
    return found


def _lfs_versions(paths: Sequence[str]) -> dict[str, dict[str, object]]:
    """Those of the files that are pointers of Git LFS, or its content as HEAD has it and not changed since."""
    from mlbench.wire import gitlfs
    from mlbench.wire.gitrepo import find_repository, open_repository, read_state

    top = find_repository(os.getcwd())
    repository = open_repository(top) if top and paths else None
    if repository is None:
        return {}
    try:
        objects, commit = repository.objects, read_state(repository, repository.head.commit)
        found: dict[str, dict[str, object]] = {}
        for path in paths:
            name = os.path.relpath(os.path.realpath(path), os.path.realpath(repository.folder.path))
            pointer = gitlfs.pointer_in_file(path)
            if pointer is None and objects and commit:
                pointer = gitlfs.pointer_at(objects, commit.tree, name)
                if pointer and not _is_as_committed(path, pointer, repository.folder.control):
                    continue
            if pointer:
                found[path] = {"system": "git-lfs", "name": name, "version": pointer.oid, "bytes": pointer.size_bytes}
        return found
    finally:
        repository.close()


def _is_as_committed(path: str, pointer: Pointer, control: str) -> bool:
    """By its hash, or, where that takes long, by its size and that it is no newer than git's index."""
    told = os.stat(path)
    if told.st_size != pointer.size_bytes:
        return False
    if told.st_size > MAX_HASHED_BYTES:
        return told.st_mtime_ns <= os.stat(os.path.join(control, "index")).st_mtime_ns
    return _sha256(path) == pointer.oid


def _dvc_version(path: str) -> str:
    """What the `.dvc` file beside a path says of it."""
    import re

    from mlbench.wire.files import read_head

    head = read_head(f"{os.path.normpath(path)}.dvc", 4096).decode("utf-8", "replace")
    match = re.search(r"^- (?:md5|etag|checksum): *(\S+)|^  (?:md5|etag|checksum): *(\S+)", head, re.MULTILINE)
    return (match[1] or match[2]) if match else ""


def _delta_version(path: str) -> str:
    """The newest version of a Delta table."""
    from mlbench.wire.delta import LOG_FOLDER, DeltaError, open_log

    if not os.path.isdir(os.path.join(path, LOG_FOLDER)):
        return ""
    try:
        return str(open_log(path).newest)
    except DeltaError:
        return ""


def _sha256(path: str) -> str:
    from mlbench.wire.files import open_regular

    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


# ---------------------------------------------------------------- where it goes in the end


def settle(
    record: capture.Record, folder: str, *, is_chosen: bool, is_anothers: Callable[[str, float], bool]
) -> str | None:
    """Write the finished record, beside the run where its folder can be told.

    Args:
        record: what ran.
        folder: where the record lies in the meantime.
        is_chosen: it stays there.
        is_anothers: whether logs in a folder that changed at a time may be of another run that was at work then.

    Returns:
        The record's path; None where it could not be written, which is told.
    """
    beside = None if is_chosen else _run_folder(record, folder, is_anothers)
    add_args(record, folder)
    if beside is not None:
        record.pop("name", None)
        try:
            return move_record(record, folder, beside)
        except OSError as error:
            record["problems"].append(f"the record could not be put into {beside}: {error.strerror or error}")
    path = os.path.join(folder, capture.RECORD)
    try:
        capture.write_json(path, record)
    except OSError as error:
        capture.tell(f"{path}: how the run ended is not recorded: {error.strerror or error}")
        return None
    return path


def add_args(record: capture.Record, folder: str) -> None:
    """What `log_args` told goes into the record."""
    from mlbench.wire.jsonlog import as_mapping, load_json_file

    told = as_mapping(load_json_file(os.path.join(folder, capture.ARGS)).value)
    if args := as_mapping(told.get("args")):
        record["args"] = redaction.redact_json("args", dict(args))


def told_folder(record: capture.Record, folder: str) -> str | None:
    """The folder that `log_args` found among the arguments, where it is there and not the one where all began."""
    from mlbench.wire.jsonlog import as_mapping, as_text, load_json_file

    told = as_text(as_mapping(load_json_file(os.path.join(folder, capture.ARGS)).value).get("folder"))
    is_own = told and os.path.isdir(told) and os.path.abspath(told) != os.path.abspath(str(record["cwd"]))
    return told if is_own else None


def _run_folder(record: capture.Record, folder: str, is_anothers: Callable[[str, float], bool]) -> str | None:
    """The folder that the command logged into: what it told, else the one where logs appeared since it began."""
    if told := told_folder(record, folder):
        return told
    tops = [path for path in named_paths(record["argv"]) if os.path.isdir(path)]
    written = {
        place
        for top in tops or [str(record["cwd"])]
        for place, changed_s in logs_written(top, float(record["started"]))
        if not is_anothers(place, changed_s)
    }
    if not written:
        return None
    shared = os.path.commonpath(written)
    return shared if shared in written or (len(written) > 1 and shared in map(os.path.abspath, tops)) else None


def logs_written(top: str, started_s: float) -> Iterator[tuple[str, float]]:
    """Of each log that changed since then: its folder, and when it changed last."""
    n_seen = 0
    todo = [(os.path.abspath(top), 0)]
    while todo:
        folder, depth = todo.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        n_seen += len(entries)
        if n_seen > MAX_ENTRIES:
            return
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if depth < MAX_DEPTH and entry.name not in _SKIPPED:
                    todo.append((entry.path, depth + 1))
            elif _is_log(entry.name) and (changed_s := _changed_s(entry)) >= started_s - 1:
                yield folder, changed_s


def _changed_s(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except OSError:  # it is gone again
        return -math.inf


def _is_log(name: str) -> bool:
    return name in _LOG_NAMES or any(mark in name for mark in _LOG_MARKS)


def move_record(record: capture.Record, folder: str, beside: str) -> str:
    """The record, the patch and the output into the run's folder, under names that are free there."""
    path = capture.free_path(beside, capture.RECORD)
    stem = os.path.splitext(os.path.basename(path))[0]
    for part, key, name in (("git", "patch", capture.PATCH), ("output", "file", capture.OUTPUT)):
        old = os.path.join(folder, name)
        if os.path.exists(old):
            new = stem + os.path.splitext(name)[1]
            shutil.copyfile(old, os.path.join(beside, new))
            os.chmod(os.path.join(beside, new), 0o600)
            told = record.get(part)  # not there where mlbench was killed, or git's files could not be read
            record[part] = {**(told if isinstance(told, dict) else {}), key: new}
    capture.write_json(path, record)
    shutil.rmtree(folder, ignore_errors=True)
    return path
