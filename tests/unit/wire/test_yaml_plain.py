import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.wire.dump_tree import TreeError
from mlbench.wire.yaml_plain import read_plain
from mlbench.wire.yamltext import load_by_event
from tests.paths import CORPORA, FORMATS

INDENTS = st.sampled_from(["", "", "  ", "  ", "    ", " "])
KEYS = st.sampled_from(["a", "b", "lr", "model.name", "a-b", "on", "null", "x/y", "_", "a b", "1", "<<", "- a", "? a"])
VALUES = st.sampled_from(
    ["", " 1", " -1", " 0.5", " 1e-3", " 1e3", " .5", " 012", " 1_000", " 12:30", " 0x1F", " null", " ~", " true", " on", " No",
     " sgd", " a b", " a  b", " s3://b/c", " /data/x", " a#b", " a #b", " #b", " a: b", " a:", " a:b", " -", " - a", " --x",
     " ...", " ---", " [1, 2]", " [a, -1]", " [a,b]", " [a,", " []", " {}", " {a: 1}", " 'a b'", " 'it''s'", ' "a"', ' "a\\n"',
     " ''", " &x a", " *x", " !!int 1", " |", " >", " @a", " `a", " %a", " a%", " =", " (a, b)", " a (b)", " a\\b", " \t1", " 1 ",
     "  1", " [1, 2] # c", " .inf", " .nan", " 2024-01-01", " \u00e9", " a, b", " !x", " ${a.b}", " a ${b}", " ${now:%Y-%m}", " ~/x", " $x", " a,", " a{", " ${a", " $", " ~a", " [$a, b]", " a:%b", " a,b: c"]
)  # fmt: skip
ENTRIES = st.builds("{}{}:{}".format, INDENTS, KEYS, VALUES)
ITEMS = st.builds("{}-{}".format, INDENTS, VALUES)
LINES = (
    ENTRIES | ENTRIES | ITEMS | st.sampled_from(["", "   ", "# c", "  # c", "---", "...", "a", "  b c", "\t", "- a: 1"])
)


def by_event(text: str) -> str:
    try:
        return repr(load_by_event(text))
    except TreeError as error:
        return f"refused: {error}"


def assert_both_say_the_same(text: str) -> None:
    plain = read_plain(text)

    assert plain is None or repr(plain) == by_event(text)


@settings(max_examples=1500)
@given(st.lists(LINES, min_size=1, max_size=7), st.sampled_from(["", "\n"]))
def test_it_says_what_the_reader_of_events_says(lines: list[str], end: str) -> None:
    assert_both_say_the_same("\n".join(lines) + end)


@settings(max_examples=500)
@given(st.text("ab:-#[]{}'\",.0~$ \n", max_size=40))
def test_it_never_says_otherwise_of_any_text(text: str) -> None:
    assert_both_say_the_same(text)


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("abc /.-_1", max_size=6),
    lambda inner: (
        st.lists(st.integers() | st.just("x"), max_size=3) | st.dictionaries(st.text("ab", min_size=1), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), NESTED), st.sampled_from([None, False]))
def test_what_pyyaml_writes_is_read_alike(value: dict[str, object], flow: bool | None) -> None:
    assert_both_say_the_same(yaml.safe_dump(value, default_flow_style=flow, sort_keys=False))


@pytest.mark.parametrize("folder", [CORPORA, FORMATS])
def test_real_files_are_read_alike(folder: object) -> None:
    paths = [path for ending in ("yaml", "yml") for path in sorted(folder.rglob(f"*.{ending}"))]  # type: ignore[attr-defined]
    if not paths:
        pytest.skip("the shared corpora are not here")
    texts = [path.read_bytes().decode(errors="replace") for path in paths if path.is_file()]

    for text in texts:
        assert_both_say_the_same(text)

    assert sum(read_plain(text) is not None for text in texts) > len(texts) // 4


@pytest.mark.parametrize("piece", [" ", "a: ", "a, ", "x:", "a ", "- "])
def test_a_line_of_a_megabyte_is_looked_at_once(piece: str) -> None:
    assert read_plain(f"lr: 1\n {piece * (1_000_000 // len(piece))}\x01\n") is None  # a careless pattern needs hours


def test_a_configuration_is_read_with_the_lines_and_texts_of_its_values() -> None:
    loaded = read_plain("lr: 1e-3  \nmodel:\n  name: 'res net'\n  sizes:\n  - 1\n  - x\nseed:\nbetas: [0.9, 1]\n")
    assert loaded is not None
    assert loaded.value == {
        "lr": 0.001,
        "model": {"name": "res net", "sizes": [1, "x"]},
        "seed": None,
        "betas": [0.9, 1],
    }
    assert [remark.what for remark in loaded.yaml_1_1] == ["1e-3 is text to a YAML 1.1 reader such as PyYAML"]
    assert {".".join(path): tuple(raw) for path, raw in loaded.raw.items()} == {
        "lr": ("1e-3", 1), "model.name": ("res net", 3), "model.sizes": ("[1, x]", 4), "seed": ("", 7), "betas": ("[0.9, 1]", 8),
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "\n", "# only\n", "a: 1\na: 2\n", "a: &x 1\n", "on: 1\n", "a: 'it''s'\n", "- 1\n", "a: 1\n  b: 2\n",
     "a: b\n  c\n", "a: \u00e9\n", "a:\t1\n", "a: |\n  b\n", "a: 1\n---\nb: 2\n", "a: " + "x" * 2**16],
)  # fmt: skip
def test_anything_else_is_left_to_the_other_reader(text: str) -> None:
    assert read_plain(text) is None
