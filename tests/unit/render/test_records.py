import csv
import io
import json
from datetime import datetime

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.errors import UsageError
from mlbench.queries.answers import Value
from mlbench.render.cells import plain
from mlbench.render.records import FORMATS, Records, json_text, records_table, to_arrow, unique_keys, write
from mlbench.render.table import layout

NAN, INF = float("nan"), float("inf")
RECORDS = Records(
    ("run", "metrics.val/loss", "tag", "started"),
    (
        ("a|b", 0.123456789, ("best", "v2"), datetime(2026, 11, 2, 14, 20)),  # noqa: DTZ001 - naive UTC
        ("=cmd()\t", NAN, (), None),
        ("<c>", -INF, None, None),
    ),
)


def test_json_is_a_list_of_objects_and_says_nan_as_text() -> None:
    assert json.loads(str(write(RECORDS, "json"))) == [
        {"run": "a|b", "metrics.val/loss": 0.123456789, "tag": ["best", "v2"], "started": "2026-11-02T14:20:00Z"},
        {"run": "=cmd()\t", "metrics.val/loss": "NaN", "tag": [], "started": None},
        {"run": "<c>", "metrics.val/loss": "-Infinity", "tag": None, "started": None},
    ]


def test_json_lines_are_objects_of_their_own() -> None:
    lines = str(write(Records(("run", "x"), (("a", INF), ("b", 1))), "jsonl"))

    assert lines == '{"run": "a", "x": "Infinity"}\n{"run": "b", "x": 1}\n'


def test_json_without_rows_is_an_empty_list() -> None:
    assert write(Records(("run",), ()), "json") == "[]\n"
    assert write(Records(("run",), ()), "jsonl") == ""


def test_json_keeps_letters_and_escapes_what_terminals_act_upon() -> None:
    assert json_text("日\x9b2J\u202e\U000e0001") == '"日\\u009b2J\\u202e\\udb40\\udc01"'
    assert json_text({"a": 1}, indent=1) == '{\n "a": 1\n}'


def test_tsv_has_exact_values_and_no_formulas() -> None:
    assert write(RECORDS, "tsv") == (
        "run\tmetrics.val/loss\ttag\tstarted\n"
        "a|b\t0.123456789\tbest,v2\t2026-11-02T14:20:00Z\n"
        "'=cmd()␉\tNaN\t\t\n"
        "<c>\t-inf\t\t\n"
    )


def test_csv_is_quoted() -> None:
    text = str(write(Records(("run", "x"), (('a,"b"\nc', 1.5),)), "csv"))

    assert text == 'run,x\n"a,""b""\nc",1.5\n'


def test_csv_marks_an_empty_line() -> None:
    assert write(Records(("x",), ((None,),)), "csv") == 'x\n""\n'


@given(st.lists(st.tuples(st.text(), st.floats()), max_size=5))
def test_csv_has_as_many_rows_and_cells_as_there_are(rows: list[tuple[str, float]]) -> None:
    text = str(write(Records(("run", "x"), tuple(rows)), "csv"))

    assert [len(line) for line in csv.reader(io.StringIO(text, newline=""))] == [2] * (len(rows) + 1)


def test_markdown_stands_numbers_right_and_escapes_all_else() -> None:
    assert write(Records(("run", "x"), (("a|b", 0.123456), ("val/a_b", None))), "markdown") == (
        "| run | x |\n| --- | ---: |\n| a&#124;b | 0.1235 |\n| val/a_b |  |\n"
    )


def test_latex_is_a_tabular_with_escaped_texts() -> None:
    assert write(Records(("run", "val_loss"), (("50%", 0.5), ("b", None))), "latex") == (
        "\\begin{tabular}{lr}\n\\toprule\nrun & val\\_loss \\\\\n\\midrule\n"
        "50\\% & 0.5 \\\\\nb &  \\\\\n\\bottomrule\n\\end{tabular}\n"
    )


def test_parquet_keeps_types_and_bits() -> None:
    raw = write(RECORDS, "parquet")
    assert isinstance(raw, bytes)

    table = pq.read_table(io.BytesIO(raw))

    assert [str(kind) for kind in table.schema.types] == [
        "string",
        "double",
        "list<element: string>",
        "timestamp[us, tz=UTC]",
    ]
    assert table.column("metrics.val/loss").to_pylist()[0] == 0.123456789
    assert table.column("tag").to_pylist() == [["best", "v2"], [], None]


@pytest.mark.parametrize(
    ("values", "kind", "kept"),
    [
        ((1, None, 2), "int64", [1, None, 2]),
        ((1, 0.5, None), "double", [1.0, 0.5, None]),
        ((2**70, 1), "string", [str(2**70), "1"]),
        ((2**60, 0.5), "string", [str(2**60), "0.5"]),
        ((True, None), "bool", [True, None]),
        ((1, "a", None), "string", ["1", "a", None]),
        ((None,), "string", [None]),
        (("\udcff",), "string", ["\\udcff"]),
    ],
)
def test_columns_of_parquet_are_typed_by_their_values(values: tuple[Value, ...], kind: str, kept: list[object]) -> None:
    table = to_arrow(Records(("x",), tuple((value,) for value in values)))

    assert str(table.schema.types[0]) == kind
    assert table.column("x").to_pylist() == kept


def test_no_rows_make_an_empty_table() -> None:
    assert to_arrow(Records(("a", "b"), ())).column_names == ["a", "b"]


def test_records_can_be_looked_at() -> None:
    table = records_table(Records(("run", "x", "flag"), (("a", 0.5, True), ("b", 12, None))))

    assert plain(layout(table)) == "run     x  flag\na     0.5  true\nb    12"


def test_keys_are_unique() -> None:
    assert unique_keys(("run", "a", "a", "a")) == ("run", "a", "a#2", "a#3")


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no format 'xml'. Try one of: table, json"):
        write(RECORDS, "xml")
    assert "parquet" in FORMATS
