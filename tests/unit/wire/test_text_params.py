import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.model import JsonValue, Layer, Param
from mlbench.wire.text_params import params_in_text, python_literal

TABLE = """|param|value|
|-|-|
|lr|0.00025|
|env_id|CartPole-v1|
|note|a|b|
|track|False|
|layers|[64, 64]|
|empty||"""


def test_a_table_of_cleanrl_is_read_with_bars_in_values() -> None:
    assert params_in_text("hyperparameters/text_summary", TABLE) == [
        Param("lr", "0.00025", 0.00025, Layer.CONFIG),
        Param("env_id", "CartPole-v1", "CartPole-v1", Layer.CONFIG),
        Param("note", "a|b", "a|b", Layer.CONFIG),
        Param("track", "False", False, Layer.CONFIG),
        Param("layers", "[64, 64]", [64, 64], Layer.CONFIG),
        Param("empty", "", "", Layer.CONFIG),
    ]


def test_arguments_of_hugging_face_are_read() -> None:
    text = '{"learning_rate": 5e-05, "seed": 42, "report_to": ["tensorboard"], "fsdp_config": {"min": 0}, "x": {}}'

    assert params_in_text("args/text_summary", text) == [
        Param("learning_rate", "5e-05", 5e-05, Layer.CONFIG),
        Param("seed", "42", 42, Layer.CONFIG),
        Param("report_to", '["tensorboard"]', ["tensorboard"], Layer.CONFIG),
        Param("fsdp_config.min", "0", 0, Layer.CONFIG),
        Param("x", "{}", {}, Layer.CONFIG),
    ]


def test_a_model_is_told_apart_from_its_training() -> None:
    assert params_in_text("model_config/text_summary", '{"hidden_size": 16}') == [
        Param("model_config.hidden_size", "16", 16, Layer.CONFIG)
    ]


def test_the_labels_of_a_classifier_are_one_value() -> None:
    labels = {str(n): f"LABEL_{n}" for n in range(65)}

    (param,) = params_in_text("args/text_summary", json.dumps({"id2label": labels}))

    assert param.value == labels


@pytest.mark.parametrize("tag", ["note/text_summary", "args", ""])
def test_other_tags_hold_no_parameters(tag: str) -> None:
    assert params_in_text(tag, TABLE) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just words",
        "|a|b|",
        "|a|b|\n|1|2|",
        "|a|b|\n|-|-|",
        "|a|b|\n|-|-|\n|no second column",
        "|a|b|\n|-|-|\n||no name|",
        "{",
        '{"a": 1',
        "{} {}",
        '{"a":' * 100_000,
        '{"a": ' + "9" * 5000 + "}",
        "[1]",
    ],
    ids=lambda text: text[:30],
)
def test_text_of_another_kind_holds_no_parameters(text: str) -> None:
    assert params_in_text("args/text_summary", text) == []


def test_half_a_character_is_replaced() -> None:
    assert params_in_text("args/text_summary", r'{"\ud800": "\udfff"}') == [Param("?", "?", "?", Layer.CONFIG)]


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("1", 1),
        ("-1", -1),
        ("1e-3", 0.001),
        ("2.", 2.0),
        ("007", "007"),
        ("1_000", "1_000"),
        ("True", True),
        ("None", None),
        ("-inf", -math.inf),
        ("true", "true"),
        ("(1, 'a')", [1, "a"]),
        ("{'a': None, 1: 2.5}", {"a": None, "1": 2.5}),
        ("[1, 2", "[1, 2"),
        ("[f(1)]", "[f(1)]"),
        ("{1, 2}", "{1, 2}"),
        ("[b'a']", "[b'a']"),
        ("[1j]", "[1j]"),
        ("(" * 4000, "(" * 4000),
        ("[" * 90 + "]" * 90 + "x", "[" * 90 + "]" * 90 + "x"),
        ("", ""),
    ],
    ids=lambda text: str(text)[:30],
)
def test_types_are_guessed_from_what_str_prints(raw: str, value: JsonValue) -> None:
    assert python_literal(raw) == value


def test_a_long_text_is_not_looked_into() -> None:
    assert python_literal("1" * 5000) == "1" * 5000


@given(st.text(max_size=50))
def test_any_text_has_a_value_and_never_raises(text: str) -> None:
    json.dumps(python_literal(text))
    params_in_text("args/text_summary", text)


GIN_MARKDOWN = """#### Macros:

    W = 128

#### Parameters for train/mlp:

    # None.

    train/mlp.act = 'gelu'
    mlp.width = %W
    Trainer.name = \\
        ('a name that '
         'is long')"""


def test_gin_in_markdown_is_read_like_its_file() -> None:
    params = params_in_text("gin/operative_config", GIN_MARKDOWN)

    assert {param.key: param.value for param in params} == {
        "W": 128,
        "train/mlp.act": "gelu",
        "mlp.width": 128,
        "Trainer.name": "a name that is long",
    }


def test_gin_as_plain_text_keeps_its_continued_lines() -> None:
    params = params_in_text("gin/operative_config", "f.name = \\\n    'x'\ng.n = 2\n")

    assert {param.key: param.value for param in params} == {"f.name": "x", "g.n": 2}


@pytest.mark.parametrize(
    "text", ["", "no binding at all", "    neither = = here is\n    what", "    (((((", "#### Only:"]
)
def test_text_under_gins_tag_never_raises(text: str) -> None:
    assert all(isinstance(param, Param) for param in params_in_text("gin/operative_config", text))
