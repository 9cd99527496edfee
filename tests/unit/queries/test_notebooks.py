"""Promises of runs that are notebooks: compared cell by cell, in the table, in records and as a diff."""

from pathlib import Path

from mlbench.queries.compare import compare_runs
from mlbench.queries.notebooks import compare_notebooks, with_notebooks
from mlbench.render.cells import plain
from mlbench.render.diff import diff_records, diff_sections, diff_summary
from mlbench.render.notebooks import notebook_change_lines, notebook_lines
from mlbench.render.table import section_lines
from mlbench.safe import safe
from tests.unit.queries.conftest import FakeReader
from tests.unit.wire.notebook_builder import notebook

TEXT = ("markdown", "# Title")
FIT = ("code", "lr = 0.1\nfit(lr)\ntoken = 'x'")
FIT_2 = ("code", "lr = 0.2\nfit(lr)\ntoken = 'x'")
SCRIPT = "# %% [markdown]\n# # Title\n\n# %%\nlr = 0.2\nfit(lr)\ntoken = 'x'\n"


def runs_of(reader: FakeReader, folder: Path, *books: bytes) -> list[str]:
    ids = []
    for number, book in enumerate(books):
        path = folder / f"out{number}.ipynb"
        path.write_bytes(book)
        ids.append(reader.add_run(f"out{number}", path=str(path), root=str(folder)))
    return ids


def test_cells_that_differ_stand_side_by_side(empty: FakeReader, tmp_path: Path) -> None:
    ids = runs_of(empty, tmp_path, notebook(TEXT, FIT, count=1), notebook(TEXT, FIT_2), notebook(FIT, count=3))

    answer = with_notebooks(empty, compare_runs(empty, ids))

    text = plain(section_lines(diff_sections(answer)))
    lines = [line.split("  ") for line in text.splitlines()]
    rows = [[part.strip() for part in line if part.strip()] for line in lines]
    assert ["code cell 2", "cell 2", "changed: +1 -1", "-"] in rows
    assert ["lr = 0.1", "lr = 0.2", "-"] in rows
    assert ["markdown cell 1", "cell 1", "-", "removed"] in rows
    assert "2 cells of the notebook" in diff_summary(answer)
    assert answer.differs


def test_the_report_names_the_cells(empty: FakeReader, tmp_path: Path) -> None:
    ids = runs_of(empty, tmp_path, notebook(FIT), notebook(FIT_2, TEXT))

    (line,) = notebook_change_lines(with_notebooks(empty, compare_runs(empty, ids)))

    assert line == "out1: code cell 1 changed: -lr = 0.1  +lr = 0.2; markdown cell 2 added: +# Title"


def test_records_have_the_sources_of_both(empty: FakeReader, tmp_path: Path) -> None:
    ids = runs_of(empty, tmp_path, notebook(FIT), notebook(FIT_2))

    records = diff_records(with_notebooks(empty, compare_runs(empty, ids)))

    assert records.rows == (("cell", "code cell 1 changed", FIT[1], FIT_2[1]),)


def test_the_same_cells_are_no_difference(empty: FakeReader, tmp_path: Path) -> None:
    ids = runs_of(empty, tmp_path, notebook(FIT, count=1, output="a"), notebook(FIT, count=2, output="b"))

    answer = with_notebooks(empty, compare_runs(empty, ids))

    assert not answer.differs
    assert answer.notebooks[0].n_cells == (1, 1)
    assert diff_sections(answer) == ()


def test_a_run_of_the_notebooks_script_is_compared_with_it(empty: FakeReader, tmp_path: Path) -> None:
    (book,) = runs_of(empty, tmp_path, notebook(TEXT, FIT))
    (tmp_path / "train.py").write_text(SCRIPT, encoding="utf-8")
    script = empty.add_run("s", path=str(tmp_path / "logs"), root=str(tmp_path), command="python train.py --lr 0.2")

    (change,) = compare_notebooks(empty, [book, script])

    assert change.after == str(tmp_path / "train.py")
    assert [(one.kind, one.number) for one in change.changes] == [("changed", 2)]


def test_a_notebook_that_is_gone_is_said_to_be(empty: FakeReader, tmp_path: Path) -> None:
    ids = runs_of(empty, tmp_path, notebook(FIT), notebook(FIT_2))
    (tmp_path / "out1.ipynb").unlink()

    answer = with_notebooks(empty, compare_runs(empty, ids))

    assert "out1.ipynb is gone or damaged" in plain(section_lines(diff_sections(answer)))
    assert diff_records(answer).rows[0][0] == "cell_unknown"


def test_secrets_in_cells_are_not_shown(empty: FakeReader, tmp_path: Path) -> None:
    secret = ("code", "API_KEY=sk-abcdefghijklmnopqrstuvwxyz123456")
    ids = runs_of(empty, tmp_path, notebook(FIT), notebook(FIT, secret, ("markdown", "\x1b[31m[x](http://evil)")))

    (change,) = compare_notebooks(empty, ids)

    text = plain(notebook_lines(change, safe("b")))
    assert "@@ code cell 2 added @@" in text
    assert "abcdefghijklmnop" not in text
    assert "\x1b" not in text


def test_runs_that_are_no_notebooks_are_left_out(empty: FakeReader, tmp_path: Path) -> None:
    (book,) = runs_of(empty, tmp_path, notebook(FIT))
    other = empty.add_run("plain", path=str(tmp_path))
    answer = compare_runs(empty, [other, book])

    assert compare_notebooks(empty, [book, other]) == ()
    assert with_notebooks(empty, answer) is answer
