"""Promises of how runs and metrics are named."""

from pathlib import Path

import pytest

from mlbench.errors import UsageError
from mlbench.queries.names import find_metrics, metric_names, param_keys, resolve_runs
from tests.unit.queries.conftest import NAN, FakeReader


def resolved(reader: FakeReader, *words: str, within: tuple[str, ...] = ()) -> list[str]:
    return [head.name for head in resolve_runs(reader, words, within=within)]


@pytest.fixture
def runs(empty: FakeReader) -> FakeReader:
    for run_id, name in (("aaa111", "sweep/seed_1"), ("aab222", "sweep/seed_2"), ("bbb333", "base"), ("ccc444", "based"),
                         ("ddd555", "twin"), ("eee666", "twin")):  # fmt: skip
        empty.add_run(name, run_id=run_id, path=f"/runs/{name}-{run_id}" if name == "twin" else f"/runs/{name}")
    return empty


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("base", "base"),  # the whole name, though another begins so
        ("sweep/seed_1", "sweep/seed_1"),
        ("aaa", "sweep/seed_1"),
        ("aab222", "sweep/seed_2"),
        ("bas*", "base based"),
        ("sweep/*", "sweep/seed_1 sweep/seed_2"),
        ("/runs/sweep/*", "sweep/seed_1 sweep/seed_2"),
        ("seed_2", "sweep/seed_2"),
        ("/runs/base", "base"),
        ("/runs/sweep/../base/", "base"),
        ("ddd555", "twin"),
    ],
)
def test_a_run_is_named_in_any_of_its_ways(runs: FakeReader, word: str, expected: str) -> None:
    assert " ".join(resolved(runs, word)) == expected


def test_runs_keep_the_order_of_the_words_and_come_once(runs: FakeReader) -> None:
    assert resolved(runs, "based", "base", "bas*") == ["based", "base"]
    assert resolved(runs) == []


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("swep/seed_1", "no run 'swep/seed_1' in 6 runs. Did you mean 'sweep/seed_1'?"),
        ("sed_1", "no run 'sed_1' in 6 runs. Did you mean 'seed_1'?"),
        ("xyzzy", "no run 'xyzzy' in 6 runs. Try: mlbench query"),
        ("", "no run '' in 6 runs. Try: mlbench query"),
        ("x*", "no run 'x*' in 6 runs. Try: mlbench query"),
        (
            "sweep",
            "'sweep' is the beginning of 2 runs: sweep/seed_1, sweep/seed_2. Try: the whole name, an id, or a glob for all of them",
        ),
        ("twin", "'twin' is the name of 2 runs: twin (ddd555), twin (eee666). Try: its id, ddd555"),
        ("@bset", "no run '@bset'. Did you mean '@best'?"),
        ("@xyzzy", "no run '@xyzzy'. Try: @best, @best(METRIC), @baseline"),
        ("@baseline", "no run is the baseline. Try: mlbench baseline RUN"),
        ("@best", "no metric says which run is best. Try: mlbench metric NAME --goal min"),
    ],
)
def test_a_word_that_means_no_run_or_several_is_told(runs: FakeReader, word: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        resolve_runs(runs, [word])

    assert str(raised.value) == message


def test_a_folder_that_holds_several_runs_means_none_of_them(runs: FakeReader) -> None:
    with pytest.raises(UsageError) as raised:
        resolve_runs(runs, ["/"])

    assert str(raised.value) == (
        "'/' holds 6 runs: base (bbb333), based (ccc444), sweep/seed_1 (aaa111), sweep/seed_2 (aab222), twin (ddd555) "
        "and 1 more. Try: its id, bbb333"
    )


def test_of_many_that_match_five_are_listed(empty: FakeReader) -> None:
    for number in range(7):
        empty.add_run(f"run{number}")

    with pytest.raises(UsageError) as raised:
        resolve_runs(empty, ["run"])

    assert str(raised.value) == (
        "'run' is the beginning of 7 runs: run0, run1, run2, run3, run4 and 2 more. "
        "Try: the whole name, an id, or a glob for all of them"
    )


def test_without_runs_the_next_step_is_to_ingest(empty: FakeReader) -> None:
    with pytest.raises(UsageError, match=r"there are no runs yet\. Try: mlbench ingest PATH"):
        resolve_runs(empty, ["a"])


def test_a_folder_that_holds_one_run_means_that_run(empty: FakeReader, tmp_path: Path) -> None:
    (tmp_path / "exp" / "logs").mkdir(parents=True)
    empty.add_run("a", path=str(tmp_path / "exp" / "logs"))

    assert resolved(empty, str(tmp_path / "exp")) == ["a"]


def test_a_scope_bounds_what_a_word_means(runs: FakeReader) -> None:
    assert resolved(runs, "aa", within=("/runs/sweep/seed_2",)) == ["sweep/seed_2"]


def test_archived_runs_have_names_but_no_glob_means_them(runs: FakeReader) -> None:
    runs.add("word_run", run_key="/runs/base", is_archived=True, is_baseline=False)

    assert resolved(runs, "base") == ["base"]
    assert resolved(runs, "bas*") == ["based"]


def test_the_best_run_is_the_one_with_the_best_value_of_the_primary_metric(runs: FakeReader) -> None:
    runs.add_series("aaa111", "val/loss", [0.5, NAN])
    runs.add_series("aab222", "val/loss", [0.4, 0.9])
    runs.add_series("bbb333", "val/loss", [0.1])
    runs.add("word_run", run_key="/runs/base", is_archived=True, is_baseline=True)

    assert resolved(runs, "@best", "@baseline") == ["sweep/seed_2", "base"]
    assert resolved(runs, "@BEST", within=("/runs/sweep/seed_1",)) == ["sweep/seed_1"]


def test_no_run_is_best_where_the_primary_metric_was_never_finite(runs: FakeReader) -> None:
    runs.add_series("aaa111", "val/loss", [NAN])

    with pytest.raises(UsageError, match="'val/loss' has no finite value in any run, so none is best"):
        resolve_runs(runs, ["@best"])


def test_text_that_is_no_utf8_means_no_run(runs: FakeReader) -> None:
    with pytest.raises(UsageError, match="no run"):
        resolve_runs(runs, ["\udcff"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["val/loss"], ["val/loss"]),
        (["metrics.val/loss", "val/loss"], ["val/loss"]),
        (["metrics.`val loss`"], ["val loss"]),
        (["'val loss'"], ["val loss"]),
        (["metrics.val*"], ["val loss", "val/loss"]),
        (["*ep_*"], ["rollout/ep_len_mean", "rollout/ep_rew_mean"]),
        ([], []),
    ],
)
def test_metrics_are_named_with_or_without_prefix_and_quotes_or_by_globs(
    reader: FakeReader, words: list[str], expected: list[str]
) -> None:
    assert list(find_metrics(reader, words)) == expected


def test_an_unknown_metric_is_told(reader: FakeReader) -> None:
    with pytest.raises(UsageError) as raised:
        find_metrics(reader, ["metrics.val/los"])
    assert str(raised.value) == "no metric 'metrics.val/los' in 12 runs. Did you mean 'val/loss'?"

    with pytest.raises(UsageError) as raised:
        find_metrics(reader, ["zz*"], [])
    assert str(raised.value) == "no metric 'zz*' in 0 runs."


def test_all_names_can_be_listed(reader: FakeReader) -> None:
    assert metric_names(reader)[:3] == ("val/loss", "acc", "train/loss")
    assert param_keys(reader)[:3] == ("a b", "amp", "arch")
