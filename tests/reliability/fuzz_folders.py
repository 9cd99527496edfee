"""Readers of what lies in folders and belongs to no adapter: repositories, tables, caches; and richer examples of some."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from tests.paths import FORMATS
from tests.reliability.fuzz_contents import Seed

ReadFolder = Callable[[str], object]
MOST_VERSIONS = 12


def folder_readers() -> dict[str, ReadFolder]:
    """By target, what reads a folder; whatever it raises is a crash."""
    return {
        "git repository": _repository, "delta table": _delta, "dvc cache": _dvc_cache, "feast registry": _feast,
        "wandb manifests": _manifests, "model file": _models, "data folder": _data_folder,
    }  # fmt: skip


def _repository(folder: str) -> None:
    """All that is asked of a repository: whose code a run is, what changed, what is pinned."""
    from mlbench.wire import gitindex, gitlfs, gitrepo
    from mlbench.wire.gitfolder import experiment_refs

    first, last = Path(folder, "ids").read_text("utf-8").split()
    repository = gitrepo.open_repository(folder)
    if repository is None:
        return
    try:
        gitrepo.attribute(repository, 1_700_001_500.0, folder=os.path.join(folder, "src"))
        list(gitrepo.first_parents(repository))
        experiment_refs(repository.folder)
        gitrepo.read_state(repository, first[:9])
        gitrepo.changed_files(repository, first, last)
        gitrepo.changed_notebooks(repository, first, last)
        gitrepo.subjects_between(repository, first, last, limit=9)
        gitrepo.unified_diff(repository, first, last)
        gitrepo.blob_at(repository, last, "src/train.py")
        state = gitrepo.read_state(repository, last)
        if state is not None and repository.objects is not None:
            gitlfs.uses_lfs(repository.objects, repository.folder.common, state.tree)
            gitlfs.pointers_below(repository.objects, state.tree)
        try:
            gitindex.work_patch(repository, gitindex.work_changes(repository))
        except (gitindex.GitIndexError, OSError):
            return
    finally:
        repository.close()


def _delta(folder: str) -> None:
    from mlbench.wire import delta

    try:
        log = delta.open_log(folder)
    except delta.DeltaError:
        return
    for version in range(min(log.newest, MOST_VERSIONS) + 1):
        for read in (delta.read_state, delta.read_commit_info):
            try:
                told = read(log, version)
            except delta.DeltaError:
                continue
            if isinstance(told, delta.DeltaState):
                assert told.n_rows is None or told.schema_text is not None
    try:
        delta.version_at(log, 1.7e9)
    except delta.DeltaError:
        return


def _dvc_cache(folder: str) -> None:
    from mlbench.wire import dvccache

    cache = dvccache.cache_folder(folder)
    digest = Path(folder, "ids").read_text("utf-8")
    dvccache.size_of(cache, digest)
    try:
        for entry in dvccache.read_listing(cache, digest).values():
            dvccache.size_of(cache, entry.identity)
    except dvccache.DvcCacheError:
        return


def _feast(folder: str) -> None:
    from mlbench.wire import feast

    for path in Path(folder).rglob(feast.STORE):
        try:
            feast.read_store(str(path)).views.values()
        except feast.FeastError:
            continue


def _manifests(folder: str) -> None:
    from mlbench.wire.wandbmanifest import read_manifests

    try:
        read_manifests(folder)
    except (OSError, ValueError):
        return


def _models(folder: str) -> None:
    from mlbench.wire.modelfile import ModelFileError, describe_model

    for path in Path(folder).iterdir():
        try:
            described = describe_model(str(path))
        except (ModelFileError, OSError):
            continue
        assert described.text is not None


def _data_folder(folder: str) -> None:
    from mlbench.wire.datarefs import dolt_database, lakefs_local

    lakefs_local(folder)
    dolt_database(folder)


# ---------------------------------------------------------------- what they are given


def folder_seeds(scratch: Path) -> Iterator[Seed]:
    """Folders made below `scratch`, and real ones where they lie."""
    for make in (_loose, _packed):
        folder = scratch / make.__name__
        if not folder.exists():
            make(folder)
        names = [name for name in _names(folder) if name != "ids" and not name.endswith((".sample", "description"))]
        yield _seed("git repository", folder, [name for name in names if ".git/" in name], names)
    yield from _others(scratch)
    table = FORMATS / "delta" / "table" / "_delta_log"
    if table.is_dir():
        yield _seed("delta table", table.parent, [name for name in _names(table.parent) if "_delta_log" in name])
    models = FORMATS / "models"
    if models.is_dir():
        for path in sorted(models.rglob("*")):
            if path.is_file() and path.stat().st_size < 100_000:
                yield _seed("model file", path.parent, [path.name])


def _names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _seed(target: str, folder: Path, changed: list[str], names: list[str] | None = None) -> Seed:
    kept = list(changed if names is None else names) + (["ids"] if (folder / "ids").exists() else [])
    return Seed(target, {name: (folder / name).read_bytes() for name in kept}, tuple(changed))


def _loose(folder: Path) -> None:
    """A history with a notebook, a pointer of Git LFS and a DVC experiment."""
    from tests.reliability.fuzz_contents import _notebook
    from tests.unit.wire.git_builder import T0, add_commit, make_repository

    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"b" * 64 + b"\nsize 3\n"
    steps: list[dict[str, bytes]] = [
        {"src/train.py": b"lr = 1\n", "a.ipynb": _notebook(), ".gitattributes": b"*.bin filter=lfs\n"},
        {"src/train.py": b"lr = 2\nx\n", "data/x.bin": pointer},
        {"a.ipynb": _notebook().replace(b"print", b"show"), "src/model.py": b"m = 1\n" * 30},
    ]
    with make_repository(folder) as repo:
        ids = [
            add_commit(repo, files, time_s=T0 + 1000 * number, message=b"step %d\n\nwhy" % number)
            for number, files in enumerate(steps)
        ]
    (folder / "ids").write_text(f"{ids[0]} {ids[-1]}", "utf-8")
    reference = folder / ".git" / "refs" / "exps" / ids[0][:2] / ids[0][2:]
    reference.mkdir(parents=True)
    (reference / "mild-bugs").write_text(ids[1] + "\n", "utf-8")


def _packed(folder: Path) -> None:
    """The same in one pack with its index."""
    from dulwich.repo import Repo

    _loose(folder)
    with closing(Repo(str(folder))) as repo:
        repo.object_store.pack_loose_objects()
        heads = b"".join(b"%s %s\n" % (oid, name) for name, oid in sorted(repo.get_refs().items()) if name != b"HEAD")
    (folder / ".git" / "packed-refs").write_bytes(b"# pack-refs with: peeled fully-peeled sorted\n" + heads)
    shutil.rmtree(folder / ".git" / "refs" / "exps")


def _others(scratch: Path) -> Iterator[Seed]:
    from tests.unit.ingest import test_features
    from tests.unit.queries import test_data_changes

    for name, write in (("file", test_features.as_file), ("database", test_features.as_database)):
        folder = scratch / f"feast-{name}"
        if not folder.exists():
            test_features.store_in(folder, write)
        yield _seed("feast registry", folder, _names(folder))
    cache = scratch / "dvc"
    if not cache.exists():
        (cache / ".dvc").mkdir(parents=True)
        (cache / ".dvc" / "config").write_text("[core]\n    remote = x\n['cache']\n    dir = cache\n", "utf-8")
        digest = test_data_changes.listing(cache, {"a/b": b"1\n", "c": b"2"})
        (cache / "ids").write_text(digest, "utf-8")
    yield _seed("dvc cache", cache, [name for name in _names(cache) if name != "ids"])
    log = scratch / "wandb"
    if not log.exists():
        log.mkdir(parents=True)
        test_data_changes.wandb_log(log / "run-1.wandb", "d1", {"a.csv": "h1", "b/c.csv": "h2"})
    yield _seed("wandb manifests", log, _names(log))
    for number, (name, text) in enumerate((
        (".lakefs_ref.yaml", "src: lakefs://repo/main/data\nat_head: " + "a" * 64 + "\n"),
        (".dolt/repo_state.json", json.dumps({"head": "refs/heads/main", "remotes": {}, "branches": {}})),
    )):  # fmt: skip
        place = scratch / f"data-{number}" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
        yield _seed("data folder", scratch / f"data-{number}", [name])


# ---------------------------------------------------------------- richer examples of adapters


def more_examples(adapter: str, folder: Path) -> None:
    """More files of an adapter, of kinds that its own example has not."""
    write = {"parquet": _parquets, "mlflow-sqlite": _unfinished_database}.get(adapter)
    if write is not None:
        write(folder)


def _parquets(folder: Path) -> None:
    """Every encoding and compression, nested and dictionary columns, many row groups; all of a few hundred rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = 300
    table = pa.table({
        "step": pa.array(range(n), pa.int64()), "loss": [1 / (row + 1) for row in range(n)],
        "half": pa.array([float(row) for row in range(n)], pa.float32()), "ok": [row % 2 == 0 for row in range(n)],
        "timestamp": pa.array([1_700_000_000_000 + row for row in range(n)], pa.timestamp("ms")),
    })  # fmt: skip
    options: dict[str, dict[str, object]] = {
        "plain": {"compression": "none", "use_dictionary": False},
        "delta": {"compression": "zstd", "use_dictionary": False, "version": "2.6", "column_encoding":
                  {"step": "DELTA_BINARY_PACKED", "loss": "BYTE_STREAM_SPLIT"}},
        "snappy": {"compression": "snappy", "row_group_size": 50},
        "sums": {"compression": "none", "write_page_checksum": True, "data_page_size": 200},
        "gzip": {"compression": "gzip", "data_page_version": "2.0"},
    }  # fmt: skip
    for name, given in options.items():
        (folder / name).mkdir(exist_ok=True)
        pq.write_table(table, folder / name / "metrics.parquet", **given)
    nested = table.append_column("list", pa.array([[row, None] for row in range(n)])).append_column(
        "word", pa.array(["a", "b", None] * (n // 3)).dictionary_encode()
    )
    (folder / "nested").mkdir(exist_ok=True)
    pq.write_table(nested, folder / "nested" / "history.parquet")


def _unfinished_database(folder: Path) -> None:
    """MLflow's database with a write-ahead log that was not folded into it."""
    import sqlite3

    source, made = folder / "mlflow.db", folder / "unfinished"
    made.mkdir(exist_ok=True)
    with closing(sqlite3.connect(source)) as old:
        script = "\n".join(old.iterdump())
    with closing(sqlite3.connect(made / "x.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.executescript(script)
        for ending in ("", "-wal"):
            shutil.copy(made / f"x.db{ending}", made / f"mlflow.db{ending}")
    for ending in ("", "-wal", "-shm"):
        (made / f"x.db{ending}").unlink(missing_ok=True)
