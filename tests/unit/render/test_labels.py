from mlbench.queries.answers import Column
from mlbench.queries.folding import Fold, Folds
from mlbench.render.labels import label_map, run_labels, setting_labels, short_labels, with_mark
from mlbench.safe import safe

from .samples import head


def test_runs_of_one_name_are_told_apart_by_their_paths() -> None:
    heads = (head("0", path="/logs/walker/0", run_id="a"), head("0", path="/logs/hopper/0", run_id="b"), head("x"))

    assert run_labels(heads) == ("walker/0", "hopper/0", "x")


def test_runs_of_one_path_are_told_apart_by_their_ids() -> None:
    heads = (head("x", path="/a", run_id="1234567890"), head("x", path="/a", run_id="abcdefghij"))

    assert run_labels(heads) == ("x (12345678)", "x (abcdefgh)")


def test_a_name_of_ones_own_stands_before_the_path() -> None:
    heads = (head("mine", path="/logs/1", run_id="a"), head("mine", path="/logs/2", run_id="b"))

    assert run_labels(heads) == ("mine (1)", "mine (2)")


def test_short_labels_leave_out_common_folders_but_keep_a_letter() -> None:
    assert short_labels((head("r/walker/0"), head("r/walker/1"))) == ("walker/0", "walker/1")
    assert short_labels((head("multi/lr=1"), head("multi/lr=2"))) == ("lr=1", "lr=2")
    assert short_labels((head("a/x"), head("b/x"))) == ("a/x", "b/x")
    assert short_labels((head("a/x"),)) == ("a/x",)
    assert short_labels((head("1/2"), head("1/3"))) == ("1/2", "1/3")


def test_labels_by_run_take_a_run_once() -> None:
    run = head("a")

    assert label_map((run, run)) == {"id-a": "a"}


def test_the_baseline_has_a_diamond() -> None:
    assert with_mark(safe("a"), head("a", is_baseline=True)) == "◆ a"
    assert with_mark(safe("a"), head("a")) == "a"


def test_names_of_strangers_are_made_safe() -> None:
    assert run_labels((head("a\x1b]0;x"),)) == ("a␛]0;x",)


def test_words_that_two_parameters_share_have_the_names_of_their_parameters() -> None:
    columns = (Column("params.lr.schedule", "lr.schedule", "param"), Column("params.schedule", "schedule", "param"),
               Column("params.optimizer", "optimizer", "param"))  # fmt: skip
    folds = Folds(columns, (Fold(("a",), ("const", "lin", "adam")), Fold(("b",), ("lin", "exp", "sgd"))))

    assert list(setting_labels(folds).values()) == [
        "lr.schedule=const schedule=lin adam", "lr.schedule=lin schedule=exp sgd",
    ]  # fmt: skip


def test_long_names_of_parameters_are_short_in_labels() -> None:
    columns = (Column("params.clip_range_function", "clip_range_function", "param"),
               Column("params.schedule", "schedule", "param"))  # fmt: skip
    folds = Folds(columns, (Fold(("a",), ("const", "lin")), Fold(("b",), ("lin", "exp"))))

    assert list(setting_labels(folds).values()) == ["clip_r…ction=const schedule=lin", "clip_r…ction=lin schedule=exp"]
