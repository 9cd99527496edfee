import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.model import JsonValue
from mlbench.wire.dump_values import core_value, plain_value, python_value, yaml_1_1_meaning


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-8", 1e-8),
        ("1E5", 1e5),
        ("0.1", 0.1),
        (".5", 0.5),
        ("1.", 1.0),
        ("-3", -3),
        ("+3", 3),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("on", "on"),
        ("yes", "yes"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-11-24", "2026-11-24"),
        ("inf", "inf"),
        ("1e", "1e"),
        ("-", "-"),
    ],
)
def test_a_plain_yaml_scalar_means_what_version_1_2_says(text: str, value: JsonValue) -> None:
    found = core_value(text)

    assert found == value
    assert type(found) is type(value)


def test_yaml_has_a_nan() -> None:
    found = core_value(".nan")

    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("None", None),
        ("True", True),
        ("false", False),
        ("200", 200),
        ("1_000", 1000),
        ("0x1f", 31),
        ("-0.1", -0.1),
        ("1e-07", 1e-7),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("1_", "1_"),
        ("1__0", "1__0"),
        ("1_0.5", "1_0.5"),
        ("adam", "adam"),
        ("", ""),
        ("1.2.3", "1.2.3"),
    ],
)
def test_a_printed_python_value_is_recovered(text: str, value: JsonValue) -> None:
    found = python_value(text)

    assert found == value
    assert type(found) is type(value)


def test_an_absurdly_long_integer_stays_text() -> None:
    digits = "9" * 5000

    assert core_value(digits) == digits
    assert python_value(digits) == digits


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("on", "true"),
        ("No", "false"),
        ("012", "an octal number"),
        ("12:30", "a base-60 number"),
        ("1_000", "a number"),
        ("0o17", "text"),
        ("1e-8", "text"),
        ("1e5", "text"),
        ("1.0e-08", ""),
        ("0.1", ""),
        ("12", ""),
        ("0", ""),
        ("_1", ""),
        ("1_a", ""),
        ("adam", ""),
        ("", ""),
    ],
)
def test_what_yaml_1_1_takes_for_something_else_is_known(text: str, meaning: str) -> None:
    assert yaml_1_1_meaning(text) == meaning


@settings(max_examples=1000, deadline=None)
@given(text=st.text("01279+-._eExXoOanfiy:~", max_size=7) | st.sampled_from(["", "null", "yes", "OFF", ".inf", "a"]))
def test_both_meanings_at_once_are_the_same_two(text: str) -> None:
    assert repr(plain_value(text)) == repr((core_value(text), yaml_1_1_meaning(text)))


@pytest.mark.parametrize(
    ("text", "value", "meaning"),
    [
        ("-0.5e-03", -0.0005, ""),
        ("7", 7, ""),
        ("007", 7, "an octal number"),
        ("1e-3", 0.001, "text"),
        ("on", "on", "true"),
    ],
)
def test_a_plain_scalar_has_a_value_and_another_reader_s_meaning(text: str, value: object, meaning: str) -> None:
    assert plain_value(text) == (value, meaning)
