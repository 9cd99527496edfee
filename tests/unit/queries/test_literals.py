"""Promises of what typed values mean."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.queries.literals import moment_of, number_of, seconds_of, truth_of, version_of

NOW_S = datetime(2026, 11, 24, 12, 0, tzinfo=UTC).timestamp()
"""A Tuesday."""


@pytest.mark.parametrize(
    ("text", "number"),
    [("1e-3", 0.001), ("0.001", 0.001), (".5", 0.5), ("5.", 5.0), ("-2", -2.0), ("+3E2", 300.0), ("inf", float("inf")),
     ("-Infinity", float("-inf")), (" 7 ", 7.0)],
)  # fmt: skip
def test_a_number_is_read_in_every_spelling(text: str, number: float) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize("text", ["", "nan", "1_000", "0x10", "1e", "e3", "1,5", "3h", "٣", "--3"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert number_of(text) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("3h", 10800), ("2d", 172800), ("1w", 604800), ("1h30m", 5400), ("1.5h", 5400),
     ("2 days", 172800), ("10 Minutes", 600), ("250ms", 0.25), ("1h 30m 5s", 5405), ("42", 42), ("inf", float("inf"))],
)  # fmt: skip
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "3 parsecs", "h", "3h!", "3h and"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert seconds_of(text) is None


@pytest.mark.parametrize(("text", "truth"), [("true", True), ("YES", True), ("1", True), ("False", False), ("no", False), ("0", False), ("maybe", None)])  # fmt: skip
def test_a_truth_is_read_in_any_case(text: str, truth: bool | None) -> None:
    assert truth_of(text) is truth


@pytest.mark.parametrize(
    ("text", "version"),
    [("2.10.0+cu118", (2, 10)), ("v1.2", (1, 2)), ("3", (3,)), ("0.0", (0,)), ("2.9.1.post1", (2, 9, 1)), ("A100", None), ("", None), ("9" * 61, None)],
)  # fmt: skip
def test_a_version_is_its_numbers_without_trailing_zeros(text: str, version: tuple[int, ...] | None) -> None:
    assert version_of(text) == version


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-11-20", "2026-11-20T00:00:00", "2026-11-21T00:00:00"),
        ("2026-11", "2026-11-01T00:00:00", "2026-12-01T00:00:00"),
        ("2026-12", "2026-12-01T00:00:00", "2027-01-01T00:00:00"),
        ("2026", "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
        ("2026-11-20 10:30", "2026-11-20T10:30:00", "2026-11-20T10:31:00"),
        ("2026-11-20T10:30:15", "2026-11-20T10:30:15", "2026-11-20T10:30:16"),
        ("2026-11-20T10:30:15.25Z", "2026-11-20T10:30:15.250000", "2026-11-20T10:30:15.250000"),
        ("2026-11-20T10:30+02:00", "2026-11-20T08:30:00", "2026-11-20T08:31:00"),
        ("2026-11-20 10:30 -0130", "2026-11-20T12:00:00", "2026-11-20T12:01:00"),
        ("2026-11-20 10:30 utc", "2026-11-20T10:30:00", "2026-11-20T10:31:00"),
        ("now", "2026-11-24T12:00:00", "2026-11-24T12:00:00"),
        ("Today", "2026-11-24T00:00:00", "2026-11-25T00:00:00"),
        ("yesterday", "2026-11-23T00:00:00", "2026-11-24T00:00:00"),
        ("this week", "2026-11-23T00:00:00", "2026-11-30T00:00:00"),
        ("this month", "2026-11-01T00:00:00", "2026-12-01T00:00:00"),
        ("this year", "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
        ("2 days ago", "2026-11-22T12:00:00", "2026-11-22T12:00:00"),
        ("a day  ago", "2026-11-23T12:00:00", "2026-11-23T12:00:00"),
        ("an hour ago", "2026-11-24T11:00:00", "2026-11-24T11:00:00"),
        ("90m", "2026-11-24T10:30:00", "2026-11-24T10:30:00"),
        ("last week", "2026-11-17T12:00:00", "2026-11-24T12:00:00"),
        ("last hour", "2026-11-24T11:00:00", "2026-11-24T12:00:00"),
        ("1664067852747", "2022-09-25T01:04:12.747000", "2022-09-25T01:04:12.747000"),
    ],
)
def test_a_moment_is_told_in_utc(text: str, start: str, end: str) -> None:
    moment = moment_of(text, NOW_S)

    assert moment is not None
    assert (moment.start.isoformat(), moment.end.isoformat()) == (start, end)


@pytest.mark.parametrize(
    "text",
    ["", "fast", "2026-02-31", "2026-13", "99999999999999999", "0000", "2026-11-20T25:00",
     "last century", "9999999 years ago", "5 ago", "inf"],
)  # fmt: skip
def test_what_is_no_moment_is_none(text: str) -> None:
    assert moment_of(text, NOW_S) is None


@given(st.text(alphabet="0123456789-:. TZz+agodyweklsth", max_size=30))
def test_no_text_makes_a_moment_fail(text: str) -> None:
    moment = moment_of(text, NOW_S)

    assert moment is None or moment.start <= moment.end
