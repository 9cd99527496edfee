import io
import math
from pathlib import Path

import pytest

from mlbench.model import JsonValue, Layer, Param, ReadStatus
from mlbench.wire import jsonlog
from mlbench.wire.jsonlog import (
    JsonError,
    JsonFile,
    JsonLine,
    as_list,
    as_mapping,
    as_number,
    as_text,
    json_lines,
    load_json,
    load_json_file,
    numbers_in,
    params_in,
    utc_seconds,
)
from mlbench.wire.jsonrows import wall_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, "x", null]}', {"a": [1, "x", None]}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'"\xff"', "\ufffd"),
        ('{"\\ud800": ["\\udfff", {"b": 1, "c": "\\ud83d\\ude00"}]}', {"?": ["?", {"b": 1, "c": "😀"}]}),
    ],
)
def test_json_of_strangers_becomes_valid_text(text: str | bytes, value: JsonValue) -> None:
    assert load_json(text) == value


def test_nan_and_infinity_are_numbers() -> None:
    value = load_json("[NaN, Infinity, -Infinity]")

    assert isinstance(value, list)
    assert math.isnan(value[0])
    assert value[1:] == [math.inf, -math.inf]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"a": 1,\n oops}', "expecting property name enclosed in double quotes in line 2"),
        ("9" * 5000, "it holds a number that is too long"),
        ("[" * 100_000, "it nests too deeply"),
        ("[" * 100 + "]" * 100, "it nests deeper than 64 levels"),
        ("[" * 100 + '"\\ud800"' + "]" * 100, "it nests deeper than 64 levels"),
    ],
)
def test_what_is_no_json_says_why(text: str, what: str) -> None:
    with pytest.raises(JsonError, match=f"^{what}$"):
        load_json(text)


def test_a_json_file_answers_with_a_status(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1}')
    (tmp_path / "b.json").write_text("{")
    (tmp_path / "c.json").write_text("")

    a, b, c, d = (load_json_file(str(tmp_path / f"{name}.json")) for name in "abcd")

    assert a == JsonFile({"a": 1}, ReadStatus.EOF)
    assert (b.status, b.problem and b.problem.hint) == (
        ReadStatus.DAMAGED,
        "if it is being written, it will be read again",
    )
    assert c == JsonFile(None, ReadStatus.EMPTY)
    assert d.status is ReadStatus.UNREADABLE


def test_lines_are_numbered_and_a_cut_last_one_is_no_error() -> None:
    lines = list(json_lines(io.BytesIO(b'{"a": 1}\n\n  \noops\n[2]\n{"b": ')))

    assert lines == [
        JsonLine(1, {"a": 1}),
        JsonLine(4, None, "expecting value in line 1"),
        JsonLine(5, [2]),
        JsonLine(6, None, "", is_cut=True),
    ]


def test_a_last_line_that_is_whole_without_its_end_is_read() -> None:
    assert list(json_lines(io.BytesIO(b'{"a": 1}'))) == [JsonLine(1, {"a": 1})]


def test_reading_lines_stops_at_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonlog, "MAX_LINE_BYTES", 8)

    limited = list(json_lines(io.BytesIO(b"1\n2\n3\n"), limit_bytes=4))
    long = list(json_lines(io.BytesIO(b'"0123456789"\n')))

    assert [line.value for line in limited] == [1, 2, None]
    assert limited[2].error == "the file is larger than 0 MiB; the rest was left out"
    assert [bool(line.error) for line in long] == [True, True]


def test_values_of_another_type_are_empty() -> None:
    assert (as_mapping([1]), as_list({"a": 1}), as_text(3)) == ({}, [], "")
    assert (as_mapping({"a": 1}), as_list([1]), as_text("x")) == ({"a": 1}, [1], "x")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0),
        (0.5, 0.5),
        (True, 1.0),
        (10**400, math.inf),
        (-(10**400), -math.inf),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        ("1", None),
        (None, None),
        ([1], None),
    ],
)
def test_numbers_are_told_from_the_rest(value: JsonValue, number: float | None) -> None:
    assert as_number(value) == number


def test_numbers_below_a_mapping_come_in_order_with_dotted_names() -> None:
    value: JsonValue = {"a": 1, "b": {"c": {"d": 2}, "e": "x"}, "f": [3], "g": [1, 2], "h": {}}

    assert list(numbers_in(as_mapping(value))) == [("a", 1.0), ("b.c.d", 2.0), ("f", 3.0)]
    assert list(numbers_in({"b": {"c": 1}}, joint="/")) == [("b/c", 1.0)]


def test_nested_values_become_dotted_params() -> None:
    assert params_in({"net": {"width": 64}}, Layer.CONFIG) == [Param("net.width", "64", 64, Layer.CONFIG)]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-23T07:20:46.313752", 1795418446.313752),
        ("2026-11-23T08:20:46+01:00", 1795418446.0),
        ("2026-11-23T07:20:46Z", 1795418446.0),
        ("0001-01-01T00:00:00+23:59", -62135683140.0),
        ("soon", None),
        (3, None),
    ],
)
def test_times_without_a_zone_are_utc(text: JsonValue, seconds: float | None) -> None:
    assert utc_seconds(text) == seconds


@pytest.mark.parametrize("value", [10**400, -(10**400), math.nan, math.inf, True, 3, 10**15])
def test_what_is_no_time_is_none(value: JsonValue) -> None:
    assert wall_of(value) is None
