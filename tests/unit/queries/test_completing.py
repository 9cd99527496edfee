"""Promises of completion: what is offered at each place of a filter, for the shell and for the workbench."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlbench.queries.completing import complete_column, complete_filter
from mlbench.queries.known import CatalogKnown
from tests.unit.queries.conftest import FakeReader


def offered(reader: FakeReader, text: str, *, is_prefix: bool = False) -> list[str]:
    """The whole texts after each candidate was taken."""
    found = complete_filter(text, len(text), CatalogKnown(reader), is_prefix=is_prefix)
    return [text[: found.start] + one.text for one in found.candidates]


def kinds(reader: FakeReader, text: str) -> set[str]:
    return {one.kind for one in complete_filter(text, len(text), CatalogKnown(reader)).candidates}


WHOLE = [
    # names
    ("opt", ["params.optim.lr", "params.optimizer"]),
    ("params.opti", ["params.optim.lr", "params.optimizer"]),
    ("lr > 1 and metrics.roll", ["lr > 1 and metrics.rollout/ep_len_mean", "lr > 1 and metrics.rollout/ep_rew_mean"]),
    ("params.`a", ["params.`a b`", "params.`amp`", "params.`arch`", "params.`data_dir`", "params.`model.layers`"]),
    ("metric.val", ["metric.`val loss`", "metric.val/loss"]),
    ("run.n_", ["run.n_metrics", "run.n_points"]),
    ("attributes.sta", ["attributes.status", "attributes.started"]),
    ("git.co", ["git.commit"]),
    ("data.", ["data.digits"]),
    ("env.", ["env.torch", "env.python"]),
    ("tags.mlf", ["tags.mlflow.source"]),
    ("dataset.", ["dataset.name", "dataset.digest", "dataset.context"]),
    ("-params.arc", ["-params.arch"]),
    ("not params.arc", ["not params.arch"]),
    ("start_t", ["start_time"]),
    # functions
    ("min(ac", ["min(metrics.acc"]),
    ("min(metrics.ac", ["min(metrics.acc"]),
    ("nan(train", ["nan(metrics.train/loss"]),
    ("acc at m", ["acc at min(", "acc at max("]),
    ("step of b", ["step of best("]),
    # signs
    ("params.lr bet", ["params.lr between"]),
    ("lr is ", ["lr is null", "lr is not null"]),
    ("lr is not n", ["lr is not null"]),
    # values
    ("optimizer = ", ["optimizer = adam", "optimizer = sgd", "optimizer = lion"]),
    ("optimizer = s", ["optimizer = sgd"]),
    ("optimizer='s", ["optimizer='sgd'"]),
    ("params.optimizer != ad", ["params.optimizer != adam"]),
    ("params.optimizer in (sgd, a", ["params.optimizer in (sgd, adam"]),
    ("params.optimizer not in (l", ["params.optimizer not in (lion"]),
    ("params.optimizer like 'li", ["params.optimizer like 'lion'"]),
    ("params.lr between 0.1 and 0.0", ["params.lr between 0.1 and 0.001", "params.lr between 0.1 and 0.0003", "params.lr between 0.1 and 0.003", "params.lr between 0.1 and 0.01", "params.lr between 0.1 and 0.02", "params.lr between 0.1 and 0.05"]),
    ("params.`a b` = ", ["params.`a b` = odd"]),
    ("optimizer:s", ["optimizer:sgd"]),
    ("lr > 0.1 -optimizer:li", ["lr > 0.1 -optimizer:lion"]),
    ("tag:g", ["tag:good"]),
    ("tag = ba", ["tag = baseline"]),
    ("status = f", ["status = finished", "status = failed"]),
    ("status in (finished, k", ["status in (finished, killed"]),
    ("archived = ", ["archived = true", "archived = false"]),
    ("started > y", ["started > yesterday"]),
    ("started > '2", ["started > '2 days ago'"]),
    ("project = vi", ["project = vision"]),
    ("user = a", ["user = ada"]),
    ("run.name = ppo", ["run.name = ppo-bad"]),
    ("git.branch = ", ["git.branch = main"]),
    ("data.digits = ", ["data.digits = v1", "data.digits = v2"]),
    ("dataset.name = ", ["dataset.name = digits"]),
    ("env.torch >= 2", ["env.torch >= 2.10.0+cu126", "env.torch >= 2.9.1"]),
    ("tags.mlflow.source = t", ["tags.mlflow.source = train_ppo.py"]),
    # nothing
    ("nothing = ", []),
    ("'a text", []),
    ("lr => ", []),
    ("lr = 3 'x'", []),
    ("metrics.acc > ", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "whole"), WHOLE)
def test_what_may_come_next_is_offered(reader: FakeReader, text: str, whole: list[str]) -> None:
    found = offered(reader, text)

    assert [one for one in found if one.rpartition(" ")[2] not in ("and", "or")] == whole


def test_behind_a_name_come_signs_and_behind_a_condition_words_that_join(reader: FakeReader) -> None:
    assert offered(reader, "params.lr ")[:3] == ["params.lr =", "params.lr !=", "params.lr <"]
    assert offered(reader, "min(acc) ")[:1] == ["min(acc) ="]
    assert offered(reader, "lr > 3 ") == ["lr > 3 and", "lr > 3 or"]
    assert offered(reader, "nan(acc) ") == ["nan(acc) and", "nan(acc) or"]
    assert offered(reader, "lr between 1 and 2 ") == ["lr between 1 and 2 and", "lr between 1 and 2 or"]
    assert offered(reader, "tag:x ") == ["tag:x and", "tag:x or"]


def test_every_candidate_has_a_kind(reader: FakeReader) -> None:
    assert kinds(reader, "opt") == {"param"}
    assert kinds(reader, "sta") == {"field"}
    assert kinds(reader, "acc") == {"metric"}
    assert kinds(reader, "imp") == {"tag"}
    assert kinds(reader, "optimizer = ") == {"value"}
    assert kinds(reader, "nan") == {"function"}
    assert kinds(reader, "lr ") == {"operator"}
    assert kinds(reader, "lr = 1 an") == {"keyword", "metric"}


def test_an_empty_filter_offers_the_fields(reader: FakeReader) -> None:
    assert offered(reader, "")[:4] == ["name", "id", "project", "status"]
    assert kinds(reader, "") == {"field"}


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("opt", ["optim.lr", "optimizer"]),
        ("lr > 0.1 and optimizer = a", ["lr > 0.1 and optimizer = adam"]),
        ("val/l", ["val/loss"]),
        ("metrics.val/l", ["metrics.val/loss"]),
        ("para", ["params."]),
        ("-arch", ["-archived", "-arch"]),
        ("loss", []),
    ],
)
def test_a_shell_is_offered_only_what_goes_on_from_the_letters(reader: FakeReader, text: str, whole: list[str]) -> None:
    found = offered(reader, text, is_prefix=True)

    assert [one for one in found if one != text] == [one for one in whole if one != text]


def test_there_are_at_most_as_many_candidates_as_asked_for(reader: FakeReader) -> None:
    assert len(complete_filter("a", 1, CatalogKnown(reader), most=3).candidates) == 3


def test_only_what_stands_before_the_cursor_counts(reader: FakeReader) -> None:
    found = complete_filter("opt = adam", 3, CatalogKnown(reader))

    assert (found.start, found.end) == (0, 3)
    assert [one.text for one in found.candidates] == ["params.optim.lr", "params.optimizer"]


@pytest.mark.parametrize(
    ("text", "start", "words"),
    [
        ("params.opti", 0, ["params.optim.lr", "params.optimizer"]),
        ("params.lr, min(val/", 15, ["metrics.val/loss"]),
        ("params.lr,metrics.acc at b", 25, ["best("]),
        ("metrics.acc:d", 12, ["desc"]),
        ("params.lr:", 10, ["desc", "asc"]),
    ],
)
def test_columns_and_sort_keys_are_completed(reader: FakeReader, text: str, start: int, words: list[str]) -> None:
    found = complete_column(text, len(text), CatalogKnown(reader))

    assert found.start == start
    assert [one.text for one in found.candidates] == words


pieces = st.sampled_from(
    ["(", ")", "=", "<", "~", "like", "in (", "and", "not", "between", "is", "lr", "acc", "params.", "metrics.`val",
     "'2 da", "tag:", "min(", "acc at ", "-", '"', "\x00", "\ud800", "é", ",", "3"]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(max_size=20), st.lists(pieces, max_size=7).map(" ".join), st.lists(pieces, max_size=7).map("".join)
    )
)
def test_no_text_fails(reader: FakeReader, text: str) -> None:
    for cursor in (0, len(text) // 2, len(text)):
        found = complete_filter(text, cursor, CatalogKnown(reader), most=5)

        assert 0 <= found.start <= found.end == cursor
        assert len(found.candidates) <= 5
