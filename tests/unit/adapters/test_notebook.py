"""Promises of executed notebooks as runs: what papermill says, what a person assigned, what went wrong."""

import json
import os
from pathlib import Path

import pytest

from mlbench.adapters.notebook import ADAPTER, git_blob
from mlbench.model import (
    Artifact,
    Blob,
    Claim,
    Fact,
    ImportedTag,
    JsonValue,
    Layer,
    LineageEdge,
    Listing,
    Param,
    Points,
    Problem,
    RunField,
    Source,
)
from mlbench.wire.notebook import (
    assignments,
    order_warnings,
    percent_sources,
    printed,
    read_notebook,
    sources,
)
from tests.paths import FORMATS, needs_formats

FOLDER = os.path.join(FORMATS, "notebooks")


def facts_of(path: str | os.PathLike[str]) -> list[Fact]:
    return list(ADAPTER.read(Source(str(path), os.path.dirname(path)), None))


def claims_of(folder: str | os.PathLike[str]) -> list[Claim]:
    return list(ADAPTER.claims(Listing(str(folder), tuple(sorted(os.listdir(folder))), ())))


def cell(
    source: str = "", count: int | None = None, kind: str = "code", tags: tuple[str, ...] = ()
) -> dict[str, JsonValue]:
    return {
        "cell_type": kind,
        "source": source,
        "execution_count": count,
        "metadata": {"tags": list(tags)},
        "outputs": [],
    }


def write(path: Path, cells: list[dict[str, JsonValue]], **metadata: object) -> Path:
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}))
    return path


@needs_formats
def test_genuine_notebooks_say_what_the_table_says() -> None:
    with open(os.path.join(FORMATS, "expected.json"), encoding="utf-8") as file:
        expected = json.load(file)["notebooks"]
    claimed = [os.path.basename(claim.path) for claim in claims_of(FOLDER)]
    assert claimed == sorted(expected["runs_detail"])
    assert len(claimed) == expected["runs"]
    for name, detail in expected["runs_detail"].items():
        facts = facts_of(os.path.join(FOLDER, name))
        fields = {fact.name: fact.value for fact in facts if isinstance(fact, RunField)}
        params = [fact for fact in facts if isinstance(fact, Param)]
        given = {p.key: p.value for p in params if p.layer is Layer.OVERRIDE}
        defaults = {p.key: p.value for p in params if p.layer is Layer.DEFAULT}
        with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
            book = read_notebook(json.load(file))
        assert book is not None
        assert given == {key: one["value"] for key, one in detail["params"].items()}
        assert defaults == {key: one["value"] for key, one in detail["defaults"].items()}
        assert fields["status"] == {"completed": "finished"}.get(detail["status"], detail["status"])
        assert fields["entry_point"] == detail["input"]
        assert len(book.cells) == detail["cells"]
        assert [c.status or "-" for c in book.cells] == detail.get("cell_status", [c.status or "-" for c in book.cells])
        assert ImportedTag("error", detail["error"]) in facts if "error" in detail else True
        assert detail.get("stdout", "") in printed(book)
        assert not [fact for fact in facts if isinstance(fact, Problem)]


@needs_formats
def test_two_runs_of_one_template_have_the_same_cells() -> None:
    books = []
    for name in ("out_0.1.ipynb", "out_0.01.ipynb"):
        with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
            books.append(read_notebook(json.load(file)))
    first, second = books
    assert first is not None
    assert second is not None
    assert sources(first) == sources(second)
    with open(os.path.join(FOLDER, "train.py"), encoding="utf-8") as file:
        assert percent_sources(file.read()) == sources(first)


def test_the_origin_and_its_twin_are_named_by_git(tmp_path: Path) -> None:
    write(tmp_path / "train.ipynb", [cell("x = 1")])
    (tmp_path / "train.py").write_text("# %%\nx = 1\n")
    out = write(tmp_path / "out.ipynb", [cell("x = 1", 1)], papermill={"input_path": "nb/train.ipynb", "end_time": "x"})

    facts = facts_of(out)

    artifacts = {fact.name: fact for fact in facts if isinstance(fact, Artifact)}
    assert artifacts["train.ipynb"].digest == git_blob((tmp_path / "train.ipynb").read_bytes())
    assert artifacts["train.py"].detail == "its jupytext twin"
    assert LineageEdge("input", "", "nb/train.ipynb") in facts
    assert git_blob(b"") == "git:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


def test_an_unexecuted_or_ordinary_notebook_is_no_run(tmp_path: Path) -> None:
    write(tmp_path / "template.ipynb", [cell("lr = 1", tags=("parameters",))])
    write(tmp_path / "report.ipynb", [cell("1 + 1", 1)])
    write(tmp_path / "tagged.ipynb", [cell("lr = 1", 1, tags=("parameters",))])

    assert [os.path.basename(claim.path) for claim in claims_of(tmp_path)] == ["tagged.ipynb"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = 1; b: float = -2.5e-3", {"a": 1, "b": -0.0025}),
        ("a = [1, (2, None)]\nb = {'x': True}", {"a": [1, [2, None]], "b": {"x": True}}),
        ("a = 1\na = f()", {}),
        ("a = b = 'x'", {"a": "x", "b": "x"}),
        ("a = {**c}\nb = 1 + 1\nc.d = 3", {}),
        ("not python (", {}),
        ("a = " + "[" * 150 + "]" * 150, {}),
        ("a = " + "(" * 5000, {}),
        ("%load_ext x", {}),
        ("a = b'bytes'\nc = 1j", {}),
    ],
)
def test_only_literals_are_parameters(source: str, expected: dict[str, object]) -> None:
    assert {one.name: one.value for one in assignments(source)} == expected


@pytest.mark.parametrize(
    ("counts", "part"),
    [
        ([1, 2, 3], ""),
        ([1, 3, 2], "top to bottom"),
        ([1, 3], "no longer there"),
        ([2, 2], "same execution count"),
        ([], ""),
    ],
)
def test_cells_out_of_order_are_told(counts: list[int], part: str) -> None:
    book = read_notebook({"nbformat": 4, "cells": [cell("x", count) for count in counts]})

    assert book is not None
    told = order_warnings(book)
    assert len(told) == bool(part)
    assert part in "".join(told)


def test_scraps_are_metrics_and_pictures_have_places(tmp_path: Path) -> None:
    ADAPTER.example(str(tmp_path))
    path = tmp_path / "out.ipynb"

    facts = facts_of(path)

    points = [fact for fact in facts if isinstance(fact, Points)]
    assert [(p.metric, p.values.tolist()) for p in points] == [("auc", [0.7])]
    (picture,) = [fact for fact in facts if isinstance(fact, Blob)]
    data = path.read_bytes()[picture.offset : picture.offset + picture.length]
    assert data.startswith(b"iVBORw0KGgo")
    assert picture.encoding == "png;base64"


def test_old_notebooks_have_worksheets() -> None:
    book = read_notebook(
        {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["a\n", "b"], "prompt_number": 4}]}]}
    )

    assert book is not None
    assert [(c.kind, c.source, c.count) for c in book.cells] == [("code", "a\nb", 4)]
    assert read_notebook({"cells": []}) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"nbformat": 4, "cells": 3}', '{"nbformat": 4, "cells": [1, null, {"outputs": [3]}]}']
)
def test_what_is_no_notebook_is_told_or_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(text)

    assert facts_of(path)
