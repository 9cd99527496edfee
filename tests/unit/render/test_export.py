import io
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlbench.errors import SourceError, UsageError
from mlbench.render import export
from mlbench.render.export import format_of, parquet_bytes, replace_file, write_file, write_table, write_table_file

TABLE = pa.table({"run": ["a", "b", "c"], "step": [1, 2, 3], "value": [0.1, float("nan"), float("-inf")]})


def _text(form: str, table: pa.Table = TABLE) -> str:
    out = io.BytesIO()
    write_table(table, out, form)
    return out.getvalue().decode()


def test_the_ending_says_the_format() -> None:
    assert format_of("runs.PARQUET") == "parquet"
    assert format_of("/a.b/runs.csv") == "csv"
    with pytest.raises(UsageError, match=r"runs.xlsx: cannot tell the format from the ending. Try one of: .parquet"):
        format_of("runs.xlsx")


def test_parquet_comes_back_as_it_was() -> None:
    assert pq.read_table(io.BytesIO(parquet_bytes(TABLE))).slice(0, 1) == TABLE.slice(0, 1)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("csv", "run,step,value\na,1,0.1\nb,2,NaN\nc,3,-inf\n"),
        ("tsv", "run\tstep\tvalue\na\t1\t0.1\nb\t2\tNaN\nc\t3\t-inf\n"),
        ("jsonl", '{"run": "a", "step": 1, "value": 0.1}\n{"run": "b", "step": 2, "value": "NaN"}\n{"run": "c", "step": 3, "value": "-Infinity"}\n'),
        ("json", '[\n  {"run": "a", "step": 1, "value": 0.1},\n  {"run": "b", "step": 2, "value": "NaN"},\n  {"run": "c", "step": 3, "value": "-Infinity"}\n]\n'),
    ],
)  # fmt: skip
def test_texts_are_exact_however_they_are_cut(form: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _text(form)
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 2)

    assert whole == text
    assert _text(form) == text


def test_lists_and_nothing_have_texts() -> None:
    assert _text("csv", pa.table({"tag": [["a", "b"], None]})) == 'tag\n"a,b"\n""\n'
    assert json.loads(_text("json", pa.table({"tag": pa.array([], pa.int64())}))) == []


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no format 'xml' for files. Try one of: csv, json, jsonl, parquet, tsv"):
        write_table(TABLE, io.BytesIO(), "xml")


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "r.md"
    path.write_text("old")

    write_file(str(path), "new\udcff")

    assert path.read_bytes() == b"new\\udcff"
    assert os.listdir(tmp_path) == ["r.md"]


def test_a_file_may_be_refused_to_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "r.md"
    write_file(str(path), b"first", is_new=True)

    with pytest.raises(SourceError, match=r"is there already and is not replaced"):
        write_file(str(path), b"second", is_new=True)

    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["r.md"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none/r.md: cannot be written: No such file or directory"):
        write_file(str(tmp_path / "none" / "r.md"), "x")


def test_a_failing_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "r.md"
    path.write_text("old")

    def fail(out: object) -> None:
        raise OSError

    with pytest.raises(SourceError, match=r"cannot be written"):
        replace_file(str(path), fail)

    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["r.md"]


def test_tables_are_written_by_their_ending(tmp_path: Path) -> None:
    write_table_file(str(tmp_path / "t.csv"), TABLE)

    assert (tmp_path / "t.csv").read_text().startswith("run,step,value\n")
