import contextlib
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.wire.dump_tree import MAX_DEPTH, Raw, Remark, TreeError
from mlbench.wire.yamltext import MAX_ALIASES, load_yaml


def test_values_keep_their_texts_and_lines() -> None:
    loaded = load_yaml("lr: 1e-3\noptim:\n  name: 'adam'\n  betas:\n  - 0.9\n  - 0.999\n")

    assert loaded.value == {"lr": 0.001, "optim": {"name": "adam", "betas": [0.9, 0.999]}}
    assert loaded.raw == {
        ("lr",): Raw("1e-3", 1),
        ("optim", "name"): Raw("adam", 3),
        ("optim", "betas"): Raw("[0.9, 0.999]", 4),
    }


def test_a_quoted_number_is_text() -> None:
    loaded = load_yaml("a: '1'\nb: \"true\"\nc: |\n  2\nd: ! 3\n")

    assert loaded.value == {"a": "1", "b": "true", "c": "2\n", "d": "3"}


def test_a_key_given_twice_is_told_and_the_last_one_holds() -> None:
    loaded = load_yaml("lr: 0.1\nseed: 1\nlr: 0.01\n")

    assert loaded.value == {"lr": 0.01, "seed": 1}
    assert loaded.remarks == (Remark("'lr' is given twice, 0.1 and 0.01. The last one, 0.01, is used", 3),)


def test_a_key_given_often_is_told_by_its_full_name() -> None:
    loaded = load_yaml("optim: {lr: 1, lr: 2, lr: 3}\nx: [{a: 1, a: 2}]\n")

    assert [remark.what for remark in loaded.remarks] == [
        "'optim.lr' is given 3 times, 1, 2 and 3. The last one, 3, is used",
        "'x.a' is given twice, 1 and 2. The last one, 2, is used",
    ]


def test_remarks_are_limited() -> None:
    loaded = load_yaml("".join(f"k{number}: 1\nk{number}: 2\n" for number in range(30)))

    assert len(loaded.remarks) == 21
    assert loaded.remarks[-1].what == "10 more remarks like these were left out"


def test_what_pyyaml_would_read_differently_is_noted() -> None:
    loaded = load_yaml("a: 012\nb: on\nc: plain\n")

    assert loaded.value == {"a": 12, "b": "on", "c": "plain"}
    assert loaded.yaml_1_1 == (
        Remark("012 is an octal number to a YAML 1.1 reader such as PyYAML", 1),
        Remark("on is true to a YAML 1.1 reader such as PyYAML", 2),
    )


def test_an_alias_repeats_what_it_names() -> None:
    loaded = load_yaml("a: &x {lr: 0.1}\nb: *x\nc: &y 5\nd: [*y, *y]\n")

    assert loaded.value == {"a": {"lr": 0.1}, "b": {"lr": 0.1}, "c": 5, "d": [5, 5]}


def test_a_merge_key_fills_in_what_is_not_given() -> None:
    text = "base: &b {lr: 1, wd: 2}\nmore: &m {wd: 3, eps: 4}\nrun:\n  <<: [*b, *m]\n  lr: 9\n"

    loaded = load_yaml(text)

    assert isinstance(loaded.value, dict)
    assert loaded.value["run"] == {"lr": 9, "wd": 2, "eps": 4}
    assert loaded.remarks == ()


@pytest.mark.parametrize("text", ["<<: 1\n", "'<<': {a: 1}\n", "<<: [1, {a: 2}]\n"])
def test_what_only_looks_like_a_merge_key_is_a_key(text: str) -> None:
    loaded = load_yaml(text)

    assert isinstance(loaded.value, dict)
    assert list(loaded.value) == ["<<"]


def test_keys_that_are_not_text_become_text() -> None:
    loaded = load_yaml("1: a\nnull: b\ntrue: c\n[1, 2]: d\n? {x: 1}\n: e\n")

    assert loaded.value == {"1": "a", "null": "b", "true": "c", "[1, 2]": "d", "{x: 1}": "e"}


def test_only_the_first_document_is_read() -> None:
    loaded = load_yaml("a: 1\n---\nb: 2\n")

    assert loaded.value == {"a": 1}
    assert loaded.remarks == (Remark("a second document begins here; only the first was read", 2),)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_nothing_is_none(text: str) -> None:
    assert load_yaml(text).value is None


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", "is not YAML: did not find expected ',' or ']'", 3),
        ("a: 1\nb: \x00", "is not YAML: it holds a control character", 2),
        ("a: \ud800", "is not YAML: it holds half of a surrogate pair", None),
        ("a: *nobody", "holds an alias, *nobody, before or inside what it repeats", 1),
        ("a: &a [*a]", "holds an alias, *a, before or inside what it repeats", 1),
    ],
)
def test_broken_yaml_is_told_with_its_line(text: str, what: str, line: int | None) -> None:
    with pytest.raises(TreeError) as caught:
        load_yaml(text)

    assert (caught.value.what, caught.value.line) == (what, line)


BOMBS = {
    "50,000 brackets": "[" * 50_000,
    "a million brackets": "[" * 1_000_000,
    "braces": "{a: " * 100_000,
    "dashes": "- " * 1_000_000,
    "question marks": "? " * 100_000,
    "indentation": "".join(" " * depth + "a:\n" for depth in range(500)),
    "laughs": 'a: &a ["' + "x" * 1000 + '"]\n' + "".join(f"b{n}: &a [*a, *a, *a, *a]\n" for n in range(40)),
    "long laughs": f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 200)}]\n",
    "aliases": "a: &a 1\nb: [" + "*a, " * (MAX_ALIASES + 1) + "1]\n",
    "aliases that deepen": "a0: &a0 1\n"
    + "".join(f"a{n + 1}: &a{n + 1} {'[' * 30}*a{n}{']' * 30}\n" for n in range(20)),
    "two million items": "[" + "1," * 2_000_000 + "]",
}


@pytest.mark.parametrize("kind", sorted(BOMBS))
def test_a_bomb_is_refused_and_quickly(kind: str) -> None:
    before = time.process_time()

    with pytest.raises(TreeError):
        load_yaml(BOMBS[kind])

    assert time.process_time() - before < 10


def test_a_base_60_number_is_read_at_once() -> None:
    before = time.process_time()

    loaded = load_yaml("a: 1" + ":59" * 200_000)

    assert isinstance(loaded.value, dict)
    assert isinstance(loaded.value["a"], str)
    assert time.process_time() - before < 5


def test_nesting_up_to_the_limit_is_read() -> None:
    loaded = load_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH)

    assert str(loaded.value) == "[" * MAX_DEPTH + "]" * MAX_DEPTH


def test_the_slow_parser_does_where_the_fast_one_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)

    assert load_yaml("a: [1, 2]\n").value == {"a": [1, 2]}


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("abc xyz", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1, max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(value=PLAIN)
def test_what_pyyaml_dumps_is_loaded(value: object) -> None:
    assert load_yaml(yaml.safe_dump(value)).value == value


@settings(max_examples=300)
@given(text=st.text("{}[]:,-?&*!|>'\"%@`# \n\tab01.~<=\\", max_size=60))
def test_any_text_is_loaded_or_refused(text: str) -> None:
    with contextlib.suppress(TreeError):
        assert load_yaml(text).raw is not None
