"""Promises of the comparison of code; the repository is the one of the sample runs."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from dulwich import porcelain

from mlbench.queries.answers import FactRow
from mlbench.queries.code import CodeChange, compare_code, patch_of_run, told, with_changed_books, with_code_changes
from mlbench.queries.compare import compare_runs
from mlbench.render.cells import plain
from mlbench.render.code import code_section, coloured, diff_lines
from mlbench.render.diff import diff_sections
from mlbench.render.table import section_lines
from mlbench.safe import safe
from tests.unit.queries.conftest import FakeReader
from tests.unit.wire.git_builder import T0, add_commit, make_repository
from tests.unit.wire.notebook_builder import notebook


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """Three commits: a script, another script, another configuration."""
    place = tmp_path / "code"
    place.mkdir()
    opened = porcelain.init(str(place))
    commits = []
    for name, content in (("train.py", "lr = 1\n"), ("train.py", "lr = 2\n"), ("config.yaml", "lr: 2\n")):
        (place / name).write_text(content, encoding="utf-8")
        porcelain.add(opened, [str(place / name)])
        author = b"Ada <ada@example.org>"
        commits.append(
            porcelain.commit(
                opened, f"Write {name} {content.strip()}".encode(), author=author, committer=author
            ).decode()
        )
    yield str(place), commits
    opened.close()


def runs_of(reader: FakeReader, *commits: str, **more: object) -> list[str]:
    ids = [reader.add_run(f"r{number}", path=f"/nowhere/{number}") for number in range(len(commits))]
    for run_id, commit in zip(ids, commits, strict=True):
        reader.add("code", run_id=run_id, commit_id=commit, how="recorded", **more)
    return ids


def test_commits_files_and_diff_are_found_in_a_repository(empty: FakeReader, repository: tuple[str, list[str]]) -> None:
    place, (first, second, third) = repository
    ids = runs_of(empty, first, second, third)

    one, two = compare_code(empty, ids, repository=place)

    assert (one.files, one.ahead, one.verdict) == ((("train.py", "changed"),), ("Write train.py lr = 2",), "code")
    assert "-lr = 1\n+lr = 2" in one.diff
    assert two.files == (("config.yaml", "added"), ("train.py", "changed"))
    assert len(two.ahead) == 2
    assert told([one, one]) == (f"{first[:10]}..{second[:10]}, 1 commit: the code changed (train.py)",)
    text = plain(section_lines([code_section([one, two], {ids[1]: safe("r1")})]))
    assert "(1 ahead)" in text
    assert "2: config.yaml (added), train.py" in text
    assert "the code changed" in text


def test_the_workbench_is_told_what_kind_of_change_it_is(empty: FakeReader, repository: tuple[str, list[str]]) -> None:
    place, (first, second, third) = repository
    ids = runs_of(empty, second, first, third, second, repository=place)

    answer = with_code_changes(empty, compare_runs(empty, ids))

    assert answer.code[-2:] == (
        FactRow("what changed", (None, "the code changed", "only configuration and texts changed", None), differs=True),
        FactRow("changed files", (None, "train.py", "config.yaml", None), differs=True),
    )
    same = compare_runs(empty, [ids[0], ids[3]])
    assert with_code_changes(empty, same) is same


def test_cells_of_a_notebook_that_changed_between_the_commits(empty: FakeReader, tmp_path: Path) -> None:
    secret = "API_KEY=sk-abcdefghijklmnopqrstuvwxyz123456"
    with make_repository(tmp_path / "code") as repo:
        old, new = (add_commit(repo, {"nb/a.ipynb": notebook(("code", f"lr = {lr}\nfit(lr)\n{secret}"))}, time_s=T0 + lr)
                    for lr in (1, 2))  # fmt: skip
    ids = runs_of(empty, old, new, new, repository=str(tmp_path / "code"))

    answer = with_changed_books(compare_runs(empty, ids), compare_code(empty, ids))

    text = plain(section_lines(diff_sections(answer)))
    assert text.count("nb/a.ipynb code cell 1") == 1
    line = next(part for part in text.splitlines() if "lr = 1" in part)
    assert re.split(r"  +", line.strip()) == ["lr = 1", "lr = 2", "lr = 2"]
    assert "abcdefghijklmnop" not in repr(answer)
    assert with_code_changes(empty, compare_runs(empty, ids)).notebooks == answer.notebooks


def test_only_configuration_changed(empty: FakeReader, repository: tuple[str, list[str]]) -> None:
    place, (_first, second, third) = repository

    (change,) = compare_code(empty, runs_of(empty, second, third), repository=place)

    assert change.verdict == "config"
    assert "only configuration and texts changed" in plain(section_lines([code_section([change], {})]))


@pytest.mark.parametrize(
    ("files", "verdict"),
    [
        ((("params.yaml", "changed"),), "config"),
        ((("params.yaml", "changed"), ("dvc.lock", "changed"), ("data/a.dvc", "added")), "data"),
        ((("a.ipynb", "outputs"),), "config"),
        ((("data/a.bin", "data"), (".gitattributes", "changed")), "data"),
        ((("a.ipynb", "changed"), ("dvc.lock", "changed")), "code"),
    ],
)
def test_pointers_to_data_and_outputs_of_notebooks_are_no_code(
    files: tuple[tuple[str, str], ...], verdict: str
) -> None:
    change = CodeChange("r", "1" * 40, "2" * 40, ("recorded", "recorded"), "/repo", files=files)

    assert change.verdict == verdict
    assert ("code changed" in told([change])[0]) == (verdict == "code")


@pytest.mark.parametrize(
    ("patch", "verdict"),
    [
        ("diff --git a/data/a.dvc b/data/a.dvc\n-1\n+2\n", "data"),
        ("diff --git a/conf.yaml b/conf.yaml\n-1\n+2\n", "config"),
        ("diff --git a/conf.yaml b/conf.yaml\n-1\n+2\ndiff --git a/t.py b/t.py\n", "code"),
        ("diff --git a/conf.yaml b/train.py\nrename\n", "unknown"),
    ],
)
def test_what_had_not_been_committed_is_judged_by_its_files(patch: str, verdict: str) -> None:
    change = CodeChange("r", "1" * 40, "1" * 40, ("recorded", "recorded"), patches=("", patch), is_dirty=(False, True))

    assert change.verdict == verdict


def test_files_in_git_lfs_are_data_and_no_code(empty: FakeReader, tmp_path: Path) -> None:
    def pointer(digit: str) -> bytes:
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digit * 64}\nsize 12\n".encode()

    rules = {".gitattributes": b"*.bin filter=lfs\n"}
    with make_repository(tmp_path / "code") as repo:
        old, new = (add_commit(repo, {**rules, "data/a.bin": pointer(digit)}, time_s=T0 + int(digit))
                    for digit in "12")  # fmt: skip

    (change,) = compare_code(empty, runs_of(empty, old, new, repository=str(tmp_path / "code")))

    assert (change.files, change.verdict) == ((("data/a.bin", "data"),), "data")


def test_without_a_repository_it_is_said(empty: FakeReader) -> None:
    (change,) = compare_code(empty, runs_of(empty, "1" * 40, "2" * 40))

    assert (change.verdict, change.repository) == ("unknown", "")
    assert "--repo DIR" in plain(section_lines([code_section([change], {})]))


def test_the_same_commit_is_the_same_code_unless_something_was_not_committed(empty: FakeReader) -> None:
    (same,) = compare_code(empty, runs_of(empty, "1" * 40, "1" * 40))

    assert same.verdict == "same"
    assert replace(same, patches=("", "+x\n")).verdict == "unknown"
    assert "uncommitted changes" in plain(section_lines([code_section([replace(same, is_dirty=(False, True))], {})]))


def test_a_baseline_without_a_commit_compares_nothing(empty: FakeReader) -> None:
    ids = runs_of(empty, "1" * 40)

    assert compare_code(empty, [empty.add_run("bare"), *ids]) == ()
    assert compare_code(empty, []) == ()


def test_a_saved_patch_is_read_where_it_lies(empty: FakeReader, tmp_path: Path) -> None:
    (tmp_path / "diff.patch").write_text("--- a/x\n+++ b/x\n+API_KEY=sk-abcdefghijklmnopqrstuvwxyz123456\n", "utf-8")
    first = empty.add_run("a", path="/nowhere")
    second = empty.add_run("b", path=str(tmp_path))
    for run_id in (first, second):
        empty.add("code", run_id=run_id, commit_id="1" * 40, how="recorded", is_dirty=run_id == second)

    (change,) = compare_code(empty, [first, second])

    assert change.patches[1].startswith("--- a/x\n+++ b/x\n")
    assert "abcdefghijklmnop" not in change.patches[1]
    assert "not committed in b" in plain(diff_lines(change, safe("b")))


def test_a_saved_patch_shows_the_cells_of_a_notebook(empty: FakeReader, tmp_path: Path) -> None:
    old, new = (notebook(("markdown", "# Title"), ("code", f"lr = {lr}\nfit(lr)")) for lr in (1, 2))
    before, after = (content.decode().splitlines() for content in (old, new))
    with make_repository(tmp_path / "code") as repo:
        commit = add_commit(repo, {"a.ipynb": old}, time_s=T0)
    hunks = list(difflib.unified_diff(before, after, "a/a.ipynb", "b/a.ipynb", lineterm=""))
    patch = "\n".join(
        ["diff --git a/a.ipynb b/a.ipynb", *hunks, "diff --git a/x.py b/x.py", "@@ -1 +1 @@", "-a", "+b", ""]
    )
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "diff.patch").write_text(patch, "utf-8")
    ids = [empty.add_run("a", path="/nowhere"), empty.add_run("b", path=str(tmp_path / "run"))]
    for run_id in ids:
        empty.add("code", run_id=run_id, commit_id=commit, how="recorded", repository=str(tmp_path / "code"))

    (change,) = compare_code(empty, ids)

    shown = change.patches[1]
    assert "@@ code cell 2 changed @@\n-lr = 1\n+lr = 2\n fit(lr)" in shown
    assert "execution_count" not in shown
    assert shown.endswith("diff --git a/x.py b/x.py\n@@ -1 +1 @@\n-a\n+b\n")
    assert patch_of_run(empty, ids[1], patch) == shown
    assert patch_of_run(empty, empty.add_run("c"), patch) == patch
    assert "sk-abc" not in patch_of_run(empty, ids[1], "+API_KEY=sk-abcdefghijklmnopqrstuvwxyz123456\n")
    (tmp_path / "run" / "diff.patch").write_text(patch.replace(" {", " [", 1), "utf-8")
    assert "execution_count" in compare_code(empty, ids)[0].patches[1]


def test_a_diff_is_coloured_by_its_first_letters() -> None:
    lines = coloured("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n same\n")

    assert [line[0].role for line in lines] == ["title", "title", "key", "bad", "good", ""]
    assert isinstance(CodeChange("", "", "", ("", "")).verdict, str)
