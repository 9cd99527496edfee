"""Promises of a run's lineage: what it was made from, what was made of it, and who else has to do with that."""

import pytest

from mlbench.queries.lineage import Arrow, Check, Kin, LineageAnswer, ModelLine, fetch_lineage, step_depths
from tests.unit.queries.conftest import FakeReader


def test_a_run_without_a_record_has_an_empty_lineage(empty: FakeReader) -> None:
    assert fetch_lineage(empty, empty.add_run("a")) == LineageAnswer()


def test_steps_stand_in_the_order_in_which_data_flows(empty: FakeReader) -> None:
    run = empty.add_run("a")
    for direction, step, artifact in (
        ("input", "pusher", "model"),
        ("output", "gen", "examples"),
        ("input", "trainer", "examples"),
        ("output", "trainer", "model"),
        ("output", "trainer", "model"),
    ):
        empty.add("lineage_edge", run_id=run, direction=direction, step=step, artifact=artifact)

    arrows = fetch_lineage(empty, run).arrows

    assert arrows == (
        Arrow("output", "gen", "examples"), Arrow("input", "trainer", "examples"), Arrow("output", "trainer", "model"),
        Arrow("input", "pusher", "model"),
    )  # fmt: skip


def test_the_data_that_a_run_read_is_an_input_of_the_whole_run(empty: FakeReader) -> None:
    run = empty.add_run("a")
    empty.add("data_version", run_id=run, system="dvc", name="train", version="v2")

    assert fetch_lineage(empty, run).arrows == (Arrow("input", "", "train@v2"),)


def test_runs_that_made_the_input_or_read_the_output_are_named(empty: FakeReader) -> None:
    prepare, train, score = (empty.add_run(name) for name in ("prepare", "train", "score"))
    empty.add("lineage_edge", run_id=prepare, direction="output", step="", artifact="train.csv")
    empty.add("lineage_edge", run_id=train, direction="input", step="fit", artifact="train.csv")
    empty.add("lineage_edge", run_id=train, direction="output", step="fit", artifact="model")
    empty.add("lineage_edge", run_id=score, direction="input", step="", artifact="model")

    assert fetch_lineage(empty, train).kin == (
        Kin("score", score, "reads", "model"),
        Kin("prepare", prepare, "made", "train.csv"),
    )


def test_checks_and_registered_models_are_told(empty: FakeReader) -> None:
    run = empty.add_run("a")
    empty.add(
        "validation", run_id=run, check_name="evaluator", verdict="passed", baseline="taxi/1", at_s=5.0, evidence="/e"
    )
    for version, aliases in (("10", ["champion"]), ("9", None)):
        empty.add("model_version", run_id=run, name="taxi", version=version, aliases=aliases, status="READY")

    answer = fetch_lineage(empty, run)

    assert answer.checks == (Check("evaluator", "passed", "taxi/1", 5.0, "/e"),)
    assert answer.models == (
        ModelLine("taxi", "9", (), "READY", "", ""),
        ModelLine("taxi", "10", ("champion",), "READY", "", ""),
    )


@pytest.mark.parametrize("n_steps", [2, 3, 7])
def test_a_circle_of_steps_ends(n_steps: int) -> None:
    arrows = [Arrow("output", f"s{i}", f"a{i}") for i in range(n_steps)]
    arrows += [Arrow("input", f"s{i}", f"a{i - 1}" if i else f"a{n_steps - 1}") for i in range(n_steps)]

    assert set(step_depths(arrows)) == {f"s{i}" for i in range(n_steps)}
