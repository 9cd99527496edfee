import pytest

from mlbench.wire.dump_absl import looks_like_flag_file, read_flag_file, without_absl_flags
from mlbench.wire.dump_literal import read_literal
from mlbench.wire.dump_tree import Pairs, Raw, TreeError, load_tree


def test_a_flag_file_is_read() -> None:
    text = "--lr=0.05\n--layers=1,2\n--m=x\n--m=y\n--name=a 'b'\nc\n--noamp\n--jit\n--empty=\n--note=a, b\n"

    loaded = load_tree(read_flag_file(text).values)

    assert loaded.value == {
        "lr": 0.05,
        "layers": ["1", "2"],
        "m": ["x", "y"],
        "name": "a 'b'\nc",
        "amp": False,
        "jit": True,
        "empty": "",
        "note": "a, b",
    }
    assert loaded.raw[("lr",)] == Raw("0.05", 1)
    assert loaded.raw[("amp",)] == Raw("--noamp", 7)


def test_flags_of_absl_are_left_out() -> None:
    text = "--nohelp\n--verbosity=0\n--log_dir=\n--stderrthreshold=fatal\n--seed=1\n"

    assert load_tree(read_flag_file(text).values).value == {"seed": 1}


def test_a_log_dir_that_was_given_is_kept() -> None:
    assert load_tree(read_flag_file("--log_dir=/x\n").values).value == {"log_dir": "/x"}


@pytest.mark.parametrize(
    ("flag", "key", "value"),
    [
        ("--normalize", "normalize", True),
        ("--noise", "noise", True),
        ("--node", "node", True),
        ("--notes", "notes", True),
        ("--nonlinear", "nonlinear", True),
        ("--no", "no", True),
        ("--nodeterministic", "deterministic", False),
        ("--notest", "test", False),
        ("--normsprop", "rmsprop", False),
        ("--nonesterov", "nesterov", False),
        ("--no-amp", "amp", False),
    ],
)
def test_a_flag_that_only_begins_with_no_is_set(flag: str, key: str, value: bool) -> None:
    assert load_tree(read_flag_file(flag).values).value == {key: value}


def test_a_file_without_flags_is_an_error() -> None:
    with pytest.raises(TreeError, match="holds no flags"):
        read_flag_file("hello\n- x\n")


def test_a_line_after_a_switch_is_ignored() -> None:
    assert load_tree(read_flag_file("--jit\nhello\n").values).value == {"jit": True}


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("--lr=0.1\n", True),
        ("# comment\n\n--nohelp\n", True),
        ("--name=a b\n", True),
        ("--lr 0.1 --wd 2\n", False),
        ("Namespace(a=1)\n", False),
        ("lr=0.1\n", False),
        ("", False),
    ],
)
def test_a_flag_file_is_known_by_its_first_line(text: str, is_one: bool) -> None:
    assert looks_like_flag_file(text) is is_one


def test_a_dict_of_all_flags_is_freed_of_those_of_absl() -> None:
    node, _ = read_literal("{'helpfull': False, 'only_check_args': False, 'v': 0, 'lr': 0.1}")
    other, _ = read_literal("{'v': 0}")
    assert isinstance(node, Pairs)
    assert isinstance(other, Pairs)

    assert load_tree(without_absl_flags(node)).value == {"lr": 0.1}
    assert without_absl_flags(other) == other
