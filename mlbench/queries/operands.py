"""Reading the operands of the query language: names, aggregates, values of one metric where another is best."""

from __future__ import annotations

from mlbench.queries.fields import FIELDS, GIT, NOT_KEPT, field_name
from mlbench.queries.lexer import Kind, Token, read_tokens
from mlbench.queries.literals import number_of
from mlbench.queries.mistakes import FilterError, shown
from mlbench.queries.suggest import did_you_mean, nearest
from mlbench.queries.tree import (
    AGGREGATES,
    CURVES,
    DATA_SET,
    EXTREMES,
    PLAIN_FIELDS,
    PREFIXES,
    Aggregate,
    Curve,
    Literal,
    Operand,
    Ref,
    Slope,
    StepOf,
    ValueAt,
)

FUNCTIONS = (*AGGREGATES, *CURVES, "slope")


class Cursor:
    """A place among the tokens of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = read_tokens(text)
        self.index = 0
        self.depth = 0
        self.n_terms = 0

    def peek(self, ahead: int = 0) -> Token:
        return self.tokens[min(self.index + ahead, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.peek()
        self.index += 1
        return token

    def mistake(self, message: str, at: int) -> FilterError:
        return FilterError(message, self.text, at)

    def expect(self, kind: Kind, message: str) -> Token:
        """Take a token of this kind.

        Raises:
            FilterError: there is another one; the message is given.
        """
        if self.peek().kind is not kind:
            raise self.mistake(message, self.peek().at)
        return self.take()


def is_call(cursor: Cursor) -> bool:
    """Whether a function is called here: `min(` or any word with a parenthesis right behind it."""
    word, after = cursor.peek(), cursor.peek(1)
    if word.kind is not Kind.WORD or after.kind is not Kind.OPEN:
        return False
    return word.keyword in FUNCTIONS or (after.is_glued and word.keyword not in {"and", "or", "not", "in"})


def read_call(cursor: Cursor) -> Operand | Curve:
    """`min(metrics.loss)`, `nan(loss)`, `slope(loss, last 10%)`.

    Raises:
        FilterError: no such function, or its metric is missing.
    """
    word = cursor.take()
    how = word.keyword
    if how not in FUNCTIONS:
        hint = did_you_mean(how, FUNCTIONS) or " Try: min(metrics.loss), or quotes to find text"
        raise cursor.mistake(f"there is no function {shown(word.text)}.{hint}", word.at)
    metric = _read_metric(cursor, how)
    percent = _read_share(cursor, word.at) if how == "slope" else 100.0
    cursor.expect(Kind.CLOSE, f"a ')' is missing after {how}(... Try: {how}(metrics.loss)")
    if how == "slope":
        return Slope(metric, percent, word.at)
    return Curve(how, metric, word.at) if how in CURVES else Aggregate(how, metric, word.at)


def _read_metric(cursor: Cursor, how: str) -> Ref:
    cursor.take()  # the parenthesis
    token = cursor.peek()
    if token.kind not in {Kind.WORD, Kind.NAME}:
        raise cursor.mistake(f"{how}(...) needs a metric. Try: {how}(metrics.loss)", token.at)
    ref = read_ref(cursor, is_metric=True)
    if ref.kind != "metric":
        raise cursor.mistake(f"{how}(...) needs a metric, got {shown(token.text)}. Try: {how}(metrics.loss)", token.at)
    return ref


def _read_share(cursor: Cursor, at: int) -> float:
    if cursor.peek().kind is not Kind.COMMA:
        return 100.0
    cursor.take()
    last, share = cursor.take(), cursor.take()
    percent = number_of(share.text[:-1]) if share.text.endswith("%") else None
    if last.keyword != "last" or percent is None or not 0 < percent <= 100:
        raise cursor.mistake(
            "slope takes how much of the curve's end to look at. Try: slope(metrics.loss, last 10%)", at
        )
    return percent


def read_ref(cursor: Cursor, *, is_metric: bool = False) -> Ref:
    """A name: `metrics.val/loss`, ``params."lr"``, `lr`, `` `val loss` ``.

    Args:
        cursor: stands on a WORD or NAME.
        is_metric: a name without prefix is a metric's.

    Raises:
        FilterError: the name is missing, or no such field.
    """
    token = cursor.take()
    quoted = cursor.peek()
    if token.kind is Kind.WORD and token.text.endswith(".") and quoted.kind is Kind.NAME and quoted.is_glued:
        cursor.take()
        prefix = token.text[:-1]
        if prefix.lower() not in PREFIXES:
            raise cursor.mistake(_unknown_prefix(prefix, quoted.text), token.at)
        return _prefixed(cursor, prefix, quoted.text, token.at)
    return ref_of(cursor, token, is_metric=is_metric)


def ref_of(cursor: Cursor, token: Token, *, is_metric: bool = False) -> Ref:
    """What one token names."""
    if not token.text:
        raise cursor.mistake("a name is missing between the quotes", token.at)
    prefix, dot, name = token.text.partition(".")
    if token.kind is Kind.WORD and dot and _is_prefix(prefix, name):
        return _prefixed(cursor, prefix, name, token.at)
    if is_metric:
        return Ref("metric", token.text, token.at)
    if token.kind is Kind.WORD and token.keyword in PLAIN_FIELDS:
        return Ref("field", PLAIN_FIELDS[token.keyword], token.at)
    return Ref("bare", token.text, token.at)


def _is_prefix(prefix: str, name: str) -> bool:
    """Whether a word before a dot says the kind of the name behind it; configurations hold `dataset.path` as well."""
    kind = PREFIXES.get(prefix.lower())
    return kind is not None and (kind != "dataset" or name in DATA_SET)


def _unknown_prefix(prefix: str, name: str) -> str:
    near = nearest(prefix, ("metrics", "params", "tags", "attributes", "run", "git", "data", "env"))
    hint = f"{near}.`{name}`" if near else f"`{prefix}.{name}`"
    return f"no kind of name begins with {shown(prefix + '.')}. Try: {hint}"


def _prefixed(cursor: Cursor, prefix: str, name: str, at: int) -> Ref:
    kind = PREFIXES[prefix.lower()]
    if not name:
        raise cursor.mistake(f"a name is missing after '{prefix}.'", at)
    if kind == "field":
        known = field_name(name)
        if known is None and (why := NOT_KEPT.get((kind, name.lower()))):
            raise cursor.mistake(why, at)
        if known is None:
            hint = did_you_mean(name, FIELDS) or " Try: quotes around it to find text"
            raise cursor.mistake(f"runs have no field {shown(name)}.{hint}", at)
        return Ref("field", known, at)
    if kind == "git" and name not in GIT:
        raise cursor.mistake(f"git has no field {shown(name)}.{did_you_mean(name, GIT)} It has: {', '.join(GIT)}", at)
    return Ref(kind, name, at)


def read_operand(cursor: Cursor) -> Operand | Curve | Literal:
    """Anything that can stand on the left of a comparison. A text in single quotes is a Literal.

    Raises:
        FilterError: nothing of the kind stands here.
    """
    token = cursor.peek()
    if token.kind is Kind.TEXT:
        cursor.take()
        return Literal(token.text, token.at)
    if token.keyword == "step" and cursor.peek(1).keyword == "of":
        return _read_step(cursor)
    if is_call(cursor):
        return read_call(cursor)
    ref = read_ref(cursor)
    if cursor.peek().keyword == "at" and cursor.peek(1).keyword in AGGREGATES and cursor.peek(2).kind is Kind.OPEN:
        return _read_value_at(cursor, ref)
    if cursor.peek().keyword == "at" and cursor.peek(1).kind is Kind.WORD and cursor.peek(2).kind is Kind.SIGN:
        name = cursor.peek(1).text
        raise cursor.mistake(
            f"after 'at' comes where that is least or greatest. Try: at min({name})", cursor.peek(1).at
        )
    return ref


def _read_step(cursor: Cursor) -> StepOf:
    start = cursor.take()
    cursor.take()
    how, metric = _read_extreme(cursor, "step of ")
    return StepOf(how, metric, start.at)


def _read_value_at(cursor: Cursor, ref: Ref) -> ValueAt:
    if ref.kind not in {"metric", "bare"}:
        raise cursor.mistake("'at' needs a metric on its left. Try: metrics.acc at min(metrics.val/loss)", ref.at)
    cursor.take()
    how, by = _read_extreme(cursor, "metrics.acc at ")
    return ValueAt(Ref("metric", ref.name, ref.at), how, by, ref.at)


def _read_extreme(cursor: Cursor, before: str) -> tuple[str, Ref]:
    at = cursor.peek().at
    call = read_call(cursor) if is_call(cursor) else None
    if not isinstance(call, Aggregate) or call.how not in EXTREMES:
        raise cursor.mistake(f"min(...), max(...) or best(...) must stand here. Try: {before}min(metrics.val/loss)", at)
    return call.how, call.metric
