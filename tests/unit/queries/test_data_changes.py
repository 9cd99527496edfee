"""Promises of what was added to and removed from data: told from the store, or said why not."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlbench.queries.compare import compare_runs
from mlbench.queries.data_changes import compare_data, with_data_changes
from mlbench.queries.report import gather_report
from mlbench.render.cells import plain
from mlbench.render.data_changes import data_change_lines
from mlbench.render.diff import diff_records, diff_sections, diff_summary
from mlbench.render.table import section_lines
from mlbench.wire.delta import open_log, read_state
from tests.paths import FORMATS, needs_formats
from tests.unit.queries.conftest import FakeReader
from tests.unit.wire.git_builder import T0, add_commit, make_repository
from tests.unit.wire.wandb_builder import history, log, number, text


def runs_of(reader: FakeReader, folder: Path, system: str, name: str, *versions: str) -> list[str]:
    ids = []
    for index, version in enumerate(versions):
        place = folder / f"r{index}"
        place.mkdir(exist_ok=True)
        ids.append(reader.add_run(f"r{index}", path=str(place), root=str(folder)))
        reader.add("data_version", run_id=ids[-1], system=system, name=name, version=version, role="")
        reader.add_param(ids[-1], "data.path", "../table")
    return ids


# ---------------------------------------------------------------- Delta Lake


@pytest.fixture
def table(tmp_path: Path) -> Path:
    shutil.copytree(FORMATS / "delta" / "table", tmp_path / "table")
    return tmp_path / "table"


@needs_formats
def test_files_rows_and_operations_between_two_versions_of_a_delta_table(empty: FakeReader, table: Path) -> None:
    ids = runs_of(empty, table.parent, "delta", "train_set", "0", "1", "7")

    one, seven = compare_data(empty, ids, most=3)

    told = {version: read_state(open_log(str(table)), version) for version in (0, 7)}
    assert (one.n_files, one.n_rows, one.moved_files, one.moved_rows) == ((2, 4), (10, 15), (2, 0, 0), (5, 0))
    assert one.steps == ("v1 WRITE Append",)
    assert (seven.n_files, seven.n_rows) == ((2, 10), (10, 28))
    assert seven.moved_files == (10, 2, 0)
    assert seven.moved_rows == (28, 10)
    assert seven.steps[1:3] == (
        "v2 DELETE (predicate: id < 3; num_deleted_rows: 3)",
        "v3 WRITE Overwrite by ada (run_id: exp-7)",
    )
    assert [change.name for change in seven.files] == sorted({*told[0].files, *told[7].files})[:3]
    assert seven.n_more == 9


@needs_formats
def test_all_files_are_listed_when_all_are_asked_for(empty: FakeReader, table: Path) -> None:
    ids = runs_of(empty, table.parent, "delta", "train_set", "0", "7")

    (change,) = compare_data(empty, ids, most=None)

    assert (len(change.files), change.n_more) == (12, 0)


@needs_formats
def test_a_step_back_undoes_what_was_done(empty: FakeReader, table: Path) -> None:
    ids = runs_of(empty, table.parent, "delta", "train_set", "1", "0")

    (change,) = compare_data(empty, ids)

    assert (change.moved_files, change.steps) == ((0, 2, 0), ("without v1 WRITE Append",))


@needs_formats
def test_a_table_that_is_gone_or_vacuumed_is_said_to_be(empty: FakeReader, table: Path) -> None:
    ids = runs_of(empty, table.parent, "delta", "train_set", "0", "7")
    (table / "_delta_log" / f"{0:020d}.json").unlink()

    (vacuumed,) = compare_data(empty, ids)
    shutil.rmtree(table)
    (gone,) = compare_data(empty, ids)

    assert vacuumed.said == "version 0 cannot be told: the log of version 0 is gone"
    assert gone.said == "the table is no longer where the run named it"
    assert gone.n_files is None


def test_columns_that_came_and_changed_their_type(empty: FakeReader, tmp_path: Path) -> None:
    log = tmp_path / "table" / "_delta_log"
    log.mkdir(parents=True)
    for version, fields in enumerate(([("id", "integer"), ("old", "string")], [("id", "long"), ("new", "double")])):
        schema = json.dumps({"type": "struct", "fields": [{"name": name, "type": kind} for name, kind in fields]})
        action = {"metaData": {"id": "t", "name": "set", "schemaString": schema}}
        (log / f"{version:020d}.json").write_text(json.dumps(action), encoding="utf-8")
    ids = runs_of(empty, tmp_path, "delta", "set", "0", "1")

    (change,) = compare_data(empty, ids)

    assert [(one.kind, one.name) for one in change.columns] == [("changed", "id"), ("added", "new"), ("removed", "old")]
    assert change.n_rows == (0, 0)


def test_tensors_of_mlflow_are_columns(empty: FakeReader, tmp_path: Path) -> None:
    ids = runs_of(empty, tmp_path, "mlflow", "train", "a", "b")
    for run_id, width in zip(ids, (3, 4), strict=True):
        rows = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, width]}}]
        schema = json.dumps({"mlflow_tensorspec": {"features": json.dumps(rows), "targets": None}})
        empty.connection.execute("UPDATE data_version SET schema_text = ? WHERE run_id = ?", [schema, run_id])

    (change,) = compare_data(empty, ids)

    (column,) = change.columns
    assert column.old is not None
    assert column.new is not None
    assert (column.name, column.old.identity, column.new.identity) == (
        "features", "float64 (-1, 3)", "float64 (-1, 4)"
    )  # fmt: skip


def test_splits_of_ml_metadata_by_their_fingerprints(empty: FakeReader, tmp_path: Path) -> None:
    ids = runs_of(empty, tmp_path, "ml-metadata", "examples", "span-1/version-0", "span-2/version-0")
    for run_id, n in zip(ids, (1, 2), strict=True):
        split = "split:{},num_files:{},total_bytes:{},xor_checksum:7,sum_checksum:9"
        digest = "\n".join([split.format("train", n, 100 * n), split.format("eval", 1, 10)])
        empty.add("artifact", run_id=run_id, kind="data", name="examples:1", digest=digest)

    (change,) = compare_data(empty, ids)

    assert (change.n_files, change.said) == ((2, 3), "")
    assert [(one.kind, one.name) for one in change.files] == [("changed", "train")]
    empty.add("artifact", run_id=ids[1], kind="data", name="examples:2", digest="split:a,num_files:1")
    assert compare_data(empty, ids)[0].said == "only the versions are recorded"


def test_the_bytes_of_a_version_are_a_row_where_both_are_known(empty: FakeReader, tmp_path: Path) -> None:
    ids = runs_of(empty, tmp_path, "dvc", "a.csv", "1", "2", "3")
    for run_id, size in zip(ids, (10, 20, None), strict=True):
        empty.connection.execute("UPDATE data_version SET size_bytes = ? WHERE run_id = ?", [size, run_id])

    rows = {row.key: (row.cells, row.differs) for row in compare_runs(empty, ids).data}

    assert rows["a.csv bytes"] == (("10", "20", None), True)
    assert "a.csv bytes" not in {row.key for row in compare_runs(empty, [ids[0], ids[2]]).data}


# ---------------------------------------------------------------- DVC


def kept(project: Path, content: bytes, ending: str = "") -> str:
    """An object of the cache, as DVC 3 keeps it; its hash is returned."""
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest() + ending
    place = project / ".dvc" / "cache" / "files" / "md5" / digest[:2] / digest[2:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return digest


def listing(project: Path, files: Mapping[str, bytes]) -> str:
    rows = [{"md5": kept(project, content), "relpath": name} for name, content in files.items()]
    return kept(project, json.dumps(rows).encode(), ".dir")


HOSTILE = "3\x1b[31m|<b>.png"


def test_files_of_a_dvc_folder_that_came_went_and_changed(empty: FakeReader, tmp_path: Path) -> None:
    before = listing(tmp_path, {"0.png": b"0", "1.png": b"1", "2.png": b"2"})
    after = listing(tmp_path, {"0.png": b"0", "1.png": b"one", HOSTILE: b"3"})
    ids = runs_of(empty, tmp_path, "dvc", "imgs", before, after)

    answer = with_data_changes(empty, compare_runs(empty, ids))

    (change,) = answer.data_changes
    assert (change.n_files, change.moved_files) == ((3, 3), (1, 1, 1))
    text = plain(section_lines(diff_sections(answer)))
    assert "\x1b" not in text
    lines = [line.split() for line in text.splitlines()]
    assert ["1.png", "1", "B", "~", "changed,", "3", "B"] in lines
    assert ["2.png", "1", "B", "-", "removed,", "1", "B"] in lines
    records = diff_records(answer).rows
    assert ("data_files_added", "imgs", None, 1) in records
    assert ("data_file", "imgs/2.png", "1 B", "removed") in records
    assert data_change_lines(answer)[0].startswith("r1: imgs (dvc), 3 files: +1 -1 ~1; ~ 1.png, - 2.png, + 3")


def test_lines_of_a_dvc_file_are_counted(empty: FakeReader, tmp_path: Path) -> None:
    before = kept(tmp_path, b"x,y\n1,2\n3,4\n")
    after = kept(tmp_path, b"x,y\n3,4\n5,6\n7,8\n")
    ids = runs_of(empty, tmp_path, "dvc", "train.csv", before, after)

    (change,) = compare_data(empty, ids)

    assert (change.n_rows, change.moved_rows, change.row_word) == ((3, 4), (2, 1), "line")


def test_what_is_not_in_the_cache_is_said(empty: FakeReader, tmp_path: Path) -> None:
    here = listing(tmp_path, {"0.png": b"0"})
    ids = runs_of(empty, tmp_path, "dvc", "imgs", here, "f" * 32 + ".dir", "e" * 32)

    gone, file = compare_data(empty, ids)

    assert gone.said == "the listing of ffffffffff is not in the cache"
    assert file.said == "it is a folder in one run and a file in the other"


def test_a_cache_may_lie_elsewhere_and_have_the_older_layout(empty: FakeReader, tmp_path: Path) -> None:
    project, shared = tmp_path / "project", tmp_path / "shared"
    before, after = (listing(project, {name: b"0"}) for name in ("a", "b"))
    shutil.move(project / ".dvc" / "cache" / "files" / "md5", shared)
    (project / ".dvc" / "config").write_text("[core]\n    dir = no\n['cache']\n    dir = ../../shared\n", "utf-8")
    ids = runs_of(empty, project, "dvc", "imgs", before, after)

    (change,) = compare_data(empty, ids)

    assert change.moved_files == (1, 1, 0)


@pytest.mark.parametrize("content", [b"[", b"{}", b'[{"md5": 1, "relpath": "a"}]', b'[["a"]]', b"[" * 100_000])
def test_a_damaged_listing_is_said_to_be(empty: FakeReader, tmp_path: Path, content: bytes) -> None:
    ids = runs_of(empty, tmp_path, "dvc", "imgs", listing(tmp_path, {}), kept(tmp_path, content, ".dir"))

    (change,) = compare_data(empty, ids)

    assert change.said.endswith("in the cache is damaged")


def test_no_file_outside_of_the_cache_is_opened_on_a_versions_word(empty: FakeReader, tmp_path: Path) -> None:
    here = kept(tmp_path, b"1\n")
    (tmp_path / "secret").write_text("2\n", encoding="utf-8")
    ids = runs_of(empty, tmp_path, "dvc", "x", here, "../../../../../secret")

    (change,) = compare_data(empty, ids)

    assert "not in the cache" in change.said


# ---------------------------------------------------------------- Git LFS


def pointer(content: bytes) -> tuple[str, bytes]:
    """The hash of a content, and what stands in its place in git."""
    oid = hashlib.sha256(content).hexdigest()
    return oid, f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n".encode()


def lfs_runs(reader: FakeReader, folder: Path, name: str, *commits: Mapping[str, bytes]) -> list[str]:
    """A run for each commit of these files, whose contents are in the clone."""
    ids = []
    with make_repository(folder) as repo:
        for index, files in enumerate(commits):
            staged = {".gitattributes": b"*.csv filter=lfs\n"}
            for path, content in files.items():
                oid, staged[path] = pointer(content)
                place = folder / ".git" / "lfs" / "objects" / oid[:2] / oid[2:4] / oid
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            commit = add_commit(repo, staged, time_s=T0 + index)
            ids.append(reader.add_run(f"r{index}", path=str(folder / "runs"), root=str(folder)))
            reader.add("code", run_id=ids[-1], commit_id=commit, how="recorded", repository="")
            reader.add("data_version", run_id=ids[-1], system="git-lfs", name=name, version=f"v{index}",
                       role="in its commit" if index else "")  # fmt: skip
    return ids


def test_lines_of_a_file_in_git_lfs_are_counted(empty: FakeReader, tmp_path: Path) -> None:
    ids = lfs_runs(empty, tmp_path, "d/a.csv", {"d/a.csv": b"1\n2\n"}, {"d/a.csv": b"2\n3\n4\n"})

    (change,) = compare_data(empty, ids)

    assert (change.n_rows, change.moved_rows) == ((2, 3), (2, 1))
    assert change.files[0].new is not None
    assert change.files[0].new.size_bytes == 6


def test_a_file_that_was_never_fetched_has_a_size(empty: FakeReader, tmp_path: Path) -> None:
    ids = lfs_runs(empty, tmp_path, "d/a.csv", {"d/a.csv": b"1\n"}, {"d/a.csv": b"2\n3\n"})
    shutil.rmtree(tmp_path / ".git" / "lfs")

    (change,) = compare_data(empty, ids)

    assert change.n_rows is None
    assert change.files[0].old is not None
    assert change.files[0].old.size_bytes == 2


def test_files_of_a_folder_in_git_lfs(empty: FakeReader, tmp_path: Path) -> None:
    ids = lfs_runs(empty, tmp_path, "d", {"d/a.csv": b"1", "d/b.csv": b"1"}, {"d/b.csv": b"2", "d/e/c.csv": b"3"})

    (change,) = compare_data(empty, ids)

    assert [(one.kind, one.name) for one in change.files] == [("changed", "b.csv"), ("added", "e/c.csv")]


def test_a_commit_that_is_not_here_is_said(empty: FakeReader, tmp_path: Path) -> None:
    ids = lfs_runs(empty, tmp_path, "d/a.csv", {"d/a.csv": b"1"}, {"d/a.csv": b"2"})
    empty.connection.execute("UPDATE code SET commit_id = repeat('1', 40) WHERE run_id = ?", [ids[1]])

    (change,) = compare_data(empty, ids)

    assert change.said.startswith("only the hashes are known")


# ---------------------------------------------------------------- W&B


def wandb_log(place: Path, digest: str, files: Mapping[str, str]) -> None:
    """A log with one artifact; its files have a digest each."""
    entries = [text(4, text(1, name) + text(2, content) + number(4, len(content))) for name, content in files.items()]
    artifact = text(4, "dataset") + text(5, "digits") + text(6, digest) + text(12, b"".join(entries))
    place.write_bytes(log(number(1, 1) + text(8, artifact), b"\x12\xff", number(1, 2) + history(loss="1")))


def runs_that_made_data(reader: FakeReader, tmp_path: Path) -> list[str]:
    """Two runs of W&B that logged a data set, of two files each."""
    ids = []
    for name, files in (("a", {"x.csv": "1", "y.csv": "2"}), ("b", {"x.csv": "11", "z.csv": "3"})):
        folder = tmp_path / name
        folder.mkdir()
        wandb_log(folder / "run-1.wandb", f"d{name}", files)
        ids.append(reader.add_run(name, path=str(folder)))
        for kind in ("dataset", "model"):
            reader.add("artifact", run_id=ids[-1], kind=kind, name="digits" if kind == "dataset" else "m",
                       digest=f"wandb:d{name}", source=str(folder))  # fmt: skip
    return ids


def test_a_report_tells_the_data_that_its_runs_made(empty: FakeReader, tmp_path: Path) -> None:
    runs_that_made_data(empty, tmp_path)

    (change,) = gather_report(empty).diff.data_changes

    assert (change.name, change.moved_files) == ("digits", (1, 1, 1))


def test_runs_that_made_other_data_differ(empty: FakeReader, tmp_path: Path) -> None:
    ids = runs_that_made_data(empty, tmp_path)

    answer = with_data_changes(empty, compare_runs(empty, ids))

    assert answer.differs
    assert diff_summary(answer) == "2 runs differ in 1 data set that they made"


def test_files_of_a_data_set_that_wandb_runs_logged(empty: FakeReader, tmp_path: Path) -> None:
    ids = runs_that_made_data(empty, tmp_path)

    (change,) = compare_data(empty, ids)
    (tmp_path / "b" / "run-1.wandb").unlink()
    (gone,) = compare_data(empty, ids)

    assert (change.system, change.name, change.n_files, change.moved_files) == ("wandb", "digits", (2, 2), (1, 1, 1))
    assert [(one.kind, one.name) for one in change.files] == [
        ("changed", "x.csv"),
        ("removed", "y.csv"),
        ("added", "z.csv"),
    ]
    assert change.files[2].new is not None
    assert change.files[2].new.size_bytes == 1
    assert gone.said == "its log is gone, or holds no list of the artifact's files"


def test_files_of_a_data_set_that_wandb_runs_used_and_others_made(empty: FakeReader, tmp_path: Path) -> None:
    for alias, files in (("v0", {"x.csv": "1"}), ("v1", {"x.csv": "1", "y.csv": "2"})):
        (tmp_path / alias).mkdir()
        wandb_log(tmp_path / alias / "run-1.wandb", f"d{alias}", files)
        maker = empty.add_run(f"make {alias}", path=str(tmp_path / alias))
        empty.add("artifact", run_id=maker, kind="dataset", name="digits", digest=f"wandb:d{alias}", role="output",
                  detail=f"1 file, latest, {alias}", source=str(tmp_path / alias))  # fmt: skip
    ids = [empty.add_run(f"use {alias}") for alias in ("v0", "v1", "latest")]
    for run_id, alias in zip(ids, ("v0", "v1", "latest"), strict=True):
        empty.add("artifact", run_id=run_id, kind="dataset", name=f"digits:{alias}", digest="", role="input")
        empty.add("data_version", run_id=run_id, system="wandb", name="digits", version=alias)

    unknown, change = compare_data(empty, ids)

    assert (unknown.run_id, unknown.after, unknown.said) == (ids[2], "latest", "only the versions are recorded")
    assert (change.run_id, change.name, change.n_files) == (ids[1], "digits", (1, 2))
    assert [(one.kind, one.name) for one in change.files] == [("added", "y.csv")]


# ---------------------------------------------------------------- others


def test_of_mlflow_rows_and_columns_are_told_as_recorded(empty: FakeReader, tmp_path: Path) -> None:
    ids = runs_of(empty, tmp_path, "none", "x", "1", "1")
    for run_id, columns, n_rows in ((ids[0], ["a", "b"], 10), (ids[1], ["a", "c"], 12)):
        schema = json.dumps({"mlflow_colspec": [{"type": "long", "name": name} for name in columns]})
        empty.add("data_version", run_id=run_id, system="mlflow", name="digits", version=f"d{n_rows}", n_rows=n_rows,
                  schema_text=schema, role="train")  # fmt: skip

    (change,) = compare_data(empty, ids)

    assert change.n_rows == (10, 12)
    assert [(one.kind, one.name) for one in change.columns] == [("removed", "b"), ("added", "c")]
    assert change.said == "only digests are known: MLflow records no files of a data set"


@pytest.mark.parametrize(("system", "word"), [("lakefs", "lakeFS"), ("dolt", "Dolt"), ("hash", "only the versions")])
def test_what_a_store_cannot_say_is_said(empty: FakeReader, tmp_path: Path, system: str, word: str) -> None:
    ids = runs_of(empty, tmp_path, system, "x", "main", "dev")

    (change,) = compare_data(empty, ids)

    assert word in change.said
    assert change.moved_files is None


def test_equal_versions_are_not_looked_at(empty: FakeReader, tmp_path: Path) -> None:
    ids = runs_of(empty, tmp_path, "dvc", "x", "1", "1")

    answer = compare_runs(empty, ids)

    assert with_data_changes(empty, answer) is answer
