import pytest

from mlbench.model import JsonValue
from mlbench.wire import dump_lines
from mlbench.wire.dump_lines import Lines
from mlbench.wire.dump_tree import MAX_LEAVES, Raw, Remark, TreeError, load_tree


def value_of(lines: Lines | None) -> JsonValue:
    assert lines is not None
    return load_tree(lines.values).value


def test_key_value_lines_are_read_with_either_sign() -> None:
    lines = dump_lines.read_key_values("# run 1\nlr = 0.1\nname: a=b, c\n\n----\nlayers: [3, 4]\nempty:\nn=\n")

    assert value_of(lines) == {"lr": 0.1, "name": "a=b, c", "layers": [3, 4], "empty": "", "n": ""}
    assert load_tree(lines.values).raw[("layers",)] == Raw("[3, 4]", 6)


def test_an_open_bracket_goes_on_in_the_next_lines() -> None:
    lines = dump_lines.read_key_values("layers: [3,\n  4]\nnet={'a': 1,\n 'b': (\n 2, 3)}\nlr: 1\n")

    assert value_of(lines) == {"layers": [3, 4], "net": {"a": 1, "b": [2, 3]}, "lr": 1}


def test_a_bracket_that_never_closes_is_text() -> None:
    lines = dump_lines.read_key_values("a: [3,\nb: 1\n")

    assert value_of(lines) == {"a": "[3,", "b": 1}


def test_a_line_that_is_neither_is_told() -> None:
    lines = dump_lines.read_key_values("lr: 1\nhello world\n")

    assert lines.remarks == (Remark("this line is no key and value, and was left out: hello world", 2),)


def test_no_line_at_all_is_an_error() -> None:
    with pytest.raises(TreeError, match="holds no parameters"):
        dump_lines.read_key_values("hello\n")


def test_reading_stops_soon_after_the_limit() -> None:
    lines = dump_lines.read_key_values("".join(f"k{number}: 1\n" for number in range(MAX_LEAVES * 2)))

    assert len(lines.values.pairs) == MAX_LEAVES + 1


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a: 1\nb: 2\n", True),
        ("a=1\n", True),
        ("", False),
        ("# nothing\n", False),
        ("hello\nworld\na: 1\n", False),
        ("a:\n  b: 1\n", False),
        ("a:\n- 1\n- 2: 3\n", False),
        ("a:\nb: 1\n", True),
        ("http://x\n", False),
    ],
)
def test_key_value_lines_are_told_from_yaml_and_prose(text: str, is_one: bool) -> None:
    assert dump_lines.looks_like_key_values(text) is is_one


def test_options_tell_their_defaults() -> None:
    text = (
        "python train.py\n----------------- Options ---------------\n  lr: 0.0002   \t[default: 0.0001]\n"
        " name: a [b]  \n?\n layers: [3, 4]\t[default: [1, 2]]\n----------------- End -------------------\nrest: 1\n"
    )

    lines = dump_lines.read_options(text)

    assert dump_lines.has_options_title(text)
    assert value_of(lines) == {"lr": 0.0002, "name": "a [b]", "layers": [3, 4]}
    assert lines.defaults is not None
    assert load_tree(lines.defaults).value == {"lr": 0.0001, "layers": [1, 2]}
    assert load_tree(lines.values).raw[("lr",)] == Raw("0.0002", 3)
    assert lines.remarks == (Remark("this line is no option, and was left out: ?", 5),)


def test_the_last_options_of_a_file_hold() -> None:
    text = "---- Options ----\na: 1\n---- End ----\n---- Options ----\na: 2\n"

    assert value_of(dump_lines.read_options(text)) == {"a": 2}


def test_a_table_is_read_without_its_header() -> None:
    text = "+---+---+\n| key | value |\n|-----|-------|\n| lr | 0.1 |\n| note | a|b |\nstray\n\n+---+---+\n"

    lines = dump_lines.read_table(text)

    assert dump_lines.looks_like_table(text)
    assert value_of(lines) == {"lr": 0.1, "note": "a|b"}
    assert lines.remarks == (Remark("this line is no row of the table, and was left out: stray", 6),)


def test_a_table_without_a_header_keeps_its_first_row() -> None:
    assert value_of(dump_lines.read_table("| lr | 0.1 |\n| wd | 0 |\n")) == {"lr": 0.1, "wd": 0}


def test_a_table_without_rows_is_an_error() -> None:
    with pytest.raises(TreeError, match="holds no parameters"):
        dump_lines.read_table("| a | b |\n|---|---|\n")


def test_a_csv_of_one_row_is_a_dump() -> None:
    assert value_of(dump_lines.csv_row('lr,name\n"0.1","a, ""b"""\n')) == {"lr": 0.1, "name": 'a, "b"'}


@pytest.mark.parametrize(
    "text",
    ["a\n1\n", "a,b\n1,2\n3,4\n", "a,b\n1\n", "a b!,c\n1,2\n", "a,b\n" * 20, 'a,b\n"' + "x" * 200_000],
)
def test_other_csvs_are_none(text: str) -> None:
    assert dump_lines.csv_row(text) is None


def test_an_ini_has_two_levels() -> None:
    lines = dump_lines.read_ini(
        "seed = 1\n[model]\n; comment\nwidth: 64\nname = a = b\n\n[optim]\nlr=0.1\n[model]\nn=1\n"
    )

    loaded = load_tree(lines.values)

    assert loaded.value == {"seed": 1, "model": {"width": 64, "name": "a = b", "n": 1}, "optim": {"lr": 0.1}}
    assert loaded.raw[("optim", "lr")] == Raw("0.1", 8)


@pytest.mark.parametrize(("text", "line"), [("[a]\nhello\n", 2), ("", None), ("[", 1)])
def test_what_is_no_ini_is_an_error(text: str, line: int | None) -> None:
    with pytest.raises(TreeError) as caught:
        dump_lines.read_ini(text)

    assert caught.value.line == line


def test_a_value_is_put_at_its_line() -> None:
    lines = dump_lines.read_key_values("\n\na: {'b': 1}\nc: !x\n")

    assert [pair.node.line for pair in lines.values.pairs] == [3, 4]
