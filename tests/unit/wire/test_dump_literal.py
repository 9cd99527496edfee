import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.model import JsonValue
from mlbench.wire.dump_literal import literal_value, read_literal
from mlbench.wire.dump_tree import Raw, Scalar, TreeError, flow_text, load_tree


def value_of(text: str) -> JsonValue:
    return load_tree(literal_value(text)).value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[3, 4]", [3, 4]),
        ("(1, 'a')", [1, "a"]),
        ("(1,)", [1]),
        ("()", []),
        ("('abc'\n 'def')", "abcdef"),
        ("{}", {}),
        ("{1, 2}", [1, 2]),
        ("{'a': 1, 2: 'b', (1, 2): 'c'}", {"a": 1, "2": "b", "(1, 2)": "c"}),
        ("[1, 2,]", [1, 2]),
        ("'it\\'s'", "it's"),
        ('"a\\tb\\x41\\u00e9\\101\\/\\q"', "a\tbAéA/\\q"),
        ("'D:\\\\Projects\\\\x'", "D:\\Projects\\x"),
        ("r'D:\\x'", "D:\\x"),
        ("b'ab'", "ab"),
        ("'a\\\nb'", "ab"),
        ("'\\x4'", "\\x4"),
        ("'\\U00110000'", "\\U00110000"),
        ("'\\9'", "\\9"),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\\ud83d"', "\ufffd"),
        ("PosixPath('/x')", "/x"),
        ("WindowsPath('C:/x')", "C:/x"),
        ("device(type='cuda', index=0)", "cuda:0"),
        ("device(type='cpu')", "cpu"),
        ("np.float64(0.1)", 0.1),
        ("np.str_('a')", "a"),
        ("Decimal('0.1')", "0.1"),
        ("array([1., 2.])", [1.0, 2.0]),
        ("tensor([0.1], device='cuda:0')", [0.1]),
        ("set()", []),
        ("frozenset({1})", [1]),
        ("deque([1, 2], maxlen=3)", [1, 2]),
        ("range(0, 10)", "range(0, 10)"),
        ("datetime.datetime(2020, 1, 1)", "datetime.datetime(2020, 1, 1)"),
        ("OrderedDict([('a', 1)])", {"a": 1}),
        ("OrderedDict({'a': 1})", {"a": 1}),
        ("OrderedDict()", {}),
        ("OrderedDict([1])", "OrderedDict([1])"),
        ("EasyDict(3)", "EasyDict(3)"),
        ("defaultdict(<class 'int'>, {'a': 1})", {"a": 1}),
        ("TrainConfig(lr=0.1)", {"lr": 0.1}),
        ("[TrainConfig(lr=0.1), Linear(n=3)]", [{"lr": 0.1}, "Linear(n=3)"]),
        ("<Mode.A: 'a'>", "Mode.A"),
        ("<Mode.B: '>'>", "Mode.B"),
        ("<Mode.C: 3>", "Mode.C"),
        ("<built-in function len>", "<built-in function len>"),
        ("<function <lambda> at 0x7f12>", "<function <lambda>>"),
        ("[1", "[1"),
        ("[1] [2]", "[1] [2]"),
        ("<unclosed", "<unclosed"),
        ("{'a': 1, 2}", "{'a': 1, 2}"),
        ("it's", "it's"),
        ("a, b", "a, b"),
        ("inf", math.inf),
        ("torch.float32", "torch.float32"),
    ],
)
def test_what_python_prints_is_read_back(text: str, value: JsonValue) -> None:
    assert value_of(text) == value


def test_a_value_of_no_known_shape_is_kept_as_text_and_the_rest_is_read() -> None:
    text = (
        "Namespace(t=Compose(\n  Resize(size=256, x=[1,2])\n  ToTensor()\n), url=http://x/y, color=#ff0000, "
        "when=2020-01-01 10:00:00, weird=it's, f=<function f at 0x7f>, say=a 'b, c' d, last=-0.1)"
    )

    node, end = read_literal(text)

    assert end == len(text)
    assert load_tree(node).value == {
        "t": "Compose( Resize(size=256, x=[1,2]) ToTensor() )",
        "url": "http://x/y",
        "color": "#ff0000",
        "when": "2020-01-01 10:00:00",
        "weird": "it's",
        "f": "<function f>",
        "say": "a 'b, c' d",
        "last": -0.1,
    }


def test_json_may_have_comments_and_trailing_commas_and_what_is_no_number() -> None:
    node, _ = read_literal('{"a": NaN, // one\n "b": [Infinity, -Infinity,], /* two\n */ "c": null,}')

    value = load_tree(node).value

    assert isinstance(value, dict)
    assert str(value["a"]) == "nan"
    assert value["b"] == [math.inf, -math.inf]
    assert value["c"] is None


def test_texts_and_lines_are_kept() -> None:
    node, _ = read_literal("{'lr': 1e-3,\n 'path': 'a b',\n 'many': ['x', \"it's\", 'tab\\t',\n 2]}")

    assert load_tree(node).raw == {
        ("lr",): Raw("1e-3", 1),
        ("path",): Raw("a b", 2),
        ("many",): Raw('[\'x\', "it\'s", "tab\\t", 2]', 3),
    }


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("Namespace(a=1,\n b=2", "ends before this bracket is closed", 1),
        ("[1,\n [2, 3", "ends before this bracket is closed", 2),
        ("[1, x y", "ends before this value does", 1),
        ("", "ends before its last bracket is closed", 1),
        ("{'a': ,}", "could not be understood here: ',}'", 1),
        ("}", "could not be understood here: '}'", 1),
        ("[" * 100, "nests deeper than 64 levels", 1),
    ],
)
def test_what_has_no_end_is_told_with_its_line(text: str, what: str, line: int) -> None:
    with pytest.raises(TreeError) as caught:
        read_literal(text)

    assert (caught.value.what, caught.value.line) == (what, line)


BOMBS = {
    "brackets": "[" * 50_000,
    "calls": "Namespace(" * 100_000,
    "JSON": '{"a":' * 100_000,
    "backslashes": '{"a": "' + "\\" * 100_001,
    "angles": "[" + "<" * 100_000,
    "items": "[" + "1," * 2_000_000 + "]",
    "free texts": "[" + "1 x," * 500_000 + "]",
    "comments": '{"a": /*' + "*" * 100_000,
    "quotes": "[a '" + "'\\" * 100_000,
    "escaped quotes": "[x '" + "\\'" * 100_000,
}


@pytest.mark.parametrize("kind", sorted(BOMBS))
def test_a_bomb_is_refused_and_quickly(kind: str) -> None:
    before = time.monotonic()

    with pytest.raises(TreeError):
        read_literal(BOMBS[kind])

    assert time.monotonic() - before < 10


PYTHON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(value=st.dictionaries(st.text("ab'\"\\\n", max_size=4), PYTHON, max_size=4))
def test_the_repr_of_plain_values_is_read_back(value: dict[str, JsonValue]) -> None:
    node, end = read_literal(repr(value))

    assert end == len(repr(value))
    assert load_tree(node).value == value


@settings(max_examples=500)
@given(text=st.text("{}[]():,='\"\\<>ab01.-#/* \n", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    node = literal_value(text)

    assert isinstance(flow_text(node), str)


def test_a_bare_text_keeps_its_blanks_inside() -> None:
    assert literal_value("  a  b ") == Scalar("a  b", "a  b", 1)
