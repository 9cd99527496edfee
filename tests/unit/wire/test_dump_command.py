import pytest

from mlbench.model import JsonValue
from mlbench.wire.dump_command import Command, looks_like_command, read_argv, read_command
from mlbench.wire.dump_tree import TreeError, load_tree


def options_of(command: Command | None) -> JsonValue:
    assert command is not None
    return load_tree(command.options).value


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("python train.py --lr 0.1 --flag --layers 3 4", {"lr": 0.1, "flag": True, "layers": [3, 4]}),
        ("python train.py --lr=0.1 -n 600 -vv -x", {"lr": 0.1, "n": 600, "v": 2, "x": True}),
        ("python -m rl_zoo3.train --eval-freq 300", {"eval_freq": 300}),
        ("train.py --shift -0.1 --low -inf", {"shift": -0.1, "low": float("-inf")}),
        ("python train.py --note 'it'\"'\"'s' '--x=a b'", {"note": "it's", "x": "a b"}),
        ("python train.py model=big ++optim.lr=1e-3 ~x=1", {"model": "big", "optim.lr": 0.001, "x": 1}),
        ("python train.py data.csv --lr 1 -- --not_one", {"lr": 1}),
        ("torchrun --nproc_per_node 4 train.py --lr 1", {"lr": 1}),
        ("CUDA_VISIBLE_DEVICES=0 nohup python train.py --lr 1 > log.txt 2>&1 &", {"lr": 1}),
        ("python train.py --lr 1 && echo --done", {"lr": 1}),
        ("python train.py --betas [0.9,0.99] --q '\"a\"'", {"betas": [0.9, 0.99], "q": '"a"'}),
        ("python train.py --cfg \"{'a': 1}\"", {"cfg": {"a": 1}}),
        ("python train.py --data C:\\data\\x", {"data": "C:\\data\\x"}),
        ("python train.py --say it's --lr 1", {"say": "it's", "lr": 1}),
        ("--lr 1", {"lr": 1}),
        ("train --lr 1", {"lr": 1}),
        ("python", {}),
    ],
)
def test_the_options_given_are_read(text: str, options: JsonValue) -> None:
    assert options_of(read_command(text)) == options


@pytest.mark.parametrize(
    ("text", "entry_point"),
    [
        ("python src/train.py --lr 1", "src/train.py"),
        ("python -m pkg.train --lr 1", "pkg.train"),
        ("accelerate launch --multi_gpu train.py --lr 1", "train.py"),
        ("fit --lr 1", "fit"),
        ("--lr 1", ""),
    ],
)
def test_the_script_is_known(text: str, entry_point: str) -> None:
    assert read_command(text).entry_point == entry_point


def test_a_script_joins_its_continued_lines() -> None:
    command = read_command("#!/bin/bash\n# train\npython train.py \\\n\t--lr 0.1 \\\n --seed 3 \\\n")

    assert command.text == "python train.py --lr 0.1 --seed 3"
    assert options_of(command) == {"lr": 0.1, "seed": 3}


def test_a_last_line_that_would_go_on_ends_with_the_file() -> None:
    assert options_of(read_command("python train.py --lr 0.1 \\")) == {"lr": 0.1}


def test_a_missing_backslash_is_told_and_not_mended() -> None:
    command = read_command("python train.py \\\n  --lr 0.1\n  --feature_fraction 0.2\n")

    assert options_of(command) == {"lr": 0.1}
    assert command.remarks[0].line == 3
    assert command.remarks[0].what == (
        "the options '--feature_fraction 0.2' begin a command of their own, since a '\\' is missing in the line above; "
        "the shell did not pass them, and they were left out"
    )


def test_of_several_commands_the_one_with_most_options_is_used() -> None:
    command = read_command("python prepare.py\npython train.py --lr 1\n")

    assert command.entry_point == "train.py"
    assert command.remarks[0].what == "of 2 commands the one with most options, in this line, is used"


@pytest.mark.parametrize("text", ["echo a\necho b\n", "", "# only\n", "x" * 300_000])
def test_no_command_is_an_error(text: str) -> None:
    with pytest.raises(TreeError):
        read_command(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("python train.py --lr 1\n", True),
        ("#!/bin/bash\ncd x\npython train.py\n", True),
        ("#!/bin/bash\necho\n", False),
        ("./train.py --lr 1", True),
        ("--lr 1 --wd 2", True),
        ("lr: 1\n", False),
        ("CUDA_VISIBLE_DEVICES=0\n", False),
        ("# comment\n", False),
        ("python train.py --lr " + "1" * 300_000, False),
    ],
)
def test_a_command_is_known_by_its_program(text: str, is_one: bool) -> None:
    assert looks_like_command(text) is is_one


def test_printed_argv_is_a_command() -> None:
    command = read_argv("['train.py', '--note', 'a b', '--seed', '3']\n")

    assert options_of(command) == {"note": "a b", "seed": 3}
    assert command is not None
    assert command.text == "train.py --note 'a b' --seed 3"


@pytest.mark.parametrize("text", ["[1, 2]", "['a', 'b']", "[]", "['--a'] x", "['--a'", "{'--a'}", "['--a', 1]"])
def test_other_lists_are_no_command(text: str) -> None:
    assert read_argv(text) is None
