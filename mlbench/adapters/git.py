"""A git state that a training script wrote down beside its run.

Read are `git.json`, `git_info.json`, `git-info.json` (an object, or one under `git`), `git_commit.txt`, `commit.txt`,
`git_hash.txt`, `git_sha.txt` and `git.txt` (a bare id, `git describe --dirty`, `git log -1`, or `key: value` lines),
if they hold a commit id; `diff.patch` and `git_diff.patch` tell whether files were changed, and are never copied.
There is no standard: the names of the keys are those that GitPython, Sacred and common snippets write.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from mlbench.model import Adapter, Claim, Cursor, Fact, GitState, JsonValue, Listing, Problem, ReadStatus, Role, Source
from mlbench.redaction import redact_text, redact_url
from mlbench.wire.files import is_lfs_pointer, read_head, read_whole

_RECORDS = ("git.json", "git_info.json", "git-info.json", "git_commit.txt", "commit.txt", "git_hash.txt",
            "git_sha.txt", "git.txt")  # fmt: skip
_PATCHES = ("diff.patch", "git_diff.patch")
_MAX_BYTES = 1 << 20

_WORD = re.compile(r"(?:(?<![0-9a-z])|(?<=\d-g))([0-9a-f]{64}|[0-9a-f]{7,40})(-dirty|\+)?(?![0-9a-z])", re.IGNORECASE)
"""Alone, or after what `git describe` puts before it."""
_KEY = re.compile(r"\W*+([A-Za-z][\w -]*+)[:=]")

_COMMIT_KEYS = ("commit", "sha", "hash", "git_commit", "revision", "commit_hash", "commit_sha", "commit_id", "git_hash",
                "git_sha", "hexsha", "rev", "head")  # fmt: skip
_BRANCH_KEYS = ("branch", "git_branch", "active_branch")
_DIRTY_KEYS = ("dirty", "is_dirty", "git_dirty", "has_uncommitted_changes")
_REMOTE_KEYS = ("remote", "url", "origin", "remote_url", "git_remote", "repo_url")
_SUBJECT_KEYS = ("message", "subject", "commit_message", "summary")
_TIME_KEYS = ("committed", "committed_date", "commit_date", "commit_time", "timestamp", "date")

_TIME_SPELLINGS: tuple[Callable[[str], datetime], ...] = (
    datetime.fromisoformat,
    lambda text: datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z"),  # git's %ci
    lambda text: datetime.strptime(text, "%a %b %d %H:%M:%S %Y %z"),  # git's %cd
)


def claims(listing: Listing) -> Iterator[Claim]:
    """Claim the first record that holds a commit, with the patch beside it; or the patch alone."""
    patches = [name for name in _PATCHES if listing.has(name) and _is_patch(os.path.join(listing.path, name))]
    records = [name for name in _RECORDS if listing.has(name) and _is_record(os.path.join(listing.path, name))]
    found = [os.path.join(listing.path, name) for name in (*records[:1], *patches[:1])]
    if found:
        yield Claim(found[0], Role.CONTEXT, listing.path, follows=tuple(found[1:]))


def _is_record(path: str) -> bool:
    head = read_head(path)
    return is_lfs_pointer(head) or next(_commits_in(head.decode("utf-8", "replace")), None) is not None


def _is_patch(path: str) -> bool:
    head = read_head(path)
    return (
        is_lfs_pointer(head)
        or _is_empty_file(path)
        or re.search(rb"^(?:diff --git |--- )", head, re.MULTILINE) is not None
    )


def _is_empty_file(path: str) -> bool:
    try:
        return os.path.getsize(path) == 0
    except OSError:
        return False


def _commit_in(text: str) -> re.Match[str] | None:
    """The longest word that can be a commit."""
    return max(_commits_in(text), key=lambda match: len(match[1]), default=None)


def _commits_in(text: str) -> Iterator[re.Match[str]]:
    """Words that can be one; a short one needs a digit and a letter, since words and years are hex."""
    return (match for match in _WORD.finditer(text) if len(match[1]) >= 40 or _is_mixed(match[1]))


def _is_mixed(word: str) -> bool:
    return not word.isalpha() and not word.isdigit()


# ---------------------------------------------------------------- reading


def read(source: Source, cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    """Yield one GitState, or the Problem why there is none."""
    del cursor  # The files are small and are read whole.
    name = os.path.basename(source.path)
    patches = [path for path in (source.path, *source.follows) if os.path.basename(path) in _PATCHES]
    if name in _PATCHES:
        record: Mapping[str, object] = {}
        problem, status = _problem_of_patch(source.path)
    else:
        record, problem, status = _read_record(source.path)
    if problem is not None:
        yield problem
        yield Cursor({}, status=status, n_bad=1)
        return
    yield _state(record, is_changed=_is_changed(patches))
    yield Cursor({}, n_records=1)


def _problem_of_patch(path: str) -> tuple[Problem | None, ReadStatus]:
    if is_lfs_pointer(read_head(path)):
        return _lfs_problem(path), ReadStatus.LFS_POINTER
    if not _is_patch(path):
        return Problem(path, "the file is no patch, or cannot be read"), ReadStatus.UNREADABLE
    return None, ReadStatus.EOF


def _is_changed(patches: list[str]) -> bool | None:
    for path in patches:
        if _is_patch(path) and not is_lfs_pointer(read_head(path)):
            return not _is_empty_file(path)
    return None


def _read_record(path: str) -> tuple[Mapping[str, object], Problem | None, ReadStatus]:
    try:
        content = read_whole(path, limit_bytes=_MAX_BYTES)
    except (OSError, ValueError) as error:
        return {}, Problem(path, f"the file cannot be read: {_reason(error)}"), ReadStatus.UNREADABLE
    if is_lfs_pointer(content):
        return {}, _lfs_problem(path), ReadStatus.LFS_POINTER
    if not content.strip():
        return {}, Problem(path, "the file is empty"), ReadStatus.EMPTY
    text = content.decode("utf-8", "replace")
    record = _parse_json(text) if path.endswith(".json") else _parse_text(text)
    if not record:
        what = "the file holds no commit id" if record is not None else "the file is not whole or not JSON"
        return {}, Problem(path, what), ReadStatus.UNREADABLE
    return record, None, ReadStatus.EOF


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _lfs_problem(path: str) -> Problem:
    return Problem(path, "a Git LFS pointer stands in place of the file", hint="git lfs pull")


def _parse_json(text: str) -> Mapping[str, object] | None:
    """The object that holds a commit, {} if none does, None for what is no JSON."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    inner = [value.get(name) for name in ("git", "vcs", "repository", "repo")] if isinstance(value, dict) else []
    for candidate in (value, *inner):
        record = _lowered(candidate)
        if _commit_in(_first(record, _COMMIT_KEYS)) is not None:
            return record
    return {}


def _lowered(value: object) -> dict[str, object]:
    return {str(key).lower(): item for key, item in value.items()} if isinstance(value, dict) else {}


def _parse_text(text: str) -> Mapping[str, object]:
    record: dict[str, object] = {}
    for line in text.split("\n"):
        if key := _KEY.match(line):
            name = key[1].rstrip().lower().replace(" ", "_").replace("-", "_")
            record.setdefault(name, line[key.end() :].strip())
    if branch := re.search(r"^On branch (\S+)$", text, re.MULTILINE):
        record.setdefault("branch", branch[1])
    if _commit_in(_first(record, _COMMIT_KEYS)) is None:
        found = _commit_in(text)
        if found is None:
            return {}
        record["commit"] = found[0]
    return record


def _state(record: Mapping[str, object], *, is_changed: bool | None) -> GitState:
    found = _commit_in(_first(record, _COMMIT_KEYS))
    is_dirty = _claimed_dirty(record)
    if is_dirty is None:
        is_dirty = True if found is not None and found[2] else is_changed
    return GitState(
        commit=found[1].lower() if found is not None else "",
        how="recorded",
        branch=_first(record, _BRANCH_KEYS),
        is_dirty=is_dirty,
        remote=redact_url(_first(record, _REMOTE_KEYS)),
        subject=redact_text(_first(record, _SUBJECT_KEYS).strip().partition("\n")[0][:300]),
        committed_s=_seconds(next((record[key] for key in _TIME_KEYS if key in record), None)),
    )


def _first(record: Mapping[str, object], keys: tuple[str, ...]) -> str:
    """The first text under these keys, '' if none; what is no character (a lone surrogate) is replaced."""
    value = next((item for key in keys if isinstance(item := record.get(key), str) and item), "")
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def _claimed_dirty(record: Mapping[str, object]) -> bool | None:
    value = next((record[key] for key in _DIRTY_KEYS if key in record), None)
    if isinstance(value, str):
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(value.lower())
    if isinstance(value, (bool, int)):
        return bool(value)
    difference = record.get("diff")
    return bool(difference.strip()) if isinstance(difference, str) else None


def _seconds(value: object) -> float | None:
    """A time of any common spelling as Unix seconds; None for a text without a zone, which may be any hour."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e11:
        return float(value)
    if not isinstance(value, str):
        return None
    for parse in _TIME_SPELLINGS:
        try:
            time = parse(value)
        except ValueError:
            continue
        return time.timestamp() if time.tzinfo is not None else None
    return None


def example(folder: str) -> None:
    """Write a record with everything that is read."""
    record = {
        "commit": "5f0c5a1d0f9cbb0ed5d9c9f8ce8d9d64e5a7cf10", "branch": "main", "dirty": True,
        "remote": "https://github.com/example/digits.git", "message": "Widen the hidden layer",
        "committed_date": "2026-03-02T09:15:00+01:00",
    }  # fmt: skip
    with open(os.path.join(folder, "git.json"), "w", encoding="utf-8") as file:
        json.dump(record, file, indent=2)


ADAPTER = Adapter(
    name="git",
    claims=claims,
    read=read,
    example=example,
    formats="A git state written beside a run: commit, branch, changed files, remote, message",
    files=(*_RECORDS, *_PATCHES),
)
