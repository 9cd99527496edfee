"""Promises of the table of runs: order, columns, counts, scope, archived runs."""

from datetime import UTC, datetime, timedelta

import pytest

from mlbench.errors import UsageError
from mlbench.queries.answers import Column, RunHead
from mlbench.queries.mistakes import FilterError
from mlbench.queries.runs import find_runs
from tests.unit.queries.conftest import NAN, NOW_S, FakeReader, run_id_of


def names(reader: FakeReader, **question: object) -> list[str]:
    return [row.head.name for row in find_runs(reader, **{"columns": None, **question}).rows]  # type: ignore[arg-type]


def test_without_a_sort_the_newest_come_first(reader: FakeReader) -> None:
    assert names(reader, where="name:sweep") == ["sweep/0", "sweep/1", "sweep/2", "sweep/3", "sweep/4"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (["name:desc"], "4 3 2 1 0"),
        (["params.lr"], "0 3 1 2 4"),  # 0.001 and '1e-3' are equal: by name; 'auto' after the numbers
        (["params.lr:desc"], "2 1 0 3 4"),
        (["optimizer", "metrics.val/loss:asc"], "0 1 4 3 2"),
        (["min(metrics.val/loss)"], "0 3 1 2 4"),
        (["metrics.acc DESC"], "1 0 3 2 4"),
        (["metrics.acc at min(val/loss) : desc"], "0 1 2 3 4"),
        (["env.torch"], "1 0 2 3 4"),
        (["status", "started"], "4 3 2 1 0"),
        (["tag:desc", "name"], "0 1 2 3 4"),
    ],
)
def test_runs_are_sorted_by_what_was_asked_for(reader: FakeReader, sort: list[str], expected: str) -> None:
    found = names(reader, where="name:sweep", sort=sort)

    assert " ".join(name.removeprefix("sweep/") for name in found) == expected


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_missing_values_and_nan_come_last_in_either_direction(empty: FakeReader, order: str) -> None:
    for name, values in (("a", [NAN]), ("b", [1.0]), ("c", [2.0])):
        empty.add_series(empty.add_run(name), "loss", values)
    empty.add_run("0-none")

    found = names(empty, sort=[f"metrics.loss:{order}"])

    assert found == (["b", "c"] if order == "asc" else ["c", "b"]) + ["0-none", "a"]


def test_a_sort_may_name_a_column_by_its_alias(reader: FakeReader) -> None:
    answer = find_runs(
        reader, where="name:sweep", columns=["min(metrics.val/loss) as best"], sort=["best:desc"], limit=2
    )

    assert [(row.head.name, row.values) for row in answer.rows] == [("sweep/4", (0.7,)), ("sweep/2", (0.5,))]


def test_columns_carry_values_of_their_own_types(reader: FakeReader) -> None:
    columns = ["name", "params.lr,params.amp", "params.model.layers", "params.ckpt", "metrics.`val loss`", "archived",
               "started", "duration", "count(val/loss)", "tag", "note", "env.torch"]  # fmt: skip

    (row,) = find_runs(reader, where="name = live", columns=columns).rows

    started = datetime.fromtimestamp(NOW_S, UTC).replace(tzinfo=None) - timedelta(minutes=30)
    assert row.values == (
        "live", 0.05, False, "[64, 32]", None, 0.65, False, started, 1790.0, 2, (), None, "1.13.1",
    )  # fmt: skip


def test_tags_and_notes_of_the_user_and_of_the_sources_are_shown(reader: FakeReader) -> None:
    values = {row.head.name: row.values for row in find_runs(reader, columns=["tags", "note"]).rows}

    assert values["sweep/0"] == (("baseline", "good"), None)
    assert values["ppo"] == (("good", "imported"), None)
    assert values["diverged"] == ((), "Debug: the loss exploded")
    assert values["ppo-bad"] == ((), "from the tracker: debug me")


def test_columns_say_their_specification_title_kind_and_goal(reader: FakeReader) -> None:
    columns = ["params.lr", "lr", "metrics.val/loss", "metrics.`val loss`", "min(val/loss) as best", "acc at min(val/loss)",
               "tags.imported", "status", "git.commit", "step of max(acc)", "metrics.flat", "'val loss' as \"the loss\""]  # fmt: skip

    answer = find_runs(reader, columns=columns)

    assert answer.columns == (
        Column("params.lr", "lr", "param"),
        Column("lr", "lr", "param"),
        Column("metrics.val/loss", "val/loss", "metric", "min"),
        Column("metrics.`val loss`", "val loss", "metric", "min"),
        Column("min(val/loss)", "best", "metric", "min", "best"),
        Column("acc at min(val/loss)", "acc at min(val/loss)", "metric", "max"),
        Column("tags.imported", "tags.imported", "tag"),
        Column("status", "status", "field"),
        Column("git.commit", "git.commit", "field"),
        Column("step of max(acc)", "step of max(acc)", "metric"),
        Column("metrics.flat", "flat", "metric"),
        Column("'val loss'", "the loss", "metric", "min", "the loss"),
    )
    assert answer.remarks[:2] == ("lr is params.lr", "val loss is metrics.`val loss`")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("params.lrr", "no parameter 'lrr' in 12 runs. Did you mean 'lr'?"),
        ("nan(acc)", "column 1: nan(...) asks a question: it stands in filters, not in columns"),
        ("", "column 1: a column is missing here. Try: params.lr"),
        ("lr,", "column 4: a column is missing here. Try: params.lr"),
        ("lr acc", "column 4: a ',' stands between columns. Try: params.lr, min(metrics.val/loss) as best"),
        ("lr as", "column 6: a name is missing after 'as'. Try: min(metrics.val/loss) as best"),
        ("lr as ''", "column 7: a name is missing after 'as'. Try: min(metrics.val/loss) as best"),
    ],
)
def test_a_mistake_in_a_column_is_told(reader: FakeReader, column: str, message: str) -> None:
    with pytest.raises(FilterError) as raised:
        find_runs(reader, columns=[column])

    assert raised.value.message == message


@pytest.mark.parametrize(
    ("sort", "message"),
    [
        ("accc:desc", "no field, parameter, metric or tag 'accc' in 12 runs. Did you mean 'acc'?"),
        ("lr acc", "column 4: a sort key is one column. Try: metrics.val/loss:desc"),
        (":desc", "no field, parameter, metric or tag ':desc' in 12 runs. Try: quotes around it to find text"),
    ],
)
def test_a_mistake_in_a_sort_is_told(reader: FakeReader, sort: str, message: str) -> None:
    with pytest.raises(FilterError) as raised:
        find_runs(reader, sort=[sort])

    assert raised.value.message == message


def test_a_limit_cuts_the_rows_but_not_the_counts(reader: FakeReader) -> None:
    answer = find_runs(reader, where="name:sweep", limit=2)

    assert [row.head.name for row in answer.rows] == ["sweep/0", "sweep/1"]
    assert (answer.n_matched, answer.n_runs) == (5, 11)
    assert (len(find_runs(reader, limit=0).rows), find_runs(reader, limit=0).n_matched) == (0, 11)


def test_archived_runs_are_left_out_and_told_unless_asked_about(reader: FakeReader) -> None:
    assert names(reader, where="metrics.val/loss < 0.2") == []
    assert find_runs(reader, where="metrics.val/loss < 0.2").remarks == (
        "1 run matches but is archived and left out; to see all add: archived in (true, false)",
    )
    assert find_runs(reader, where="metrics.acc < 0").remarks == ()
    for where in ("archived", "val/loss < 0.2 and archived = true", "not (archived = false)", "-archived:false"):
        assert names(reader, where=where) == ["old"]
    assert len(names(reader, where="archived in (true, false) or a and nan(acc)")) == 12


def test_several_archived_runs_are_counted(empty: FakeReader) -> None:
    for name in ("a", "b"):
        empty.add_run(name)
        empty.add("word_run", run_key=f"/runs/{name}", is_archived=True, is_baseline=False)

    assert find_runs(empty).remarks == (
        "2 runs match but are archived and left out; to see all add: archived in (true, false)",
    )


def test_a_scope_is_the_runs_at_or_below_its_paths(reader: FakeReader) -> None:
    answer = find_runs(reader, within=["/runs/sweep", "/runs/ppo"])

    assert sorted(row.head.name for row in answer.rows) == [
        "ppo", "sweep/0", "sweep/1", "sweep/2", "sweep/3", "sweep/4",
    ]  # fmt: skip
    assert answer.n_runs == 6
    assert len(find_runs(reader, within=["/"]).rows) == 11
    assert find_runs(reader, within=["/run"]).n_runs == 0


def test_names_are_known_by_the_runs_in_the_scope(reader: FakeReader) -> None:
    with pytest.raises(FilterError, match="no metric 'acc' in 2 runs"):
        find_runs(reader, where="metrics.acc > 0", within=["/runs/ppo", "/runs/live"])

    with pytest.raises(FilterError, match="no metric 'acc' in 1 run\\."):
        find_runs(reader, where="metrics.acc > 0", within=["/runs/diverged"])


def test_a_head_says_what_every_pane_needs(reader: FakeReader) -> None:
    rows = {row.head.name: row.head for row in find_runs(reader, columns=None).rows}

    assert rows["sweep/0"] == RunHead(
        run_id=run_id_of("sweep/0"), key="/runs/sweep/0", fingerprint="f-sweep/0", name="sweep/0", path="/runs/sweep/0",
        status="finished", is_baseline=True, is_archived=False, tags=("baseline", "good"), has_note=False,
        status_how="recorded", since=rows["sweep/0"].since,
    )  # fmt: skip
    assert rows["sweep/0"].since is not None
    assert rows["live"].status_how == "last point"
    assert rows["ppo"].tags == ("good",)
    assert rows["diverged"].has_note
    assert rows["ppo-bad"].has_note


def test_without_columns_the_usual_ones_are_chosen_for_the_rows_found(reader: FakeReader) -> None:
    answer = find_runs(reader, where="name:sweep")

    assert [column.spec for column in answer.columns] == [
        "metrics.val/loss", "params.optimizer", "params.seed", "params.lr", "metrics.acc", "metrics.train/loss",
    ]  # fmt: skip
    assert answer.rows[0].values == (0.25, "adam", 0, 0.001, 0.8, 0.25)
    assert [column.spec for column in find_runs(reader, where="name:sweep", limit=1).columns] == [
        "metrics.val/loss", "metrics.acc", "metrics.train/loss",
    ]  # fmt: skip
    assert find_runs(reader, columns=None).columns == ()


def test_an_id_that_is_not_there_is_told(reader: FakeReader) -> None:
    from mlbench.queries.heads import fetch_heads

    with pytest.raises(UsageError, match="no run has the id 'nope'"):
        fetch_heads(reader, ["nope"])


def test_a_data_set_is_known_by_the_end_of_its_name_where_one_alone_ends_so(empty: FakeReader) -> None:
    for run_id in (empty.add_run("a"), empty.add_run("b")):
        version = "v1" if run_id == run_id_of("a") else "v2"
        for name in ("digits/train", "digits/test"):
            empty.add("data_version", run_id=run_id, system="lakefs", name=name, version=version, is_pinned=False)

    found = find_runs(empty, where="data.train = 'v2'", columns=["data.test"])

    assert [(row.head.name, row.values) for row in found.rows] == [("b", ("v2",))]
    assert set(found.remarks) == {"data.train is data.digits/train", "data.test is data.digits/test"}


def test_an_end_of_two_data_sets_is_no_name(empty: FakeReader) -> None:
    run_id = empty.add_run("a")
    for name in ("digits/train", "letters/train"):
        empty.add("data_version", run_id=run_id, system="lakefs", name=name, version="v1", is_pinned=False)

    with pytest.raises(FilterError, match="no data set 'train'"):
        find_runs(empty, where="data.train = 'v1'")


def test_where_nothing_matches_it_is_said_which_words_were_looked_for_as_text(reader: FakeReader) -> None:
    found = find_runs(reader, where="duration > 3 parsecs and not (nothing or lr > 1)")

    assert found.n_matched == 0
    assert found.remarks[-1] == "'parsecs' was looked for as text, in names, parameters, tags and notes"
    assert not [text for text in find_runs(reader, where="duration >= 0 sweep").remarks if "as text" in text]
