import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.wire.dump_json import read_json
from mlbench.wire.dump_literal import read_literal
from mlbench.wire.dump_tree import Pairs, load_tree

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="ascii")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
    max_leaves=12,
)


def plain(text: str) -> Pairs:
    tree = read_json(text)
    assert tree is not None
    return tree


@given(st.dictionaries(st.text("abc", max_size=2), VALUES, max_size=4), st.sampled_from([None, 0, 2]))
def test_it_says_what_the_reader_of_literals_says(value: dict[str, object], indent: int | None) -> None:
    text = json.dumps(value, indent=indent)

    tree = read_json(text)

    if tree is not None:
        assert repr(load_tree(tree)) == repr(load_tree(read_literal(text)[0]))
    else:
        assert "\\" in text


def test_lines_are_those_of_the_keys_even_where_a_value_is_the_same_word() -> None:
    tree = plain('{\n  "a": "b",\n\n  "b"\n : {"a": 1e-3}\n}')

    assert [(pair.key, pair.line) for pair in tree.pairs] == [("a", 2), ("b", 4)]
    assert load_tree(tree).value == {"a": "b", "b": {"a": 0.001}}
    assert load_tree(tree).raw["b", "a"].text == "1e-3"


def test_a_key_given_twice_is_there_twice() -> None:
    assert [pair.key for pair in plain('{"lr": 1, "lr": 2}').pairs] == ["lr", "lr"]


@pytest.mark.parametrize(
    "text",
    [
        "[1]", "{", '{"a": 1} {"b": 2}', "{'a': 1}", '{"a": True}', '{"a": "\\ud800"}', '{"a\\n": 1}',
        '{"a":' * 40 + "1" + "}" * 40, '{"a":' + "[" * 40 + "]" * 40 + "}", '{"a":' * 100_000, '{"a": "' + "x" * 2**20 + '"}',
    ],
)  # fmt: skip
def test_anything_else_is_left_to_the_other_reader(text: str) -> None:
    assert read_json(text) is None
