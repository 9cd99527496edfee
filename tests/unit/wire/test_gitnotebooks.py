"""Promises of notebooks between two commits: cells, never JSON; a script beside it is the same notebook."""

from contextlib import closing
from pathlib import Path

from mlbench.wire.gitrepo import changed_files, open_repository, unified_diff

from .git_builder import T0, add_commit, make_repository
from .notebook_builder import notebook

FIT = ("code", "lr = 0.1\nfit(lr)")
FIT_2 = ("code", "lr = 0.2\nfit(lr)")
TEXT = ("markdown", "# Title")
SCRIPT = b"# %% [markdown]\n# # Title\n\n# %%\nlr = 0.2\nfit(lr)\n"


def diff_of(path: Path, old: dict[str, bytes], new: dict[str, bytes]) -> tuple[str, list[tuple[str, str]]]:
    """The text and the files; what `new` does not name is removed."""
    with make_repository(path) as repo:
        first = add_commit(repo, {"keep": b"1\n", **old}, time_s=T0)
        for name in old.keys() - new.keys():
            (path / name).unlink()
            repo.get_worktree().stage([name])
        second = add_commit(repo, {"keep": b"1\n", **new}, time_s=T0 + 1)
    repository = open_repository(str(path))
    assert repository is not None
    with closing(repository):
        return unified_diff(repository, first, second) or "", changed_files(repository, first, second) or []


def test_a_notebook_is_shown_as_cells(tmp_path: Path) -> None:
    text, files = diff_of(tmp_path, {"a b.ipynb": notebook(TEXT, FIT, count=1)}, {"a b.ipynb": notebook(TEXT, FIT_2)})

    assert text.splitlines() == [
        "diff --git a/a b.ipynb b/a b.ipynb", "--- a/a b.ipynb", "+++ b/a b.ipynb", "@@ code cell 2 changed @@",
        "-lr = 0.1", "+lr = 0.2", " fit(lr)",
    ]  # fmt: skip
    assert files == [("a b.ipynb", "changed")]


def test_of_new_outputs_it_is_said_that_they_are_all(tmp_path: Path) -> None:
    old, new = notebook(FIT, count=1, output="1"), notebook(FIT, count=2, output="2")

    text, files = diff_of(tmp_path, {"a.ipynb": old}, {"a.ipynb": new})

    assert text == "diff --git a/a.ipynb b/a.ipynb\nOnly outputs, counts or metadata of the notebook differ\n"
    assert files == [("a.ipynb", "outputs")]


def test_a_new_notebook_is_all_cells(tmp_path: Path) -> None:
    text, files = diff_of(tmp_path, {}, {"a.ipynb": notebook(TEXT)})

    assert text.splitlines()[1:] == ["--- /dev/null", "+++ b/a.ipynb", "@@ markdown cell 1 added @@", "+# Title"]
    assert files == [("a.ipynb", "added")]


def test_a_damaged_notebook_is_not_shown_as_json(tmp_path: Path) -> None:
    text, _files = diff_of(tmp_path, {"a.ipynb": notebook(TEXT)}, {"a.ipynb": b'{"cells": [<<<<<<<'})

    assert text == "diff --git a/a.ipynb b/a.ipynb\nThe notebook cannot be read: its cells are not compared\n"


def test_a_script_beside_the_notebook_is_not_told_twice(tmp_path: Path) -> None:
    old = {"a.ipynb": notebook(TEXT, FIT), "a.py": SCRIPT.replace(b"0.2", b"0.1")}
    text, files = diff_of(tmp_path, old, {"a.ipynb": notebook(TEXT, FIT_2), "a.py": SCRIPT})

    assert text.count("+lr = 0.2") == 1
    assert "The jupytext twin of a.ipynb: it has the same cells" in text
    assert files == [("a.ipynb", "changed"), ("a.py", "changed")]


def test_a_notebook_that_became_a_script_is_compared_with_it(tmp_path: Path) -> None:
    text, files = diff_of(tmp_path, {"a.ipynb": notebook(TEXT, FIT)}, {"a.py": SCRIPT})

    assert text.splitlines() == [
        "diff --git a/a.ipynb b/a.py", "--- a/a.ipynb", "+++ b/a.py", "@@ code cell 2 changed @@", "-lr = 0.1",
        "+lr = 0.2", " fit(lr)",
    ]  # fmt: skip
    assert files == [("a.ipynb", "removed"), ("a.py", "added")]


def test_another_script_stays_a_script(tmp_path: Path) -> None:
    old = {"a.ipynb": notebook(TEXT), "a.py": b"x = 1\n"}
    text, _files = diff_of(tmp_path, old, {"a.ipynb": notebook(FIT), "a.py": b"x = 2\n"})

    assert "-x = 1\n+x = 2" in text
