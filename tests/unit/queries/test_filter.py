"""Promises of the parser: what every spelling means, and what every mistake is told."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlbench.queries.filter import MAX_DEPTH, MAX_TERMS, FilterError, parse, quote_text, render
from mlbench.queries.tree import (
    AGGREGATES,
    CURVES,
    EXTREMES,
    PREFIXES,
    Aggregate,
    AllOf,
    AnyOf,
    Between,
    Compare,
    Curve,
    Everything,
    Filter,
    Has,
    IsNull,
    Literal,
    Matches,
    Node,
    Not,
    OneOf,
    Ref,
    Slope,
    StepOf,
    ValueAt,
    Word,
)

LR, LOSS, ACC = Ref("bare", "lr"), Ref("metric", "val/loss"), Ref("metric", "acc")
NAME, STATUS, TAG = Ref("field", "name"), Ref("field", "status"), Ref("field", "tag")


def same(left: Ref, text: str) -> Compare:
    return Compare(left, "=", Literal(text))


TREES: list[tuple[str, Node]] = [
    ("", Everything()),
    ("  \n", Everything()),
    ("lr = 3", same(LR, "3")),
    ("lr == 3", same(LR, "3")),
    ("lr <> 3", Compare(LR, "!=", Literal("3"))),
    ("lr<=-1e-3", Compare(LR, "<=", Literal("-1e-3"))),
    ("3 < lr", Compare(LR, ">", Literal("3"))),
    ("'3' >= `lr`", Compare(LR, "<=", Literal("3"))),
    ("-1 < lr", Compare(LR, ">", Literal("-1"))),
    ("-lr < 1", Not(Compare(LR, "<", Literal("1")))),
    ("lr = '3'", same(LR, "3")),
    ('lr = "a b"', same(LR, "a b")),
    ("metrics.val/loss < 0.3", Compare(LOSS, "<", Literal("0.3"))),
    ('metrics."val/loss" < 0.3', Compare(LOSS, "<", Literal("0.3"))),
    ("METRIC.`val/loss` < 0.3", Compare(LOSS, "<", Literal("0.3"))),
    ("metrics.a.b < 1", Compare(Ref("metric", "a.b"), "<", Literal("1"))),
    ("metrics.a:b < 1", Compare(Ref("metric", "a:b"), "<", Literal("1"))),
    ("parameters.lr = 1", same(Ref("param", "lr"), "1")),
    ("attributes.start_time > 1", Compare(Ref("field", "started"), ">", Literal("1"))),
    ("run.Name = x", same(NAME, "x")),
    ("name = x", same(NAME, "x")),
    ("`name` = x", same(Ref("bare", "name"), "x")),
    ("tags.mlflow.source = x", same(Ref("tag", "mlflow.source"), "x")),
    ("git.commit = x", same(Ref("git", "commit"), "x")),
    ("data.mnist = x", same(Ref("data", "mnist"), "x")),
    ("env.torch = x", same(Ref("env", "torch"), "x")),
    ("lr = data.csv", same(LR, "data.csv")),
    ("lr < params.max_lr", Compare(LR, "<", Ref("param", "max_lr"))),
    ("lr < `max lr`", Compare(LR, "<", Ref("bare", "max lr"))),
    ("lr < min(val/loss)", Compare(LR, "<", Aggregate("min", LOSS))),
    ("lr in (1, 'a')", OneOf(LR, (Literal("1"), Literal("a")))),
    ("lr NOT IN (1)", OneOf(LR, (Literal("1"),), is_negated=True)),
    ("lr between 1 and 2", Between(LR, Literal("1"), Literal("2"))),
    ("lr not between -2 and -1", Between(LR, Literal("-2"), Literal("-1"), is_negated=True)),
    ("name like 'a%'", Matches(NAME, "like", Literal("a%"))),
    ("name not ilike a%", Matches(NAME, "ilike", Literal("a%"), is_negated=True)),
    ("name~^a", Matches(NAME, "regex", Literal("^a"))),
    ("name !~ 'b$'", Matches(NAME, "regex", Literal("b$"), is_negated=True)),
    ("lr is null", IsNull(LR)),
    ("lr is not null", IsNull(LR, is_negated=True)),
    ("min(metrics.val/loss) < 1", Compare(Aggregate("min", LOSS), "<", Literal("1"))),
    ("Best (val/loss) < 1", Compare(Aggregate("best", LOSS), "<", Literal("1"))),
    ('count("val/loss") > 1', Compare(Aggregate("count", LOSS), ">", Literal("1"))),
    ("acc at min(val/loss) > 1", Compare(ValueAt(ACC, "min", LOSS), ">", Literal("1"))),
    ("metrics.acc at best(val/loss) is null", IsNull(ValueAt(ACC, "best", LOSS))),
    ("step of max(acc) = 1", Compare(StepOf("max", ACC), "=", Literal("1"))),
    ("step = 1", same(Ref("bare", "step"), "1")),
    ("slope(acc) > 0", Compare(Slope(ACC, 100.0), ">", Literal("0"))),
    ("slope(acc, last 10%) > 0", Compare(Slope(ACC, 10.0), ">", Literal("0"))),
    ("nan(acc)", Curve("nan", ACC)),
    ("not plateau(metrics.acc)", Not(Curve("plateau", ACC))),
    ("archived", same(Ref("field", "archived"), "true")),
    ("-git.dirty", Not(same(Ref("git", "dirty"), "true"))),
    ("resnet", Word("resnet")),
    ("'two words'", Word("two words")),
    ('"two words"', Word("two words")),
    ("name", Word("name")),
    ("v1.2", Word("v1.2")),
    ("-50", Not(Word("50"))),
    ("--a", Not(Not(Word("a")))),
    ("-'a b'", Not(Word("a b"))),
    ("-(a or b)", Not(AnyOf((Word("a"), Word("b"))))),
    ("tag:a", Has(TAG, Literal("a"))),
    ("tag:'a b'", Has(TAG, Literal("a b"))),
    ('-tag:"a b"', Not(Has(TAG, Literal("a b")))),
    ("lr:0.1", Has(LR, Literal("0.1"))),
    ("a:b:c", Has(Ref("bare", "a"), Literal("b:c"))),
    ("a b", AllOf((Word("a"), Word("b")))),
    ("a and b c", AllOf((Word("a"), Word("b"), Word("c")))),
    ("a or b and c", AnyOf((Word("a"), AllOf((Word("b"), Word("c")))))),
    ("(a or b) and c", AllOf((AnyOf((Word("a"), Word("b"))), Word("c")))),
    ("not a and b", AllOf((Not(Word("a")), Word("b")))),
    ("not (a and b)", Not(AllOf((Word("a"), Word("b"))))),
    ("a not b", AllOf((Word("a"), Not(Word("b"))))),
    ("((a))", Word("a")),
    ("a (b)", AllOf((Word("a"), Word("b")))),
    ("at of null step", AllOf((Word("at"), Word("of"), Word("null"), Word("step")))),
    (
        "lr>=1e-3 tag:baseline -note:debug resnet",
        AllOf((
            Compare(LR, ">=", Literal("1e-3")),
            Has(TAG, Literal("baseline")),
            Not(Has(Ref("field", "note"), Literal("debug"))),
            Word("resnet"),
        )),
    ),
    (
        "metrics.val/loss < 0.3 and (params.lr between 1e-4 and 1e-2 or tag = 'baseline') and not note ~ 'debug'",
        AllOf((
            Compare(LOSS, "<", Literal("0.3")),
            AnyOf((Between(Ref("param", "lr"), Literal("1e-4"), Literal("1e-2")), same(TAG, "baseline"))),
            Not(Matches(Ref("field", "note"), "regex", Literal("debug"))),
        )),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tree"), TREES)
def test_every_spelling_has_one_meaning(text: str, tree: Node) -> None:
    assert parse(text) == Filter(tree)


MISTAKES = [
    ('metrics.val/loss <', 19, "column 19: a value is missing after '<'. Try: metrics.val/loss < 0.3"),
    ('metrics.val/loss', 1, 'column 1: a comparison is missing after metrics.val/loss. Try: metrics.val/loss is not null, or quotes to find text'),
    ('and lr = 3', 1, "column 1: something is missing before 'and'. Try: metrics.loss < 0.3"),
    ('lr = 3 and', 11, "column 11: something is missing after 'and'. Try: metrics.loss < 0.3"),
    ('(lr = 3', 1, "column 1: this '(' is never closed"),
    ('lr = 3)', 7, "column 7: this ')' closes nothing"),
    ("lr = 'abc", 6, "column 6: the quote ' is never closed. Try: 'abc'"),
    ('lr = null', 6, 'column 6: nothing compares with null. Try: lr is null'),
    ('lr != null', 7, 'column 7: nothing compares with null. Try: lr is not null'),
    ('lr = (1, 2)', 6, "column 6: a list goes with 'in'. Try: lr in (1, 2)"),
    ('lr in 3', 7, "column 7: after 'in' comes a list. Try: in ('finished', 'running')"),
    ('lr in (1 2)', 10, "column 10: a ',' is missing before '2'"),
    ('lr in (1,', 10, "column 10: a value is missing after 'in'. Try: in ('finished', 'running')"),
    ('lr between 1', 13, 'column 13: between needs two values. Try: lr between 0.001 and 0.1'),
    ('lr is 3', 4, "column 4: after 'is' comes 'null' or 'not null'. For a value try: ="),
    ('0.1 < lr < 0.2', 10, 'column 10: comparisons do not chain. Try: lr between 0.001 and 0.1'),
    ('lr => 3', 4, "column 4: there is no '=>'. Try: >="),
    ('lr =~ 3', 4, "column 4: there is no '=~'. Try: ~"),
    ('lr && name', 4, "column 4: there is no '&&'. Try: and"),
    ('! lr', 1, "column 1: there is no '!'. Try: not"),
    ('!lr', 1, "column 1: there is no '!'. Try: not"),
    ('avg(loss) > 3', 1, "column 1: there is no function 'avg'. Try: min(metrics.loss), or quotes to find text"),
    ('mim(val/loss) > 3', 1, "column 1: there is no function 'mim'. Did you mean 'min'?"),
    ('min(params.lr) > 3', 5, "column 5: min(...) needs a metric, got 'params.lr'. Try: min(metrics.loss)"),
    ('min() > 3', 5, 'column 5: min(...) needs a metric. Try: min(metrics.loss)'),
    ('min(val/loss > 3', 14, "column 14: a ')' is missing after min(... Try: min(metrics.loss)"),
    ('min(val/loss)', 1, 'column 1: a comparison is missing after min(metrics.val/loss). Try: min(metrics.val/loss) is not null, or quotes to find text'),
    ('acc at mean(val/loss) > 3', 8, 'column 8: min(...), max(...) or best(...) must stand here. Try: metrics.acc at min(metrics.val/loss)'),
    ('step of last(val/loss) > 3', 9, 'column 9: min(...), max(...) or best(...) must stand here. Try: step of min(metrics.val/loss)'),
    ('slope(val/loss, 10) > 3', 1, "column 1: slope takes how much of the curve's end to look at. Try: slope(metrics.loss, last 10%)"),
    ('run.nme = x', 1, "column 1: runs have no field 'nme'. Did you mean 'name'?"),
    ('run.xyzzy = x', 1, "column 1: runs have no field 'xyzzy'. Try: quotes around it to find text"),
    ('git.comit = x', 1, "column 1: git has no field 'comit'. Did you mean 'commit'? It has: commit, branch, dirty, remote, how, subject"),
    ('foo."bar" = 3', 1, "column 1: no kind of name begins with 'foo.'. Try: `foo.bar`"),
    ('metrics. = 3', 1, "column 1: a name is missing after 'metrics.'"),
    ('"" = 3', 1, 'column 1: a name is missing between the quotes'),
    ("''", 1, 'column 1: an empty text would find everything. Try: note is not null'),
    ('tag:', 5, "column 5: a value is missing after 'tag:'. Try: tag:baseline"),
    (':x', 1, "column 1: a name is missing before ':'. Try: tag:baseline, or quotes to find ':x'"),
    ('- x', 1, "column 1: a '-' stands right before what it negates. Try: -tag:debug"),
    ('3 = 4', 1, "column 1: '3' is a value, and a name must stand here. Try: 3 < metrics.loss"),
    ("'val loss' < 3", 1, 'column 1: \'val loss\' is a value, and a name must stand here. Try: "val loss" for the name'),
    ('lr, name', 3, "column 3: a ',' stands only in lists. Try: status in ('finished', 'running')"),
    ('nan(val/loss) = 3', 15, 'column 15: nan(...) is true or false, and compares with nothing'),
    ('lr > nan(val/loss)', 6, 'column 6: nan(...) is true or false, and no value'),
    ("like 'x'", 1, "column 1: something is missing before 'like'. Try: metrics.loss < 0.3"),
    ('3 = and', 1, "column 1: '3' is a value, and a name must stand here. Try: 3 < metrics.loss"),
    ('lr = and', 6, "column 6: a value is missing after '='. Try: lr = 0.3"),
    ('lr like', 8, "column 8: a value is missing after 'like'. Try: lr like 'res%'"),
    ('lr between', 11, "column 11: a value is missing after 'between'. Try: lr between 0.001 and 0.1"),
    ('lr between 1 and', 17, "column 17: a value is missing after 'and'. Try: lr between 0.001 and 0.1"),
    ('name ~', 7, "column 7: a value is missing after '~'. Try: name ~ '^res'"),
    ('lr in (1', 7, "column 7: this '(' is never closed"),
    ('(lr = 3 , 4)', 9, "column 9: ',' cannot stand here. Try: and, or, or a ')'"),
    ("status = 'x' in", 14, "column 14: something is missing before 'in'. Try: metrics.loss < 0.3"),
    ('tags."a" at min(acc) > 3', 1, "column 1: 'at' needs a metric on its left. Try: metrics.acc at min(metrics.val/loss)"),
    ('is null', 1, "column 1: something is missing before 'is'. Try: metrics.loss < 0.3"),
    ('a = 3 = 4', 7, 'column 7: comparisons do not chain. Try: lr between 0.001 and 0.1'),
    ('slope(params.lr) > 3', 7, "column 7: slope(...) needs a metric, got 'params.lr'. Try: slope(metrics.loss)"),
    ('slope(val/loss, first 10%) > 3', 1, "column 1: slope takes how much of the curve's end to look at. Try: slope(metrics.loss, last 10%)"),
    ("'a' in (3)", 1, 'column 1: \'a\' is a value, and a name must stand here. Try: "a" for the name'),
    ('min(3)', 1, 'column 1: a comparison is missing after min(metrics.3). Try: min(metrics.3) is not null, or quotes to find text'),
    ('nan() ', 5, 'column 5: nan(...) needs a metric. Try: nan(metrics.loss)'),
    ("min(')", 5, "column 5: the quote ' is never closed. Try: ')'"),
    ('run. = 3', 1, "column 1: a name is missing after 'run.'"),
    ('metrics."" = 3', 1, "column 1: a name is missing after 'metrics.'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "column", "message"), MISTAKES)
def test_every_mistake_is_told_with_its_place_and_what_to_type(text: str, column: int, message: str) -> None:
    with pytest.raises(FilterError) as raised:
        parse(text)

    assert raised.value.message == message
    assert raised.value.column == column
    assert raised.value.caret == f"  {text}\n  {' ' * (column - 1)}^"


def test_deep_nesting_is_a_mistake_and_no_crash() -> None:
    for text in ("(" * 10_000, "not " * 4_000, "-" * 10_000 + "a"):
        with pytest.raises(FilterError, match=f"more than {MAX_DEPTH} parentheses and negations"):
            parse(text)

    assert parse("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH) == Filter(Word("a"))


def test_too_many_conditions_are_a_mistake() -> None:
    with pytest.raises(FilterError, match=f"may have {MAX_TERMS} conditions"):
        parse("a " * (MAX_TERMS + 1))


def test_a_parsed_filter_remembers_what_was_typed() -> None:
    assert parse("a  b").text == "a  b"
    assert render(parse("a  b")) == "'a' and 'b'"


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("", ""),
        ("lr>=1e-3 tag:baseline", "lr >= 1e-3 and tag:'baseline'"),
        ("metrics.`val loss`==1", "metrics.`val loss` = 1"),
        ("params.status:x", "params.status:'x'"),
        ("run.root:x", "run.root:'x'"),
        ("`min` = 'and'", "`min` = 'and'"),
        ("name = params.x", "name = params.x"),
        ("name = 'params.x'", "name = 'params.x'"),
        ("not not in_ in (1,'b c')", "not not in_ in (1, 'b c')"),
        ("a ilike 'x' or (b not like y and -c)", "a ilike 'x' or b not like 'y' and not 'c'"),
        ("(a or b) c", "('a' or 'b') and 'c'"),
        ("a !~ x", "a !~ 'x'"),
        ("slope(a, last 12.5%) > 0", "slope(metrics.a, last 12.5%) > 0"),
    ],
)
def test_a_filter_is_rendered_in_its_usual_spelling(text: str, spelling: str) -> None:
    assert render(parse(text)) == spelling


@pytest.mark.parametrize(("value", "text"), [("adam", "adam"), ("1e-3", "1e-3"), ("a b", "'a b'"), ("", "''"), ("it's", "'it''s'"), ("null", "'null'"), ("metrics.x", "'metrics.x'")])  # fmt: skip
def test_a_value_is_quoted_only_where_it_must_be(value: str, text: str) -> None:
    assert quote_text(value) == text
    assert parse(f"lr = {text}") == Filter(Compare(LR, "=", Literal(value)))


# ---------------------------------------------------------------- laws

names = st.text(min_size=1, max_size=12)
words = st.text(alphabet=st.sampled_from("abcXYZ019_/-.[]{}@%#|&*+?;"), min_size=1, max_size=8)
metrics = st.builds(Ref, st.just("metric"), names)
refs = st.one_of(
    st.builds(Ref, st.sampled_from(["param", "metric", "tag", "data", "env"]), names),
    st.builds(Ref, st.just("bare"), names),
    st.sampled_from([NAME, STATUS, TAG, Ref("field", "root"), Ref("git", "commit")]),
)
aggregates = st.builds(Aggregate, st.sampled_from(AGGREGATES), metrics)
operands = st.one_of(
    refs,
    aggregates,
    st.builds(ValueAt, metrics, st.sampled_from(EXTREMES), metrics),
    st.builds(StepOf, st.sampled_from(EXTREMES), metrics),
    st.builds(Slope, metrics, st.floats(1e-3, 100)),
)
literals = st.builds(Literal, st.text(max_size=12))
rights = st.one_of(literals, aggregates, metrics, st.builds(Ref, st.sampled_from(["param", "bare"]), names))
short_names = words.filter(lambda name: name[0] not in "-!" and name.partition(".")[0].lower() not in PREFIXES)
leaves = st.one_of(
    st.builds(Compare, operands, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), rights),
    st.builds(OneOf, operands, st.lists(literals, min_size=1, max_size=3).map(tuple), st.booleans()),
    st.builds(Between, operands, literals, literals, st.booleans()),
    st.builds(Matches, operands, st.sampled_from(["like", "ilike", "regex"]), literals, st.booleans()),
    st.builds(IsNull, operands, st.booleans()),
    st.builds(Curve, st.sampled_from(CURVES), metrics),
    st.builds(Word, st.text(min_size=1, max_size=12)),
    st.builds(Has, st.builds(Ref, st.just("bare"), short_names), literals),
    st.builds(Has, st.sampled_from([NAME, TAG, Ref("field", "root"), Ref("git", "how")]), literals),
    st.builds(Has, st.builds(Ref, st.sampled_from(["metric", "env"]), words), literals),
)


def grown(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(Not, parts), st.builds(AllOf, several), st.builds(AnyOf, several))


trees: st.SearchStrategy[Node] = st.recursive(leaves, grown, max_leaves=6)


@given(trees)
@example(Compare(Ref("bare", "name"), "=", Ref("bare", "metrics.x")))
@example(AllOf((Compare(LR, "=", Literal("min")), AnyOf((Word("a"), Word("b"))))))
@example(Compare(Ref("bare", "step"), "=", Literal("-")))
@example(Compare(Ref("metric", "-1"), "=", Literal("inf")))
def test_parsing_what_was_rendered_gives_the_same_tree(tree: Node) -> None:
    text = render(Filter(tree))

    assert parse(text) == Filter(tree)


pieces = st.sampled_from(
    ["(", ")", ",", "=", "<", "!~", "~", "'", '"', "`", "-", "!", ":", ".", " ", "and", "or", "not", "in", "between",
     "like", "is", "null", "at", "step", "of", "min(", "nan(", "slope(", "last", "10%", "metrics.", "params.x", "run.",
     "git.", "tag", "name", "lr", "3", "-1e-3", "\x00", "\ud800", "é"]
)  # fmt: skip


@given(
    st.one_of(
        st.text(max_size=60), st.lists(pieces, max_size=25).map("".join), st.lists(pieces, max_size=25).map(" ".join)
    )
)
def test_no_text_fails_in_any_other_way(text: str) -> None:
    try:
        parsed = parse(text)
    except FilterError as error:
        assert 1 <= error.column <= len(text) + 1  # noqa: PT017 - most texts are mistakes, some are filters
    else:
        assert parse(render(parsed)) == parsed
