"""The answer of the SQL equals a plain evaluation in Python, over any runs and for any filter."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlbench.queries.filter import Filter, render
from mlbench.queries.runs import find_runs
from mlbench.queries.tree import (
    AGGREGATES,
    EXTREMES,
    Aggregate,
    AllOf,
    AnyOf,
    Between,
    Compare,
    Curve,
    Has,
    IsNull,
    Literal,
    Matches,
    Node,
    Not,
    OneOf,
    Ref,
    StepOf,
    ValueAt,
    Word,
)
from tests.unit.queries.conftest import INF, NAN, NOW_S, FakeReader
from tests.unit.queries.reference import Plain, PlainRun, matches

WORDS = ["adam", "Adam", "sgd", "a", "ä", "10", "9", "1e-3", "0.001", "0.1", "true", "None", "auto", "-1", "50%", ""]
NUMBERS = [-1.0, 0.0, 0.001, 0.1, 0.5, 1.0, 9.0, 10.0]
VALUES: list[Plain] = [*NUMBERS, *(word for word in WORDS if word), True, False, None]
CURVES = st.lists(st.sampled_from([*NUMBERS, NAN, INF, -INF]), min_size=1, max_size=5)
RUNS = st.lists(
    st.builds(
        PlainRun,
        name=st.sampled_from(["adam-1", "b", "10", "Sweep/0", "0.001"]),
        status=st.sampled_from(["finished", "failed", "killed"]),
        params=st.dictionaries(st.sampled_from(["lr", "opt", "x"]), st.sampled_from(VALUES)),
        metrics=st.dictionaries(st.sampled_from(["loss", "acc"]), CURVES),
        tags=st.frozensets(st.sampled_from(["adam", "good", "10"]), max_size=2),
        notes=st.lists(st.sampled_from(["Looks GOOD", "a 10"]), max_size=1).map(tuple),
    ),
    min_size=1,
    max_size=18,
)

PARAMS = st.builds(Ref, st.just("param"), st.sampled_from(["lr", "opt", "x"]))
METRICS = st.builds(Ref, st.just("metric"), st.sampled_from(["loss", "acc"]))
NAME, STATUS, TAG, NOTE = (Ref("field", name) for name in ("name", "status", "tag", "note"))
MEASURED = st.one_of(
    METRICS,
    st.builds(Aggregate, st.sampled_from(AGGREGATES), METRICS),
    st.builds(StepOf, st.sampled_from(EXTREMES), METRICS),
    st.builds(ValueAt, METRICS, st.sampled_from(EXTREMES), METRICS),
)
TEXTUAL = st.one_of(PARAMS, st.just(NAME))
ALL = st.builds(Literal, st.sampled_from(WORDS))
NUMERIC = st.builds(Literal, st.sampled_from(["-1", "0", "1e-3", ".1", "0.5", "1", "9", "10", "inf"]))
STATES = st.builds(Literal, st.sampled_from(["finished", "failed", "killed", "running"]))
PATTERNS = st.builds(Literal, st.sampled_from(["%a%", "A%", "_", "10", "%", "0.%", "", "%GOOD%", "%.%"]))
REGEXES = st.builds(Literal, st.sampled_from(["a", "^A", "0+", "[0-9]$", "", "GOOD|10", r"\.", "ä"]))
SIGNS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
EQUAL = st.sampled_from(["=", "!="])
LEAVES: st.SearchStrategy[Node] = st.one_of(
    st.builds(Compare, MEASURED, SIGNS, NUMERIC),
    st.builds(Compare, TEXTUAL, EQUAL, ALL),
    st.builds(Compare, TEXTUAL, SIGNS, NUMERIC),
    st.builds(Compare, st.just(STATUS), EQUAL, STATES),
    st.builds(Compare, st.sampled_from([TAG, NOTE]), EQUAL, ALL),
    st.builds(Compare, MEASURED, SIGNS, MEASURED),
    st.builds(Compare, PARAMS, SIGNS, PARAMS),
    st.builds(Compare, PARAMS, SIGNS, METRICS),
    st.builds(OneOf, st.one_of(TEXTUAL, st.just(TAG)), st.lists(ALL, min_size=1, max_size=3).map(tuple), st.booleans()),
    st.builds(OneOf, MEASURED, st.lists(NUMERIC, min_size=1, max_size=3).map(tuple), st.booleans()),
    st.builds(Between, st.one_of(MEASURED, TEXTUAL), NUMERIC, NUMERIC, st.booleans()),
    st.builds(Matches, st.one_of(TEXTUAL, st.sampled_from([TAG, NOTE])), st.sampled_from(["like", "ilike"]), PATTERNS,
              st.booleans()),
    st.builds(Matches, st.one_of(TEXTUAL, st.sampled_from([TAG, NOTE])), st.just("regex"), REGEXES, st.booleans()),
    st.builds(IsNull, st.one_of(MEASURED, TEXTUAL, st.sampled_from([TAG, NOTE])), st.booleans()),
    st.builds(Curve, st.sampled_from(["nan", "inf"]), METRICS),
    st.builds(Word, st.sampled_from(["adam", "A", "10", "good", "zzz"])),
    st.builds(Has, st.one_of(PARAMS, st.sampled_from([NAME, TAG, NOTE])), ALL),
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.builds(Not, parts),
        st.builds(AllOf, st.lists(parts, min_size=2, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(parts, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=4,
)


def catalog_of(runs: list[PlainRun]) -> FakeReader:
    """The runs, and one more that has every name, so that no name is unknown; it is archived."""
    reader = FakeReader()
    for number, run in enumerate(runs):
        path = f"/runs/{number}"
        run_id = reader.add_run(run.name, run_id=str(number), path=path, status=run.status)
        for key, value in run.params.items():
            reader.add_param(run_id, key, value)
        for metric, curve in run.metrics.items():
            reader.add_series(run_id, metric, curve)
        reader.tag(path, *run.tags)
        for note in run.notes:
            reader.add("word_note", run_key=path, body=note, author="ada", at_s=NOW_S)
        newest = run.notes[0] if run.notes else None
        reader.add("word_run", run_key=path, name=None, note=newest, is_archived=False, is_baseline=False)
    every = reader.add_run("every", path="/runs/every")
    reader.add_params(every, lr="any", opt="any", x="any")
    for metric in ("loss", "acc"):
        reader.add_series(every, metric, [0.0])
    reader.add("word_run", run_key="/runs/every", name=None, note=None, is_archived=True, is_baseline=False)
    return reader


# Most of the time goes into making a catalog: three filters are asked of each, and of three times as many runs as are
# needed for an answer with some of them.
@settings(max_examples=50, deadline=None)
@given(RUNS, st.lists(TREES, min_size=3, max_size=3))
@example(
    [PlainRun("a", params={"lr": -1.0, "x": None}), PlainRun("b", params={"lr": None, "x": None})],
    [Compare(Ref("param", "lr"), "!=", Ref("param", "x"))],
)
def test_the_sql_finds_what_a_plain_evaluation_finds(runs: list[PlainRun], trees: list[Node]) -> None:
    reader = catalog_of(runs)
    for tree in trees:
        where = render(Filter(tree))

        found = find_runs(reader, where=where, columns=None)

        assert {row.head.run_id for row in found.rows} == {
            str(number) for number, run in enumerate(runs) if matches(tree, run)
        }, where
