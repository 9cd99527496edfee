import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlbench.model import Param, Problem
from mlbench.wire import dump_forms
from mlbench.wire.dump_facts import params_of
from mlbench.wire.dump_forms import read_by_form
from mlbench.wire.dump_tree import TreeError
from mlbench.wire.dumps import parse_dump

WORDS = (
    "0 1 -0 007 0o17 0x1F 1e-3 1E5 -1.5e+10 .5 5. 1_000 1:30 inf .inf -.inf .nan NaN nan ~ null None true True yes on off "
    "[] {} [1] [a,b] {a:1} a:b & * ! | > - -- ? : # ' \" \\ , @x %y $HOME ${a.b} -x -1 << == <redacted> m0 m1 \"m0\" 'm1' "
    '\'\' "" "a\\nb" "lr" lr \'lr\': 99999999999999999999999999 1.7976931348623157e309 -- --- ...'
)
VALUES = st.sampled_from(
    [*WORDS.split(), "", " ", "a b", "a  b", "a #b", "a: b", "'a b'", '"a b"', "[0.9, 0.999]", "[a, 'b']", "[1,  2]", "{ }",
     "[ ]", "a ", "'a' ", "é", "\t", "[[1]]", "x" * 200, "1" * 120, "\x7f", "\x00", '"a: b"', '"\\u00e9"', '", "', '": "',
     "- a", "a:", '"a', "&a 1", "*a"]
)  # fmt: skip
GOOD = st.sampled_from(
    ["0", "12", "-0", "1e-3", "0.25", "true", "null", '"a"', '""', '"lr"', '"x: y, z"', "1E5", "007", "b"]
)
KEYS = ["a", "b", "lr", "m0", "a.b", "value", "a b", "é", "yes", "wandb_version", "helpfull", "__tag__", ":", ","]
YAML_HEADS = st.sampled_from(
    ["a: ", "b: ", "lr: ", "a:", "  a: ", "  b: ", "  b:", "    c: ", "- ", "  - ", "-", "#", "# x ", "", " ", "a:  ",
     "yes: ", "'a': ", "? ", "<<: ", "wandb_version: ", "value: ", "__tag__: ", "a.b: ", "\t", "é: ", "m0: "]
)  # fmt: skip
TREES = st.recursive(
    st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip
"""Values are yet to be put in the place of None."""
SLOT = "\0"


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    dump_forms.forget()
    yield
    dump_forms.forget()


def usual(text: str, suffix: str) -> list[Param | Problem] | None:
    try:
        return list(params_of("", parse_dump(text, suffix=suffix).values))
    except TreeError:
        return None


def check(texts: list[str], suffix: str) -> int:
    """Read each as often as it takes to learn its form; how many were read by it."""
    read = [read_by_form(text, suffix) for text in (*texts, *texts, *texts)]
    for text, found in zip(texts * 3, read, strict=True):
        assert found is None or repr(found) == repr(usual(text, suffix)), text
    return sum(found is not None for found in read[-len(texts) :])


@st.composite
def of_lines(draw: st.DrawFn) -> list[str]:
    """Lines put together at random, with other values in each text."""
    lines = draw(st.lists(st.tuples(YAML_HEADS, st.booleans()), min_size=1, max_size=8))
    return ["\n".join(head + (draw(VALUES) if is_there else "") for head, is_there in lines) for _text in range(3)]


@st.composite
def of_trees(draw: st.DrawFn, suffix: str) -> list[str]:
    """A mapping as programs write it, with other values in each text; most of these are common ones."""
    tree = draw(st.dictionaries(st.sampled_from(KEYS), TREES, max_size=4))
    written = json.dumps(tree, indent=draw(st.integers(0, 3)), ensure_ascii=False).replace("null", SLOT)
    parts = (written if suffix == ".json" else as_yaml(tree)).split(SLOT)
    values = st.integers(0, 9).flatmap(lambda number: GOOD if number else VALUES)
    return ["".join(part + draw(values) for part in parts[:-1]) + parts[-1] for _text in range(3)]


def as_yaml(tree: object, indent: str = "") -> str:
    if isinstance(tree, dict) and tree:
        return "".join(f"\n{indent}{key}:{as_yaml(child, indent + '  ')}" for key, child in tree.items())
    if isinstance(tree, list) and tree:
        return "".join(f"\n{indent}-{as_yaml(child, indent + '  ')}" for child in tree)
    return f" {SLOT}" if tree is None else f" {json.dumps(tree)}"


@given(of_lines() | of_trees(".yaml"))
@example(["a: 1\nb:\n- x\n- y\n", "a: [1, b]\nb:\n- 0x1\n- ~\n", "a: 'x'\nb:\n- 1\n- 1:2\n"])
@example(["a: 1\na: 2", "a: 3\na: 4"])
@example(["a:\n  b: 1\nc: 2", "a:\n  b: {}\nc: []", "a:\n  b:\nc: 2"])
def test_yaml_of_one_form_reads_as_in_the_usual_way(texts: list[str]) -> None:
    dump_forms.forget()

    check(texts, ".yaml")


@given(of_trees(".json"))
@example(['{\n"a": 1,\n"b": "x"\n}', '{\n"a": -0,\n"b": 1e400\n}', '{\n"a": "b",\n"b": null\n}'])
@example(['{\n"l": [\n1,\n"a"\n],\n"b": 2\n}', '{\n"l": [\n"x y",\nnull\n],\n"b": 2\n}'])
@example(['{\n"a": 1,\n"l": [\n[],\n[]\n]\n}', '{\n"a": 2,\n"l": [\n[],\n[]\n]\n}'])
@example(['{\n"a": "\\n",\n"b": 1\n}', '{\n"a": "x",\n"b": 1\n}', '{\n"a": NaN,\n"b": 01\n}'])
def test_json_of_one_form_reads_as_in_the_usual_way(texts: list[str]) -> None:
    dump_forms.forget()

    check(texts, ".json")


@pytest.mark.parametrize("value", ["0.25", "-0.0", "-12.500", "1." + "0" * 90, "9" * 100 + ".5"])
def test_numbers_with_a_point_mean_what_they_mean_in_either_language(value: str) -> None:
    texts = ((".yaml", f"lr: {value}\nbetas: [{value}]\n"), (".json", f'{{\n"lr": {value}\n}}')) * 2

    assert [check([text, text.replace(value, "1.5")], suffix) for suffix, text in texts] == [2, 2, 2, 2]


@pytest.mark.parametrize("value", ["00.5", "+0.5", "0.5 ", "5.", ".5", "0.5e3"])
def test_what_only_one_language_takes_for_a_number_with_a_point_is_not_shared(value: str) -> None:
    for suffix, text in ((".yaml", f"lr: {value}\n"), (".json", f'{{\n"lr": {value}\n}}')) * 2:
        check([text, text.replace(value, "1.5")], suffix)  # what is read by its form is what the usual way reads

    assert value not in dump_forms._decimals


def test_runs_of_a_sweep_are_read_by_their_form_once_it_was_met_twice() -> None:
    yaml = "seed: {}\nmodel:\n  name: {}\n  betas: [0.9, {}]\n  sizes:\n  - {}\n  - 2\n  none:\n"
    first, second, third = (
        yaml.format(*values) for values in ((1, "a", 0.9, 1), (2, "b_c", 1e-5, "x"), (-3, "d e", ".5", "~"))
    )

    assert read_by_form(first, ".yaml") is None
    assert [(p.key, p.raw, p.value, p.line) for p in read_by_form(second, ".yaml") or ()] == [
        ("seed", "2", 2, 1), ("model.name", "b_c", "b_c", 3), ("model.betas", "[0.9, 1e-05]", [0.9, 1e-5], 4),
        ("model.sizes", "[x, 2]", ["x", 2], 5), ("model.none", "", None, 8),
    ]  # fmt: skip
    assert check([first, second, third], ".yaml") == 3
    assert check([json.dumps({"a": a, "b": {"c": [b, 1]}}, indent=1) for a, b in ((1, "x"), ("y", 2.5))], ".json") == 2


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".yaml", "lr: 1\nlr: 2"), (".yaml", "a: &x 1"), (".yaml", "a: !!python/tuple\n- 1"), (".yaml", "a: 'it''s'"),
        (".yaml", "wandb_version: 1\nlr:\n  value: 2"), (".yaml", "a: x\n  y"), (".yaml", "a: é"), (".yaml", "# nothing"),
        (".json", '{"a": 1, "b": 2}'), (".json", '{\n"a": 1,\n"a": 2\n}'), (".json", '{\n"a": "\\u0041"\n}'),
        (".json", '{\n"only_check_args": false,\n"helpfull": false,\n"log_dir": ""\n}'), (".json", '{\n"a": [\n[\n1\n]\n]\n}'),
        ("", "a: 1"), (".toml", "a = 1"),
    ],
)  # fmt: skip
def test_anything_else_is_left_to_the_usual_way(suffix: str, text: str) -> None:
    assert [read_by_form(text, suffix) for _time in range(3)] == [None, None, None]


def test_what_is_remembered_stays_small() -> None:
    for number in range(2 * dump_forms.MAX_FORMS):
        text = f"key_{number}: {number}\n"
        assert [read_by_form(text, ".yaml") for _time in range(2)][1] is not None
    for number in range(2 * dump_forms.MAX_VALUES):
        read_by_form(f"a: {number}", ".yaml")

    n_forms, n_values = dump_forms.known()
    assert n_forms <= dump_forms.MAX_FORMS
    assert n_values <= 4 * dump_forms.MAX_VALUES
    assert read_by_form("a: 1\n" * 10_000, ".yaml") is None
