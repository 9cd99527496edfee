"""The parser of the query language: text to tree, by recursive descent, one function for a rule.

The grammar is in docs/reference/query.md, and a test holds this module to it; why it is written by hand, and how its
mistakes are told, in docs/decisions/0015-a-parser-by-hand.md.
"""

from __future__ import annotations

from collections.abc import Callable

from mlbench.queries.fields import FIELDS, GIT
from mlbench.queries.lexer import Kind, Token
from mlbench.queries.literals import number_of
from mlbench.queries.mistakes import FilterError, shown
from mlbench.queries.operands import Cursor, is_call, read_call, read_operand, ref_of
from mlbench.queries.tree import (
    DATA_SET,
    PREFIXES,
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
    Operand,
    Ref,
    Word,
    operand_text,
    quote_text,
    render,
)

__all__ = ["Filter", "FilterError", "parse", "quote_text", "render"]

MAX_DEPTH = 50
"""Parentheses and negations inside each other."""
MAX_TERMS = 500
"""Conditions in one filter; more makes a statement that takes seconds to plan."""
_CONNECTORS = frozenset({"and", "or"})
_COMPARING = frozenset({"in", "between", "like", "ilike", "is"})
_FOREIGN = {"&&": "and", "&": "and", "||": "or", "|": "or"}
_SLIPS = {
    "adn": "and", "nad": "and", "annd": "and", "andd": "and", "nto": "not", "noot": "not", "betwen": "between",
    "bewteen": "between", "beetween": "between", "betwene": "between", "liek": "like", "lkie": "like",
}  # fmt: skip
"""Keywords as they slip from the fingers; each is far from any text that somebody looks for."""
_CLAUSES = {"group": "--group-by", "order": "--sort", "sort": "--sort"}
"""Words before `by` that belong beside the filter, and where."""
_FOREIGN_COMPARING = {
    "contains": "like '%{0}%'", "startswith": "like '{0}%'", "endswith": "like '%{0}'", "matches": "~ '{0}'",
    "equals": "= {0}",
}  # fmt: skip
_OPPOSITE = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}
_SPELLING = {"==": "=", "<>": "!="}


def parse(text: str) -> Filter:
    """Parse a filter. An empty text finds everything.

    Raises:
        FilterError: the text is no filter; nothing ever falls back to another meaning.
    """
    cursor = Cursor(text)
    if cursor.peek().kind is Kind.END:
        return Filter(Everything(), text)
    tree = _read_any(cursor)
    rest = cursor.peek()
    if rest.kind is Kind.CLOSE:
        raise cursor.mistake("this ')' closes nothing", rest.at)
    if rest.kind is Kind.SIGN:
        raise cursor.mistake("comparisons do not chain. Try: lr between 0.001 and 0.1", rest.at)
    if rest.kind is Kind.COMMA:
        raise cursor.mistake("a ',' stands only in lists. Try: status in ('finished', 'running')", rest.at)
    return Filter(tree, text)


def _read_any(cursor: Cursor) -> Node:
    parts = [_read_all(cursor)]
    while cursor.peek().keyword == "or":
        cursor.take()
        parts.append(_read_all(cursor))
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def _read_all(cursor: Cursor) -> Node:
    parts = [_read_not(cursor)]
    while True:
        token = cursor.peek()
        if token.keyword == "and":
            cursor.take()
        elif token.keyword == "or" or token.kind not in {Kind.WORD, Kind.NAME, Kind.TEXT, Kind.OPEN}:
            return parts[0] if len(parts) == 1 else AllOf(tuple(parts))
        parts.append(_read_not(cursor))


def _read_not(cursor: Cursor) -> Node:
    token = cursor.peek()
    if token.keyword == "not" or _splits_minus(cursor):
        return Not(_deeper(cursor, cursor.take().at, _read_not))
    return _read_term(cursor)


def _splits_minus(cursor: Cursor) -> bool:
    """Whether a minus that negates stands here; it is cut from the word that it leads."""
    token = cursor.peek()
    if not token.keyword.startswith("-"):
        return False
    if number_of(token.text) is not None and cursor.peek(1).kind is Kind.SIGN:
        return False
    rest = Token(Kind.WORD, token.text[1:], token.at + 1, is_glued=True)
    if rest.text:
        cursor.tokens[cursor.index : cursor.index + 1] = [Token(Kind.WORD, "-", token.at), rest]
    elif not cursor.peek(1).is_glued or cursor.peek(1).kind not in {Kind.OPEN, Kind.NAME, Kind.TEXT}:
        raise cursor.mistake("a '-' stands right before what it negates. Try: -tag:debug", token.at)
    return True


def _deeper(cursor: Cursor, at: int, read: Callable[[Cursor], Node]) -> Node:
    cursor.depth += 1
    if cursor.depth > MAX_DEPTH:
        raise cursor.mistake(f"more than {MAX_DEPTH} parentheses and negations stand inside each other", at)
    node = read(cursor)
    cursor.depth -= 1
    return node


def _read_term(cursor: Cursor) -> Node:
    token = cursor.peek()
    cursor.n_terms += 1
    if cursor.n_terms > MAX_TERMS:
        raise cursor.mistake(f"a filter may have {MAX_TERMS} conditions", token.at)
    if token.kind is Kind.OPEN:
        return _read_group(cursor)
    _check_begins_term(cursor, token)
    if ":" in token.keyword and not _is_comparing(cursor, 1):
        return _read_shorthand(cursor)
    left = _read_left(cursor)
    if isinstance(left, Curve):
        if _is_comparing(cursor):
            raise cursor.mistake(f"{left.how}(...) is true or false, and compares with nothing", cursor.peek().at)
        return left
    return _read_comparison(cursor, token, left) if _is_comparing(cursor) else _alone(cursor, token, left)


def _read_group(cursor: Cursor) -> Node:
    start = cursor.take()
    node = _deeper(cursor, start.at, _read_any)
    if cursor.peek().kind is Kind.END:
        raise cursor.mistake("this '(' is never closed", start.at)
    cursor.expect(Kind.CLOSE, f"{shown(cursor.peek().text)} cannot stand here. Try: and, or, or a ')'")
    return node


def _check_begins_term(cursor: Cursor, token: Token) -> None:
    if token.kind is Kind.END:
        before = cursor.tokens[cursor.index - 1].text
        raise cursor.mistake(f"something is missing after {shown(before)}. Try: metrics.loss < 0.3", token.at)
    if token.kind not in {Kind.WORD, Kind.NAME, Kind.TEXT} or token.keyword in _CONNECTORS | _COMPARING:
        raise cursor.mistake(f"something is missing before {shown(token.text)}. Try: metrics.loss < 0.3", token.at)
    if ours := _FOREIGN.get(token.keyword):
        raise cursor.mistake(f"there is no '{token.text}'. Try: {ours}", token.at)
    if token.keyword.startswith("!"):
        raise cursor.mistake("there is no '!'. Try: not", token.at)


def _is_comparing(cursor: Cursor, ahead: int = 0) -> bool:
    token = cursor.peek(ahead)
    if token.keyword == "not":
        return cursor.peek(ahead + 1).keyword in _COMPARING - {"is"}
    return token.kind is Kind.SIGN or token.keyword in _COMPARING


def _read_shorthand(cursor: Cursor) -> Has:
    """`tag:baseline`, `note:'two words'`, `lr:0.1`."""
    token = cursor.take()
    name, _colon, text = token.text.partition(":")
    value = Literal(text, token.at + len(name) + 1)
    if not name:
        raise cursor.mistake(
            f"a name is missing before ':'. Try: tag:baseline, or quotes to find {shown(token.text)}", token.at
        )
    if not text:
        after = cursor.peek()
        if not after.is_glued or after.kind not in {Kind.TEXT, Kind.NAME}:
            raise cursor.mistake(f"a value is missing after {shown(token.text)}. Try: {token.text}baseline", after.at)
        value = Literal(cursor.take().text, after.at)
    return Has(ref_of(cursor, Token(Kind.WORD, name, token.at)), value, token.at)


def _read_left(cursor: Cursor) -> Operand | Curve | Literal:
    token = cursor.peek()
    if number_of(token.keyword) is not None and cursor.peek(1).kind is Kind.SIGN:
        cursor.take()
        return Literal(token.text, token.at)
    return read_operand(cursor)


def _check_alone(cursor: Cursor, token: Token, left: Operand | Literal) -> None:
    """Refuse words that were meant as words of the language: they would find text, and nothing would be said."""
    after = cursor.peek()
    if ours := _SLIPS.get(token.keyword):
        raise cursor.mistake(f"there is no '{token.text}'. Try: {ours}, or quotes to find the text", token.at)
    if (option := _CLAUSES.get(token.keyword)) and after.keyword == "by":
        what = cursor.peek(1).text or "lr"
        message = (
            f"'{token.keyword} by' is no part of a filter. Try: {option} {what} beside it, or quotes to find the text"
        )
        raise cursor.mistake(message, token.at)
    if isinstance(left, Ref) and (ours := _FOREIGN_COMPARING.get(after.keyword)):
        example = f"{operand_text(left)} {ours.format(cursor.peek(1).text or 'res')}"
        raise cursor.mistake(f"there is no '{after.text}'. Try: {example}", after.at)


def _alone(cursor: Cursor, token: Token, left: Operand | Literal) -> Node:
    """A word without a comparison: it finds text, or says that a field with two values is true."""
    _check_alone(cursor, token, left)
    if isinstance(left, Ref) and _is_truth(left):
        return Compare(left, "=", Literal("true", token.at), token.at)
    if not token.text:
        raise cursor.mistake("an empty text would find everything. Try: note is not null", token.at)
    if isinstance(left, Literal) or (isinstance(left, Ref) and not _has_prefix(token)):
        return Word(token.text, token.at)
    name = operand_text(left)
    raise cursor.mistake(
        f"a comparison is missing after {name}. Try: {name} is not null, or quotes to find text", token.at
    )


def _has_prefix(token: Token) -> bool:
    prefix, dot, name = token.keyword.partition(".")
    return bool(dot) and prefix in PREFIXES and (PREFIXES[prefix] != "dataset" or name in DATA_SET)


def _is_truth(ref: Ref) -> bool:
    table = FIELDS if ref.kind == "field" else GIT if ref.kind == "git" else {}
    return ref.name in table and table[ref.name].kind == "bool"


# ---------------------------------------------------------------- comparisons


def _read_comparison(cursor: Cursor, start: Token, left: Operand | Literal) -> Node:
    sign = cursor.take()
    if isinstance(left, Literal):
        return _read_flipped(cursor, start, sign, left)
    is_negated = sign.keyword == "not"
    if is_negated:
        sign = cursor.take()
    match sign.keyword or sign.text:
        case "in":
            return OneOf(left, _read_list(cursor), is_negated, sign.at)
        case "between":
            return _read_between(cursor, left, sign.at, is_negated=is_negated)
        case "like" | "ilike" as how:
            return Matches(
                left, how, _read_literal(cursor, how, f"{operand_text(left)} {how} 'res%'"), is_negated, sign.at
            )
        case "is":
            return _read_is(cursor, left, sign)
        case "~" | "!~":
            pattern = _read_literal(cursor, sign.text, f"{operand_text(left)} {sign.text} '^res'")
            return Matches(left, "regex", pattern, sign.text == "!~", sign.at)
        case text:
            return Compare(left, _SPELLING.get(text, text), _read_right(cursor, left, sign), sign.at)


def _read_flipped(cursor: Cursor, start: Token, sign: Token, left: Literal) -> Node:
    """`0.3 > metrics.loss`: the name stands on the right."""
    text = _SPELLING.get(sign.text, sign.text)
    token, right = cursor.peek(), None
    is_name = token.kind is Kind.NAME or (token.kind is Kind.WORD and number_of(token.text) is None)
    if text in _OPPOSITE and is_name and token.keyword not in _CONNECTORS:
        right = read_operand(cursor)
    if right is None or isinstance(right, Literal | Curve):
        raise cursor.mistake(
            f"{shown(left.text)} is a value, and a name must stand here. Try: {_named(left)}", start.at
        )
    return Compare(right, _OPPOSITE[text], left, sign.at)


def _named(literal: Literal) -> str:
    return f'"{literal.text}" for the name' if number_of(literal.text) is None else f"{literal.text} < metrics.loss"


def _read_list(cursor: Cursor) -> tuple[Literal, ...]:
    if cursor.peek().keyword.startswith("["):
        raise cursor.mistake("a list stands in parentheses. Try: in (0.1, 0.2)", cursor.peek().at)
    start = cursor.expect(Kind.OPEN, "after 'in' comes a list. Try: in ('finished', 'running')")
    values = []
    while True:
        values.append(_read_literal(cursor, "in", "in ('finished', 'running')"))
        after = cursor.take()
        if after.kind is Kind.CLOSE:
            return tuple(values)
        if after.kind is Kind.END:
            raise cursor.mistake("this '(' is never closed", start.at)
        if after.kind is not Kind.COMMA:
            raise cursor.mistake(f"a ',' is missing before {shown(after.text)}", after.at)


def _read_between(cursor: Cursor, left: Operand, at: int, *, is_negated: bool) -> Between:
    low = _read_literal(cursor, "between", "lr between 0.001 and 0.1")
    if cursor.peek().keyword != "and":
        raise cursor.mistake("between needs two values. Try: lr between 0.001 and 0.1", cursor.peek().at)
    cursor.take()
    high = _read_literal(cursor, "and", "lr between 0.001 and 0.1")
    return Between(left, low, high, is_negated, at)


def _read_is(cursor: Cursor, left: Operand, sign: Token) -> IsNull:
    is_negated = cursor.peek().keyword == "not"
    if is_negated:
        cursor.take()
    if cursor.peek().keyword != "null":
        raise cursor.mistake("after 'is' comes 'null' or 'not null'. For a value try: =", sign.at)
    cursor.take()
    return IsNull(left, is_negated)


_EXAMPLES = {
    "status": "finished",
    "tag": "baseline",
    "started": "'2 days ago'",
    "ended": "'2 days ago'",
    "duration": "1h",
}
"""A value to try, for fields that a number says nothing of."""


def _read_right(cursor: Cursor, left: Operand, sign: Token) -> Operand | Literal:
    name = operand_text(left)
    if cursor.peek().keyword == "null":
        no = "not " if sign.text in {"!=", "<>"} else ""
        raise cursor.mistake(f"nothing compares with null. Try: {name} is {no}null", cursor.peek().at)
    if cursor.peek().kind is Kind.OPEN:
        raise cursor.mistake(f"a list goes with 'in'. Try: {name} in (1, 2)", cursor.peek().at)
    return _read_value(cursor, sign.text, f"{name} {sign.text} {_EXAMPLES.get(name.removeprefix('run.'), '0.3')}")


def _read_literal(cursor: Cursor, after: str, example: str) -> Literal:
    token = cursor.peek()
    if token.kind not in {Kind.WORD, Kind.TEXT, Kind.NAME} or token.keyword in _CONNECTORS:
        raise cursor.mistake(f"a value is missing after '{after}'. Try: {example}", token.at)
    cursor.take()
    return Literal(token.text, token.at)


def _read_value(cursor: Cursor, after: str, example: str) -> Operand | Literal:
    """What stands right of a sign: another metric or parameter, or a value."""
    token = cursor.peek()
    if is_call(cursor):
        call = read_call(cursor)
        if isinstance(call, Curve):
            raise cursor.mistake(f"{call.how}(...) is true or false, and no value", token.at)
        return call
    is_step = token.keyword == "step" and cursor.peek(1).keyword == "of"
    if token.quote == "`" or is_step or _begins_name(token):
        operand = read_operand(cursor)
        if not isinstance(operand, Curve):
            return operand
    return _read_literal(cursor, after, example)


def _begins_name(token: Token) -> bool:
    """`metrics.X` and `params.X` are names also on the right; `data.csv` there is a text."""
    return token.keyword.startswith(("metrics.", "metric.", "params.", "param."))
