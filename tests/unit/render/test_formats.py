"""Every listing in every format, to the byte: the answers of all commands, and texts that mean harm."""

import io
from datetime import datetime

import pyarrow.parquet as pq
import pytest

from mlbench.queries.answers import Value
from mlbench.render.cells import plain
from mlbench.render.diff import diff_records
from mlbench.render.problems import problem_records
from mlbench.render.records import FORMATS, Records, records_table, write
from mlbench.render.runs import runs_records
from mlbench.render.show import show_records
from mlbench.render.table import layout
from tests.golden.check import check_golden
from tests.unit.render import samples

NAN, INF = float("nan"), float("inf")
HOSTILE_TEXTS = (
    '=HYPERLINK("http://evil","x")',
    "+1+1|cmd",
    "-2+3",
    "@SUM(A1)",
    "\t=tab",
    "a|b `c` *d* _e_ [f](javascript:g) <img src=x> &amp; ~~h~~ # i",
    "\\input{/etc/passwd} $x^2$ 50% #1 a_b {c} ~ & \\",
    "\x1b[2J\x1b]0;title\x07 clear",
    "one\nline\r\nmore",
    'say "no", twice',
    "user\u202etxt.exe\u2066",
    "nul\x00 bell\x07 c1\x9b2J",
    "日本語 é 👩\u200d🔬",
    "\udcff not UTF-8",
    "",
    "NULL",
    "'quoted",
)
HOSTILE = Records(
    ("run", "x|=y", "number", "tags"),
    tuple(
        (text, text, number, tags)
        for text, number, tags in zip(
            HOSTILE_TEXTS,
            (0.1, 1e-7, 123456.789, -0.0, NAN, INF, -INF, None, 1.0, 2.5, 1e300, 5e-324, 3.0, None, 0.0, 7.0, 8.0),
            (("a", "=b"), (), None, *[("t",)] * 14),
            strict=True,
        )
    ),
)
VALUES: tuple[tuple[str, Value], ...] = (
    ("nothing", None),
    ("NaN", NAN),
    ("infinity", INF),
    ("minus infinity", -INF),
    ("minus zero", -0.0),
    ("double", 0.1),
    ("tiny", 5e-324),
    ("integer", 9_007_199_254_740_993),
    ("huge integer", 2**70),
    ("true", True),
    ("text", "NaN"),
    ("empty text", ""),
    ("time", datetime(2026, 11, 2, 14, 20, 5, 250000)),  # noqa: DTZ001 - naive UTC
    ("tags", ("a", "b")),
    ("no tags", ()),
)
LISTINGS = {
    "hostile": HOSTILE,
    "values": Records(tuple(name for name, _value in VALUES), (tuple(value for _name, value in VALUES),)),
    "runs": runs_records(samples.runs_answer()),
    "show": show_records(samples.show_answer()),
    "diff": diff_records(samples.diff_answer()),
    "problems": problem_records(samples.problems()),
    "empty": Records(("run", "params.lr"), ()),
}
ENDINGS = {
    "table": "txt", "json": "json", "jsonl": "jsonl", "csv": "csv", "tsv": "tsv", "parquet": "parquet.txt",
    "markdown": "md", "latex": "tex",
}  # fmt: skip


def text_of(records: Records, form: str) -> str:
    """The listing in a format; of Parquet, which no eye reads, its columns and rows."""
    if form == "table":
        return str(plain(layout(records_table(records)))) + "\n"
    content = write(records, form)
    if isinstance(content, str):
        return content
    table = pq.read_table(io.BytesIO(content))
    lines = [f"{field.name!r}: {field.type}" for field in table.schema]
    rows = [{key: _plain(value) for key, value in row.items()} for row in table.to_pylist()]
    return "\n".join([*lines, *map(repr, rows)]) + "\n"


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def test_every_format_is_tested() -> None:
    assert set(ENDINGS) == set(FORMATS)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_in_a_format_is_as_it_was(name: str, form: str) -> None:
    check_golden(f"formats/{name}.{ENDINGS[form]}", text_of(LISTINGS[name], form))


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "tsv", "markdown", "latex"])
def test_nothing_that_a_terminal_acts_upon_is_in_any_text(form: str) -> None:
    text = text_of(HOSTILE, form)

    acting = {char for char in text if not char.isprintable() and char not in "\n\t"}
    assert acting <= ({"\r"} if form == "csv" else set())
    assert "\x1b" not in text


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_no_cell_begins_as_a_formula(form: str) -> None:
    import csv

    rows = list(csv.reader(io.StringIO(text_of(HOSTILE, form), newline=""), delimiter="," if form == "csv" else "\t"))

    texts = [cell for row in rows for cell in row[:2]]
    assert len(texts) == 2 * (len(HOSTILE_TEXTS) + 1)
    assert [cell for cell in texts if cell[:1] in ("=", "+", "-", "@", "\t", "\r")] == []


def test_no_command_and_no_special_letter_of_latex_is_live() -> None:
    import re

    body = text_of(HOSTILE, "latex").split("\\midrule\n")[1].split("\\bottomrule")[0]
    escapes = r"\\text[a-z]+\{\}|\\[{}#$%&_]|\{[*\[\]]\}|-\{\}| \\\\\n| & "
    left = re.sub(escapes, "", body)

    assert "textbackslash" in body
    assert re.findall(r"[\\#$%^~_{}&]", left) == []
