"""Comparisons as SQL, by the kind of what stands on the left. Every condition is false where a value is missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from mlbench.queries.bind import Bound
from mlbench.queries.fields import STATUSES
from mlbench.queries.fragment import FALSE, Sql, bindable, joined
from mlbench.queries.literals import EARLIEST_MS, moment_of, number_of, seconds_of, truth_of, version_of
from mlbench.queries.mistakes import FilterError, shown
from mlbench.queries.reading import Reader
from mlbench.queries.suggest import did_you_mean
from mlbench.queries.tree import Literal
from mlbench.queries.vocabulary import PACKAGE

_Ordered = TypeVar("_Ordered", str, tuple[int, ...])
_EXACT = 2**53
"""Integers beyond are not told apart as doubles: they compare as text."""
SETS = {
    "tag": "SELECT run_id FROM tags WHERE value = '' AND ",
    "note": "SELECT run_id FROM notes WHERE ",
}
"""Fields of which a run has any number: a condition holds if it holds for one of them."""
_SET_COLUMN = {"tag": "tag", "note": "body"}


class Comparing:
    """Writes comparisons; holds what they need: the catalog's clock and environments, and the text for carets.

    Args:
        reader: the catalog.
        text: what was typed.
        remarks: what is to be said beside the answer is added here.
    """

    def __init__(self, reader: Reader, text: str, remarks: dict[str, None]) -> None:
        self._reader = reader
        self._text = text
        self._remarks = remarks

    def with_literal(self, left: Bound, sign: str, literal: Literal) -> Sql:
        """`left sign literal`; the sign is one of = < <= > >= (see `negated` for !=).

        Raises:
            FilterError: the value is none of what the left side can be.
        """
        write: dict[str, Callable[[Bound, str, Literal], Sql]] = {
            "number": self._number, "duration": self._number, "mixed": _mixed, "param": self._param,
            "status": self._status, "time": self._time, "bool": self._bool, "version": self._version, "commit": _commit,
        }  # fmt: skip
        if left.kind in SETS:
            return in_set(left.kind, f"{_SET_COLUMN[left.kind]} {sign} ?", literal.text)
        return write.get(left.kind, _text_only)(left, sign, literal)

    def with_operand(self, left: Bound, sign: str, right: Bound, at: int) -> Sql:
        """`left sign right` for two columns: as numbers where both are, else as texts.

        Raises:
            FilterError: they can never be compared.
        """
        parts = []
        if left.kind in SETS or left.kind in {"time", "bool"}:
            raise self._mistake(f"{left.label} and {right.label} cannot be compared", at)
        if left.number and right.number:
            parts.append(Sql(_ieee(left.number, sign, right.number)))
        if left.text and right.text:
            texts = f"{left.text} {sign} {right.text}"
            both = [f"({side.number}) IS NULL AND " for side in (left, right) if side.number]
            parts.append(Sql("".join(both) + texts))
        if not parts:
            raise self._mistake(f"{left.label} and {right.label} cannot be compared", at)
        return joined("OR", parts)

    def matching(self, left: Bound, how: str, pattern: Literal) -> Sql:
        """`left like pattern`, `left ~ pattern`.

        Raises:
            FilterError: the left side has no text, or the regular expression is invalid.
        """
        if how == "regex":
            self._check_regex(pattern)
        if left.kind in SETS:
            return in_set(left.kind, pattern_sql(_SET_COLUMN[left.kind], how), pattern.text)
        if not left.text or left.kind in {"time", "bool"}:
            sign = "~" if how == "regex" else how
            raise self._mistake(
                f"'{sign}' needs a text, and {left.label} is none. Try: {example(left, '<')}", pattern.at
            )
        if left.kind == "status":
            return Sql(pattern_sql(f"lower({left.text})", how), (bindable(pattern.text.lower()),))
        found = Sql(pattern_sql(left.text, how), (bindable(pattern.text),))
        if left.kind == "param":  # `1e-3` as its source has it, or `0.001` as it is shown
            return joined("OR", [found, Sql(pattern_sql(left.raw, how), (bindable(pattern.text),))])
        return found

    def _check_regex(self, pattern: Literal) -> None:
        # From a column, since a constant pattern is compiled before TRY can catch it.
        sql = "SELECT TRY(regexp_matches('', pattern)) FROM (SELECT CAST(? AS VARCHAR) AS pattern) AS given"
        if self._reader.rows(sql, [bindable(pattern.text)])[0][0] is None:
            why = why_no_regex(pattern.text)
            letters = re.sub(r"[^\w /.-]+", "%", pattern.text[:40]).strip("%") or "res"
            hint = f"Try: like '%{letters}%'"
            raise self._mistake(f"{shown(pattern.text)} is no regular expression ({why}). {hint}", pattern.at)

    def _mistake(self, message: str, at: int) -> FilterError:
        return FilterError(message, self._text, at)

    # ------------------------------------------------------------ by kind

    def _number(self, left: Bound, sign: str, literal: Literal) -> Sql:
        value = seconds_of(literal.text) if left.kind == "duration" else number_of(literal.text)
        if value is None:
            raise self._mistake(self._no_number(left, sign, literal), literal.at)
        return Sql(_ieee(left.number, sign, "?"), (value,))

    def _no_number(self, left: Bound, sign: str, literal: Literal) -> str:
        if literal.text.strip().lower().lstrip("+-") == "nan":
            return f"nothing equals NaN. Try: nan({left.label})"
        what = "duration" if left.kind == "duration" else "number"
        return f"'{sign}' needs a {what}, got {shown(literal.text)}. Try: {example(left, sign)}"

    def _param(self, left: Bound, sign: str, literal: Literal) -> Sql:
        """A word is no bound for a parameter that is a number in every run that has it."""
        if sign != "=" and number_of(literal.text) is None and self._is_always_number(left.key):
            raise self._mistake(self._no_number(left, sign, literal), literal.at)
        return _mixed(left, sign, literal)

    def _is_always_number(self, key: str) -> bool:
        sql = "SELECT count(*), count(num) FROM params WHERE key = ? AND type <> 'null'"
        n_values, n_numbers = self._reader.rows(sql, (bindable(key),))[0]
        return bool(n_values == n_numbers > 0)

    def _status(self, left: Bound, sign: str, literal: Literal) -> Sql:
        status = literal.text.strip().lower()
        if sign == "=" and status not in STATUSES:
            hint = did_you_mean(status, STATUSES) or f" A status is one of: {', '.join(STATUSES[:-1])}"
            raise self._mistake(f"there is no status {shown(literal.text)}.{hint}", literal.at)
        return Sql(f"lower({left.text}) {sign} ?", (bindable(status),))

    def _bool(self, left: Bound, sign: str, literal: Literal) -> Sql:
        value = truth_of(literal.text)
        if value is None or sign != "=":
            raise self._mistake(f"{left.label} is true or false. Try: {left.label} = true", literal.at)
        return Sql(f"{left.text} = ?", (value,))

    def _time(self, left: Bound, sign: str, literal: Literal) -> Sql:
        """A day counts from its first moment for < > >=, as a whole for = and <=."""
        moment = moment_of(literal.text, self._now_s())
        if moment is None:
            raise self._mistake(self._no_moment(left, sign, literal), literal.at)
        self._remark_small(left, sign, literal)
        x = left.text
        if moment.start == moment.end or sign in {"<", ">="}:
            return Sql(f"{x} {sign} ?", (moment.start,))
        match sign:
            case "=":
                return Sql(f"{x} >= ? AND {x} < ?", (moment.start, moment.end))
            case ">":
                return Sql(f"{x} >= ?", (moment.start,))
            case _:
                return Sql(f"{x} < ?", (moment.end,))

    def _no_moment(self, left: Bound, sign: str, literal: Literal) -> str:
        return f"'{sign}' needs a date, got {shown(literal.text)}. Try: {example(left, sign)}"

    def _remark_small(self, left: Bound, sign: str, literal: Literal) -> None:
        """Epoch seconds are a valid moment, of January 1970, and hardly ever what was meant."""
        number = number_of(literal.text)
        if number is not None and 1e8 <= number < EARLIEST_MS:
            self._remarks[
                f"{literal.text} is in 1970 or soon after, since times are epoch milliseconds; "
                f"if seconds are meant: {left.label} {sign} {number * 1000:.0f}"
            ] = None

    def _now_s(self) -> float:
        return float(self._reader.rows("SELECT now_s FROM clock")[0][0])

    def _version(self, left: Bound, sign: str, literal: Literal) -> Sql:
        """Versions compare part by part (2.10 is after 2.9): the few values there are, compared here."""
        rows = self._reader.rows(
            "SELECT DISTINCT value FROM environment WHERE key IN (?, ?)",
            (bindable(PACKAGE + left.key), bindable(left.key)),
        )
        fitting = [value for (value,) in rows if value is not None and _version_holds(value, sign, literal.text)]
        return Sql(f"{left.text} IN (SELECT unnest(CAST(? AS VARCHAR[])))", (sorted(fitting),)) if fitting else FALSE


def _mixed(left: Bound, sign: str, literal: Literal) -> Sql:
    """As numbers where both sides are; else equal as texts, and in order only where neither is a number."""
    number, text = number_of(literal.text), bindable(literal.text)
    is_exact_text = number is not None and abs(number) > _EXACT and re.fullmatch(r"[+-]?\d+", literal.text.strip())
    if number is not None and not is_exact_text:
        return Sql(f"{left.number} {sign} ?", (number,))
    if sign != "=":
        return Sql(f"({left.number}) IS NULL AND {left.text} {sign} ?", (text,))
    parts = [Sql(f"{left.text} = ?", (text,))]
    if left.kind == "param":
        # A truth is one word in any case; an explicit null, a list or a text equals the spelling of its source.
        kind, _number, txt = left.value
        parts.append(Sql(f"{kind} = 'bool' AND {txt} = lower(?)", (text,)))
        parts.append(Sql(f"{left.raw} = ?", (text,)))
    return joined("OR", parts)


def _text_only(left: Bound, sign: str, literal: Literal) -> Sql:
    return Sql(f"{left.text} {sign} ?", (bindable(literal.text),))


def _commit(left: Bound, sign: str, literal: Literal) -> Sql:
    """A commit equals each of its beginnings of four characters or more."""
    text = bindable(literal.text.strip().lower())
    if sign != "=" or len(text) < 4:
        return _text_only(left, sign, literal)
    return Sql(f"substr(lower({left.text}), 1, ?) = ?", (len(text), text))


def _version_holds(value: str, sign: str, wanted: str) -> bool:
    if sign == "=" and value == wanted:
        return True
    mine, other = version_of(value), version_of(wanted)
    if mine is None or other is None:
        return sign != "=" and _holds(value, sign, wanted)
    return _holds(mine, sign, other)


def _holds(left: _Ordered, sign: str, right: _Ordered) -> bool:
    order = (left > right) - (left < right)
    return {"=": order == 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[sign]


def in_set(kind: str, condition: str, text: str) -> Sql:
    """The runs of which one tag or note fulfils a condition."""
    return Sql(f"r.id IN ({SETS[kind]}{condition})", (bindable(text),))


def why_no_regex(pattern: str) -> str:
    """What is wrong with a regular expression that RE2 refuses."""
    try:
        re.compile(pattern)
    except re.error as error:
        return f"{error.msg} at its character {error.pos + 1}" if error.pos is not None else error.msg
    except (OverflowError, RecursionError):
        return "it repeats too often"
    return "in RE2 there is no look-around, no back-reference and no repetition beyond 1000"


def pattern_sql(expression: str, how: str) -> str:
    """The condition that a text fits a pattern, which is to be bound; `how` is like, ilike or regex."""
    match how:
        case "regex":
            return f"regexp_matches({expression}, ?)"
        case "like":
            return f"{expression} LIKE ?"
        case _:
            return f"lower({expression}) LIKE lower(?)"


def _ieee(left: str, sign: str, right: str) -> str:
    """A comparison in which NaN is neither less nor greater than anything; SQL takes it for the greatest number."""
    if sign == "=":
        return f"{left} = {right} AND NOT isnan({left})"
    nan = left if sign in {">", ">="} else right
    return f"{left} {sign} {right}" if nan == "?" else f"{left} {sign} {right} AND NOT isnan({nan})"


def example(left: Bound, sign: str) -> str:
    """A comparison of this kind that is right."""
    value = {"number": "0.3", "duration": "2h", "time": "'2 days ago'", "bool": "true"}.get(left.kind, "0.3")
    return f"{left.label} {'=' if left.kind == 'bool' else sign} {value}"
