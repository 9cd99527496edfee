"""Promises of commands side by side: each flag is told by itself."""

import pytest

from mlbench.queries.answers import FactRow
from mlbench.queries.compare import compare_runs
from mlbench.queries.typed import tokens_of
from tests.unit.queries.conftest import FakeReader


def test_flags_values_overrides_and_words_are_told_apart() -> None:
    command = "python -m pkg.train data/ --lr 0.1 --layers 3 4 --seed=-3 --offset -3 -v --amp model=big +trainer.n=2"

    assert tokens_of(command) == {
        "word 1": "python", "-m": "pkg.train data/", "--lr": "0.1", "--layers": "3 4", "--seed": "-3", "--offset": "-3",
        "-v": "given", "--amp": "given", "model": "big", "+trainer.n": "2",
    }  # fmt: skip


def test_quotes_hold_a_value_together_and_an_open_one_does_no_harm() -> None:
    assert tokens_of("train.py --note 'a b' --x=") == {"word 1": "train.py", "--note": "a b", "--x": ""}
    assert tokens_of("train.py --note 'a b") == {"word 1": "train.py", "--note": "'a b"}


def test_of_several_commands_each_has_its_own_options() -> None:
    assert tokens_of("python split.py --config=a.yaml && python train.py --config=b.yaml; ls") == {
        "step 1 word 1": "python", "step 1 word 2": "split.py", "step 1 --config": "a.yaml",
        "step 2 word 1": "python", "step 2 word 2": "train.py", "step 2 --config": "b.yaml",
        "step 3 word 1": "ls",
    }  # fmt: skip
    assert tokens_of("") == tokens_of(" && ") == {}


@pytest.mark.parametrize(
    ("command", "tokens"),
    [
        ("t --note 'a; b;' --x 1", {"word 1": "t", "--note": "a; b;", "--x": "1"}),
        ("t --sep ';' --and '&&' \"|\" \\; ''", {"word 1": "t", "--sep": ";", "--and": "&& | ; "}),
        ("t --note='a;';u", {"word 1": "t", "--note": "a;;u"}),
        ("t --note='a;'; u", {"step 1 word 1": "t", "step 1 --note": "a;", "step 2 word 1": "u"}),
        ("t 'it'\"'\"'s' a\\ b", {"word 1": "t", "word 2": "it's", "word 3": "a b"}),
    ],
)
def test_what_is_quoted_ends_no_command(command: str, tokens: dict[str, str]) -> None:
    assert tokens_of(command) == tokens


def test_an_option_that_is_given_twice_has_both_values() -> None:
    assert tokens_of("t --m x --m=y") == {"word 1": "t", "--m": "x y"}


@pytest.fixture
def ids(empty: FakeReader) -> list[str]:
    commands = ("python train.py --lr 0.1 --amp", "python train.py --lr 0.2 --wd 0", None)
    return [empty.add_run(f"r{number}", command=command) for number, command in enumerate(commands)]


def test_only_what_changed_is_listed_and_a_run_without_a_command_does_not_differ(
    empty: FakeReader, ids: list[str]
) -> None:
    assert compare_runs(empty, ids).typed == (
        FactRow("--lr", ("0.1", "0.2", None), differs=True),
        FactRow("--amp", ("given", None, None), differs=True),
        FactRow("--wd", (None, "0", None), differs=True),
    )


def test_everything_is_listed_when_asked_for(empty: FakeReader, ids: list[str]) -> None:
    rows = compare_runs(empty, ids, everything=True).typed

    assert rows[0] == FactRow("word 1", ("python", "python", None), differs=False)
    assert compare_runs(empty, ids[1:]).typed == ()
    one = compare_runs(empty, ids[1:], everything=True).typed
    assert [row.key for row in one] == ["word 1", "word 2", "--lr", "--wd"]
