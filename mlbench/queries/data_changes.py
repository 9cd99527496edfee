"""What was added to and removed from the data between runs: files, rows, columns and the operations in between.

Versions stand in the catalog; what they hold is read where it lies when it is asked for: the log of a Delta table,
DVC's cache, the manifests in W&B's logs. Nothing is fetched and nothing is written; what the store cannot say is said.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlbench.dataclass import dataclass
from mlbench.ingest.data import Stores, named_paths
from mlbench.queries.answers import DiffAnswer
from mlbench.queries.artifact_changes import ArtifactPair, artifact_pairs
from mlbench.queries.fingerprints import Splits, splits_of
from mlbench.queries.lfs_files import LfsCommits, content_of
from mlbench.queries.reading import Reader
from mlbench.safe import path_of_text
from mlbench.wire import delta, dvccache
from mlbench.wire.listings import Entry, EntryChange, entry_changes
from mlbench.wire.textlines import lines_between

MOST_FILES = 10
"""Files of a data set that are listed."""
MOST_STEPS = 20
_VERSIONS = """SELECT run_id, system, name, coalesce(role, ''), version, n_rows, coalesce(schema_text, '')
FROM data_version WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) ORDER BY name, role, version"""
_PLACES = """SELECT r.run_id, coalesce(r.path, ''), coalesce(r.root, ''), coalesce(c.repository, ''),
    coalesce(c.commit_id, '')
FROM run r LEFT JOIN code c ON c.run_id = r.run_id WHERE r.run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))"""
_TEXTS = """SELECT run_id, key, txt FROM param
WHERE is_effective AND type = 'str' AND contains(txt, '/') AND run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))
ORDER BY key"""
_SILENT = {
    "lakefs": "only the versions are known: a lakeFS server lists the files of a commit, and none is asked",
    "dolt": "only the versions are known: Dolt's tables are not read",
    "pachyderm": "only the versions are known: Pachyderm lists the files of a commit, and it is not asked",
    "mlflow": "only digests are known: MLflow records no files of a data set",
    "feast": "only the names of the feature views are known",
}
_OTHERS = "only the versions are recorded"


@dataclass(frozen=True, slots=True)
class DataChange:
    """One data set in a run against the same one in the baseline."""

    run_id: str
    system: str
    name: str
    before: str
    """Version of the baseline."""
    after: str
    n_files: tuple[int, int] | None = None
    """Before and after; None where the store cannot say."""
    n_rows: tuple[int, int] | None = None
    moved_files: tuple[int, int, int] | None = None
    """Files added, removed and changed."""
    moved_rows: tuple[int, int] | None = None
    """Rows in what was added, and in what was removed: a row that was rewritten is in both."""
    row_word: str = "row"
    """`line` of a text."""
    files: tuple[EntryChange, ...] = ()
    """The first of them."""
    columns: tuple[EntryChange, ...] = ()
    steps: tuple[str, ...] = ()
    """What was done to get from one version to the other, oldest first: `v2 DELETE (predicate: id < 3)`."""
    said: str = ""
    """Why no more can be said."""

    @property
    def n_more(self) -> int:
        """Files that changed and are not listed."""
        return sum(self.moved_files or ()) - len(self.files)


def with_data_changes(reader: Reader, answer: DiffAnswer, *, most: int | None = MOST_FILES) -> DiffAnswer:
    """The comparison with what the stores of its data say; nothing is read where all versions are equal."""
    changes = compare_data(reader, [head.run_id for head in answer.runs], most=most)
    return replace(answer, data_changes=changes) if changes else answer


@dataclass(frozen=True, slots=True)
class _Version:
    system: str
    name: str
    role: str
    version: str
    n_rows: int | None
    schema: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a run looked for its data."""

    folders: tuple[str, ...]
    commits: tuple[str, ...]
    texts: tuple[tuple[str, str], ...]
    """Parameters that may be paths."""


def compare_data(reader: Reader, run_ids: Sequence[str], *, most: int | None = MOST_FILES) -> tuple[DataChange, ...]:
    """What each run's data has and has not that the first run's has; data sets of equal versions are left out.

    Args:
        reader: the catalog.
        run_ids: the first is the baseline.
        most: files of each data set that are listed; None for all.
    """
    ids = list(dict.fromkeys(run_ids))
    found: dict[str, dict[tuple[str, str, str], _Version]] = {run_id: {} for run_id in ids}
    for run_id, *row in reader.rows(_VERSIONS, [ids]):
        version = _Version(*row)
        # Of Git LFS the role says whether the run named the file, which makes it no other file.
        role = "" if version.system == "git-lfs" else version.role
        found[run_id].setdefault((version.system, version.name, role), version)
    base = found[ids[0]] if ids else {}
    pairs = [
        (run_id, base[key], mine)
        for run_id in ids[1:]
        for key, mine in found[run_id].items()
        if key in base and base[key].version != mine.version
    ]
    artifacts = tuple(_artifact_change(pair, most) for pair in artifact_pairs(reader, ids))
    by_files = {(change.run_id, change.name) for change in artifacts}
    pairs = [pair for pair in pairs if pair[1].system != "wandb" or (pair[0], pair[1].name) not in by_files]
    if not pairs:
        return artifacts
    places, stores, commits = _places(reader, ids), Stores(), LfsCommits()
    splits = splits_of(reader, ids) if any(new.system == "ml-metadata" for _id, _old, new in pairs) else {}
    changes = []
    for run_id, old, new in pairs:
        start = _start(run_id, old, new)
        if start.system == "ml-metadata" and ids[0] in splits and run_id in splits:
            changes.append(_split_change(start, splits[ids[0]], splits[run_id]))
            continue
        sides = (places[ids[0]], places[run_id])
        is_lfs = start.system == "git-lfs"
        changes.append(_lfs_change(start, sides, commits, most) if is_lfs else _told(start, sides, stores, most))
    return (*changes, *artifacts)


def _split_change(start: DataChange, old: Splits, new: Splits) -> DataChange:
    files = tuple(entry_changes(old.entries, new.entries))
    said = "" if files else "the fingerprints of the splits are equal"
    return replace(start, n_files=(old.n_files, new.n_files), files=files, said=said)


def _artifact_change(pair: ArtifactPair, most: int | None) -> DataChange:
    start = DataChange(pair.run_id, "wandb", pair.name, pair.before, pair.after)
    if pair.old is None or pair.new is None:
        return replace(start, said="its log is gone, or holds no list of the artifact's files")
    files = tuple(entry_changes(pair.old, pair.new))
    counts = (len(pair.old), len(pair.new))
    return replace(start, n_files=counts, moved_files=_counts(files), files=files[:most])


def _places(reader: Reader, ids: Sequence[str]) -> dict[str, _Place]:
    folders: dict[str, list[str]] = {run_id: [] for run_id in ids}
    commits: dict[str, dict[str, None]] = {run_id: {} for run_id in ids}
    for run_id, *paths, commit in reader.rows(_PLACES, [list(ids)]):
        commits[run_id].update({commit: None} if commit else {})
        named = [path_of_text(path) for path in paths if path]
        folders[run_id] += [path if os.path.isdir(path) else os.path.dirname(path) for path in named]
    texts: dict[str, list[tuple[str, str]]] = {run_id: [] for run_id in ids}
    for run_id, key, text in reader.rows(_TEXTS, [list(ids)]):
        texts[run_id].append((key, text))
    return {
        run_id: _Place(tuple(dict.fromkeys(folders[run_id])), tuple(commits[run_id]), tuple(texts[run_id]))
        for run_id in ids
    }


def _start(run_id: str, old: _Version, new: _Version) -> DataChange:
    """What the catalog itself holds: rows and columns, as they were recorded."""
    n_rows = (old.n_rows, new.n_rows) if old.n_rows is not None and new.n_rows is not None else None
    columns = entry_changes(_recorded_columns(old.schema), _recorded_columns(new.schema))
    has_both = bool(old.schema and new.schema)
    said = _SILENT.get(new.system, "" if n_rows else _OTHERS)
    return DataChange(run_id, new.system, new.name, old.version, new.version, n_rows=n_rows,
                      columns=tuple(columns) if has_both else (), said=said)  # fmt: skip


def _told(start: DataChange, places: tuple[_Place, _Place], stores: Stores, most: int | None) -> DataChange:
    try:
        if start.system == "delta":
            told = _delta_change(start, places, stores)
            return told if most is None else replace(told, files=told.files[:most], steps=_first(told.steps))
        if start.system == "dvc":
            return _dvc_change(start, places, most)
    except (delta.DeltaError, dvccache.DvcCacheError) as error:
        return replace(start, said=str(error))
    return start


def _recorded_columns(schema: str) -> dict[str, Entry]:
    """Columns of a schema as MLflow records one (`mlflow_colspec`, `mlflow_tensorspec`); nothing of others."""
    try:
        told = json.loads(schema) if schema.startswith("{") else {}
        columns = {str(row["name"]): Entry(_kind(row["type"])) for row in told.get("mlflow_colspec", ())}
        return columns | dict(_tensors(told.get("mlflow_tensorspec") or {}))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _tensors(told: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
    """Of `features` and `targets`, lists as JSON texts: `float64 (-1, 3)`; a lone tensor has no name of its own."""
    for part, text in told.items():
        rows = json.loads(text) if isinstance(text, str) else text
        for place, row in enumerate(rows or ()):
            spec = row["tensor-spec"]
            name = row.get("name") or (part if len(rows) == 1 else f"{part}.{place}")
            shape = ", ".join(str(size) for size in spec["shape"])
            yield str(name), Entry(f"{spec['dtype']} ({shape})")


def _kind(kind: object) -> str:
    return kind if isinstance(kind, str) else json.dumps(kind, sort_keys=True)


# ---------------------------------------------------------------- Delta Lake


def _delta_change(start: DataChange, places: tuple[_Place, _Place], stores: Stores) -> DataChange:
    sides = [_table_at(place, start.name, text, stores) for place, text in
             zip(places, (start.before, start.after), strict=True)]  # fmt: skip
    (log_a, old), (log_b, new) = sides
    files = tuple(entry_changes(*({name: _entry(file) for name, file in state.files.items()} for state in (old, new))))
    columns = tuple(entry_changes(*({name: Entry(kind) for name, kind in state.schema} for state in (old, new))))
    is_one = old.table_id == new.table_id
    return replace(
        start,
        n_files=(len(old.files), len(new.files)),
        n_rows=_both(old.n_rows, new.n_rows),
        moved_files=_counts(files),
        moved_rows=_moved_rows(files),
        files=files,
        columns=columns,
        steps=_steps(log_b, old.version, new.version) if is_one else (),
        said="" if is_one else f"these are two tables of one name: {log_a.path} and {log_b.path}",
    )


def _table_at(place: _Place, name: str, text: str, stores: Stores) -> tuple[delta.DeltaLog, delta.DeltaState]:
    """The table of this name that the run's parameters lead to, at a version."""
    if not text.isdecimal():
        raise delta.DeltaError("the version of the table is not known")
    for path in (path for _key, paths in named_paths(place.texts, place.folders) for path in paths):
        log = stores.log(path)
        if log is None:
            continue
        state = delta.read_state(log, int(text))
        if name in (state.name, os.path.basename(path)):
            return log, state
    told = list(stores.problems.values())
    raise delta.DeltaError(told[0].what if told else "the table is no longer where the run named it")


def _entry(file: delta.DeltaFile) -> Entry:
    return Entry(f"{file.size_bytes} {file.n_rows}", file.size_bytes, file.n_rows)


def _both(a: int | None, b: int | None) -> tuple[int, int] | None:
    return None if a is None or b is None else (a, b)


def _counts(files: Iterable[EntryChange]) -> tuple[int, int, int]:
    kinds = [change.kind for change in files]
    return kinds.count("added"), kinds.count("removed"), kinds.count("changed")


def _moved_rows(files: Sequence[EntryChange]) -> tuple[int, int] | None:
    """Rows that came and went with the files; of a file that changed (a deletion vector) the difference."""
    added = removed = 0
    for change in files:
        before, after = (0 if side is None else side.n_rows for side in (change.old, change.new))
        if before is None or after is None:
            return None
        added += max(after - before, 0)
        removed += max(before - after, 0)
    return added, removed


def _steps(log: delta.DeltaLog, before: int, after: int) -> tuple[str, ...]:
    """The commits between two versions of a table; of a step back those that are undone."""
    low, high = sorted((before, after))
    versions = [version for version in log.commits if low < version <= high]
    lines = [_step(delta.read_commit_info(log, version)) for version in versions]
    if n_gone := high - low - len(versions):
        lines.append(f"and {n_gone:,} commits that the log no longer holds")
    return tuple(f"without {line}" for line in lines) if before > after else tuple(lines)


def _first(steps: tuple[str, ...]) -> tuple[str, ...]:
    n_more = len(steps) - MOST_STEPS
    return (*steps[:MOST_STEPS], f"and {n_more:,} more commits") if n_more > 0 else steps


_WORDS = ("predicate", "numDeletedRows", "num_deleted_rows", "numUpdatedRows", "num_updated_rows")


def _step(commit: delta.DeltaCommit) -> str:
    words = [f"v{commit.version}", commit.operation or "?", commit.mode]
    by = f"by {commit.user}" if commit.user else ""
    given = {name: text for name, text in commit.told.items() if name in _WORDS and text and text != "null"}
    given |= {name: text for name, text in commit.extra.items() if name not in given}
    told = "; ".join(f"{name}: {text}" for name, text in list(given.items())[:6])
    return " ".join([*filter(None, [*words, by]), *([f"({told})"] if told else [])])


# ---------------------------------------------------------------- DVC


def _dvc_change(start: DataChange, places: tuple[_Place, _Place], most: int | None) -> DataChange:
    projects = [dvccache.find_project(folder) for place in reversed(places) for folder in place.folders]
    project = next((one for one in projects if one is not None), None)
    if project is None:
        raise dvccache.DvcCacheError("no DVC project is around the run any more")
    cache = dvccache.cache_folder(project)
    is_folder = [version.endswith(dvccache.FOLDER_ENDING) for version in (start.before, start.after)]
    if all(is_folder):
        return _dvc_folder(start, cache, most)
    if any(is_folder):
        return replace(start, said="it is a folder in one run and a file in the other")
    return _dvc_file(start, cache)


def _dvc_folder(start: DataChange, cache: str, most: int | None) -> DataChange:
    old, new = (dvccache.read_listing(cache, version) for version in (start.before, start.after))
    files = tuple(entry_changes(old, new))
    listed = tuple(replace(file, old=_sized(cache, file.old), new=_sized(cache, file.new)) for file in files[:most])
    return replace(start, n_files=(len(old), len(new)), moved_files=_counts(files), files=listed, said="")


def _sized(cache: str, entry: Entry | None) -> Entry | None:
    return None if entry is None else replace(entry, size_bytes=dvccache.size_of(cache, entry.identity))


def _dvc_file(start: DataChange, cache: str) -> DataChange:
    sizes = [dvccache.size_of(cache, version) for version in (start.before, start.after)]
    if None in sizes:
        gone = start.before if sizes[0] is None else start.after
        raise dvccache.DvcCacheError(f"the file {gone[:10]} is not in the cache")
    lines = lines_between(*(dvccache.object_path(cache, version) for version in (start.before, start.after)))
    sides = [Entry(version, size) for version, size in zip((start.before, start.after), sizes, strict=True)]
    return _one_file(start, sides[0], sides[1], lines)


def _one_file(
    start: DataChange, old: Entry, new: Entry, lines: tuple[int, int, int, int] | None
) -> DataChange:  # fmt: skip
    return replace(
        start,
        n_files=(1, 1),
        moved_files=(0, 0, 1),
        files=(EntryChange("changed", start.name, old, new),),
        n_rows=lines[:2] if lines else None,
        moved_rows=lines[2:] if lines else None,
        row_word="line",
        said="",
    )


# ---------------------------------------------------------------- Git LFS


def _lfs_change(
    start: DataChange, places: tuple[_Place, _Place], commits: LfsCommits, most: int | None
) -> DataChange:  # fmt: skip
    sides = [commits.files(place.folders, place.commits, start.name) for place in places]
    if sides[0] is None or sides[1] is None:
        return replace(start, said="only the hashes are known: the commit of a run has not this file, or is not here")
    (old, objects_a), (new, objects_b) = sides[0], sides[1]
    if set(old) == set(new) == {start.name}:
        one, other = old[start.name], new[start.name]
        return _one_file(start, one, other, lines_between(content_of(objects_a, one), content_of(objects_b, other)))
    files = tuple(entry_changes(old, new))
    counts = (len(old), len(new))
    return replace(start, n_files=counts, moved_files=_counts(files), files=files[:most], said="")
