"""What may be typed next in a filter or a column specification: names, values of the name that is compared, keywords.

One function for the shell and for the workbench. It reads what stands before the cursor as the parser does, finds out
what may come there, and asks a `Known` for names and values that fit: the catalog (queries/known.py), or what the
workbench holds in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from mlbench.dataclass import dataclass
from mlbench.queries.fields import FIELDS, GIT, STATUSES, field_name
from mlbench.queries.lexer import Kind, Token, read_tokens
from mlbench.queries.mistakes import FilterError
from mlbench.queries.tree import (
    AGGREGATES,
    CURVES,
    DATA_SET,
    EXTREMES,
    PLAIN_FIELDS,
    PREFIXES,
    Ref,
    quote_name,
    quote_text,
)

MOST = 50
"""Candidates at most: more is a list to read, and not a hint."""
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "in (", "between", "like", "~", "is null", "is not null")
JOINING = ("and", "or")
TIMES = ("today", "yesterday", "'2 days ago'", "'last week'", "'this month'", "'3 hours ago'")
DURATIONS = ("90s", "15m", "1h", "2d")
_FUNCTIONS = (*(f"{name}(" for name in (*AGGREGATES, *CURVES, "slope")), "step of")
_ORDERS = ("desc", "asc")
_KINDS = ("param", "metric", "tag")
"""What a bare name is looked up as, in this order, where it is no field."""
_COMPARING = frozenset({"like", "ilike", "between"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that may stand at the cursor."""

    text: str
    """As it is to be typed, quotes included."""
    kind: str
    """field, param, metric, tag, data, env, git, value, function, operator or keyword."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What may stand from `start` to `end` of the text, the likeliest first."""

    start: int
    end: int
    candidates: tuple[Candidate, ...] = ()


class Known(Protocol):
    """Names and values to choose from. What is typed may stand anywhere in them; the best ones come first."""

    def names(self, kind: str, typed: str, most: int) -> Sequence[str]:
        """Names of a kind: param, metric, tag, data or env."""

    def values(self, ref: Ref, typed: str, most: int) -> Sequence[str]:
        """Values of a parameter, a tag, a field, ... (never of a bare name), the most frequent first."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The word at the cursor, and what stands before it."""

    start: int
    typed: str
    """Without its quote."""
    quote: str
    before: tuple[Token, ...]

    def back(self, n: int) -> Token:
        """The n-th token before the word, 1 for the last; an END where there is none."""
        return self.before[-n] if len(self.before) >= n else Token(Kind.END, "", 0)


def complete_filter(text: str, cursor: int, known: Known, *, most: int = MOST, is_prefix: bool = False) -> Completion:
    """Candidates for the word at the cursor of a filter.

    Args:
        text: the filter so far.
        cursor: 0-based place; what stands behind it is left alone.
        known: names and values.
        most: candidates at most.
        is_prefix: only what begins with the letters that stand there, as shells need it; else the letters may stand
            anywhere in a name.
    """
    place = _place_of(text[:cursor])
    if place is None:
        return Completion(cursor, cursor)
    found = _Asking(place, known, most, is_prefix).candidates()
    written = text[place.start : cursor]
    kept: dict[str, Candidate] = {}
    for one in found:
        if one.text != written and (not is_prefix or one.text.startswith(written)):
            kept.setdefault(one.text, one)
    return Completion(place.start, cursor, tuple(kept.values())[:most])


def complete_column(text: str, cursor: int, known: Known, *, most: int = MOST, is_prefix: bool = False) -> Completion:
    """Candidates for a column specification, of several with commas between them, or for a sort key."""
    start = text.rfind(",", 0, cursor) + 1
    start += len(text[start:cursor]) - len(text[start:cursor].lstrip())
    spec, colon, order = text[start:cursor].rpartition(":")
    if colon and spec and any(word.startswith(order.lower()) for word in _ORDERS):
        fitting = tuple(Candidate(word, "keyword") for word in _ORDERS if word.startswith(order.lower()))
        return Completion(cursor - len(order), cursor, fitting)
    found = complete_filter(text[start:cursor], cursor - start, known, most=most, is_prefix=is_prefix)
    kept = tuple(one for one in found.candidates if one.kind != "keyword" and one.text.rstrip("(") not in CURVES)
    return Completion(start + found.start, cursor, kept)


def _place_of(text: str) -> _Place | None:
    """The word at the end of a text; None where the text before it is no beginning of a filter."""
    try:
        tokens = read_tokens(text)[:-1]
    except FilterError as error:
        return _quoted_place(text, error.column - 1)
    if not tokens or text[-1].isspace():
        return _Place(len(text), "", "", tuple(tokens))
    last = tokens[-1]
    if last.quote:
        return None  # the cursor stands right behind a closed quote
    if last.kind is not Kind.WORD:
        return _Place(len(text), "", "", tuple(tokens))
    return _Place(last.at, last.text, "", tuple(tokens[:-1]))


def _quoted_place(text: str, at: int) -> _Place | None:
    quote = text[at : at + 1]
    if quote not in ("'", '"', "`"):
        return None
    try:
        tokens = read_tokens(text[:at])[:-1]
    except FilterError:
        return None
    typed = text[at + 1 :].replace(quote * 2, quote)
    glued = tokens[-1] if tokens and not text[at - 1].isspace() else None
    if glued is not None and glued.kind is Kind.WORD and glued.text[-1:] in ".:":
        return _Place(glued.at, glued.text + typed, quote, tuple(tokens[:-1]))  # metrics.`val lo, tag:'needs wo
    return _Place(at, typed, quote, tuple(tokens))


class _Asking:
    """One question: which candidates fit a place."""

    def __init__(self, place: _Place, known: Known, most: int, is_prefix: bool) -> None:
        self._place = place
        self._known = known
        self._most = most
        self._is_prefix = is_prefix

    def candidates(self) -> list[Candidate]:
        place = self._place
        compared = _compared(place)
        if compared is not None:
            return self._values(compared, place.typed)
        before, two_before = place.back(1), place.back(2)
        if before.kind is Kind.OPEN and two_before.keyword in (*AGGREGATES, *CURVES, "slope"):
            prefix, dot, name = place.typed.partition(".")
            if dot and PREFIXES.get(prefix.lower()) == "metric":
                return self._named(("metric",), name, "", spelled=f"{prefix}.")
            return self._named(("metric",), place.typed, "")
        if before.keyword == "at" or (before.keyword == "of" and two_before.keyword == "step"):
            return self._listed([f"{name}(" for name in EXTREMES], "function")
        if before.keyword == "is" or (before.keyword == "not" and two_before.keyword == "is"):
            return self._listed(["null"] if before.keyword == "not" else ["null", "not null"], "keyword")
        if _ends_operand(place):
            operators = self._listed(OPERATORS, "operator")
            return [*operators, *self._begin()] if place.typed else operators
        return self._begin()

    def _begin(self) -> list[Candidate]:
        """A new condition, or the word between two."""
        place = self._place
        typed = place.typed
        minus = "-" if typed.startswith("-") and not place.quote else ""
        name, colon, value = typed.removeprefix(minus).partition(":")
        if colon and name and place.quote in ("", "'"):
            written = f"{minus}{name}:"
            if shown := self._values(_ref_of(name), value):
                return [Candidate(written + one.text, one.kind) for one in shown]
        joining = () if _may_begin_only(place) else JOINING
        if not typed:
            return self._listed(joining, "keyword") or self._fields("", "")
        return [
            *self._listed(joining, "keyword"),
            *self._names(typed.removeprefix(minus), minus),
            *(self._listed([*_FUNCTIONS, "not"], "function") if not place.quote else []),
        ]

    # ------------------------------------------------------------ names

    def _names(self, typed: str, lead: str) -> list[Candidate]:
        prefix, dot, rest = typed.partition(".")
        kind = PREFIXES.get(prefix.lower()) if dot else None
        if kind is None:
            fields = [] if self._place.quote else self._fields(typed, lead)
            return [*fields, *self._named(_KINDS, typed, lead), *self._prefixes(typed, lead)]
        spelled = f"{lead}{typed[: len(prefix) + 1]}"
        fixed = {"field": tuple(FIELDS), "git": tuple(GIT), "dataset": DATA_SET}
        if kind in fixed:
            fitting = [name for name in fixed[kind] if name.startswith(rest.lower())]
            return [Candidate(spelled + name, kind) for name in fitting]
        return self._named((kind,), rest, lead, spelled=spelled)

    def _fields(self, typed: str, lead: str) -> list[Candidate]:
        lower = typed.lower()
        own = [name for name in dict.fromkeys(PLAIN_FIELDS.values()) if name.startswith(lower)]
        # MLflow's spellings only where no other fits: one name of a thing is enough.
        listed = own or [name for name in PLAIN_FIELDS if name.startswith(lower)]
        return [Candidate(lead + name, "field") for name in listed]

    def _prefixes(self, typed: str, lead: str) -> list[Candidate]:
        words = ("params.", "metrics.", "tags.", "run.", "git.", "data.", "env.")
        return [Candidate(lead + word, "keyword") for word in words if typed and word.startswith(typed.lower())]

    def _named(self, kinds: Iterable[str], typed: str, lead: str, *, spelled: str = "") -> list[Candidate]:
        """Names of kinds as a filter takes them: with the prefix that was typed, or else the usual one."""
        if not typed and not spelled and len(tuple(kinds)) > 1:
            return []
        return [
            Candidate(self._spelled(kind, name, lead, spelled), kind)
            for kind in kinds
            for name in self._known.names(kind, typed, self._most)
        ]

    def _spelled(self, kind: str, name: str, lead: str, spelled: str) -> str:
        usual = quote_name(kind, name)
        if spelled:
            return spelled + self._requoted(usual.partition(".")[2], name)
        if self._is_prefix:  # what begins with the letters is the bare name
            return lead + self._requoted(quote_name("bare", name), name)
        return lead + usual

    def _requoted(self, text: str, name: str) -> str:
        """In the kind of quotes that was opened."""
        quote = self._place.quote
        return quote + name.replace(quote, quote * 2) + quote if quote in ("`", '"') and quote else text

    # ------------------------------------------------------------ values and words

    def _values(self, ref: Ref, typed: str) -> list[Candidate]:
        kind = _kind_of(ref)
        if kind in _FIXED:
            return self._listed(_FIXED[kind], "value", typed)
        found = list(self._known.values(ref, typed, self._most)) if ref.kind != "bare" else []
        for bare in _KINDS if ref.kind == "bare" else ():
            if ref.name in self._known.names(bare, ref.name, self._most):
                found = list(self._known.values(Ref(bare, ref.name), typed, self._most))
                break
        return [Candidate(self._valued(value), "value") for value in found]

    def _valued(self, value: str) -> str:
        quote = self._place.quote
        return quote + value.replace(quote, quote * 2) + quote if quote else quote_text(value)

    def _listed(self, words: Sequence[str], kind: str, typed: str | None = None) -> list[Candidate]:
        wanted = (self._place.typed if typed is None else typed).lower().removeprefix("-")
        lead = "-" if self._place.typed.startswith("-") and kind == "function" else ""
        return [Candidate(lead + word, kind) for word in words if word.strip("'").startswith(wanted)]


_FIXED: dict[str, Sequence[str]] = {
    "status": [quote_text(status) for status in STATUSES[:-1]],
    "bool": ("true", "false"),
    "time": TIMES,
    "duration": DURATIONS,
}


def _kind_of(ref: Ref) -> str:
    table = FIELDS if ref.kind == "field" else GIT if ref.kind == "git" else {}
    return table[ref.name].kind if ref.name in table else ""


def _ref_of(text: str) -> Ref:
    """What a word before a sign names; anything else is a bare name."""
    prefix, dot, name = text.partition(".")
    kind = PREFIXES.get(prefix.lower()) if dot else None
    if kind == "field":
        return Ref("field", field_name(name) or name)
    if kind is not None and (kind != "dataset" or name in DATA_SET):
        return Ref(kind, name)
    if text.lower() in PLAIN_FIELDS:
        return Ref("field", PLAIN_FIELDS[text.lower()])
    return Ref("bare", text)


# ---------------------------------------------------------------- where the cursor is


def _compared(place: _Place) -> Ref | None:
    """The name whose value stands at the cursor; None where none does."""
    index = _sign_index(place.before)
    if index is None or index == 0:
        return None
    named = place.before[index - 1]
    if named.keyword == "not" and index > 1:
        index -= 1
        named = place.before[index - 1]
    if named.kind is Kind.NAME:
        before = place.before[index - 2] if index > 1 else None
        if named.is_glued and before is not None and before.text.endswith("."):
            return _ref_of(before.text + named.text)
        return Ref("bare", named.text)
    return _ref_of(named.text) if named.kind is Kind.WORD else Ref("metric", "")


def _sign_index(tokens: Sequence[Token]) -> int | None:
    """Index of the sign, `like`, `between` or `in` for whose value the cursor stands."""
    last = len(tokens) - 1
    if last < 0:
        return None
    if tokens[last].kind is Kind.SIGN or tokens[last].keyword in _COMPARING:
        return last
    if tokens[last].keyword == "and" and last > 1 and tokens[last - 2].keyword == "between":
        return last - 2
    if tokens[last].kind in (Kind.COMMA, Kind.OPEN):
        while last > 0 and tokens[last].kind is not Kind.OPEN:
            last -= 1
        if last > 0 and tokens[last - 1].keyword == "in":
            return last - 1
    return None


def _ends_operand(place: _Place) -> bool:
    """Whether a name, or a function of a metric, stands right before the word, and no sign before it."""
    before, two = place.back(1), place.back(2)
    if before.kind is Kind.NAME:
        return True
    if before.kind is Kind.CLOSE:
        return _called(place) in (*AGGREGATES, "slope")
    is_word = before.kind is Kind.WORD and before.keyword not in {"and", "or", "not", "null", "-"}
    is_value = two.kind is Kind.SIGN or two.keyword in _COMPARING or ":" in before.text
    return is_word and not is_value and not (two.keyword == "and" and place.back(4).keyword == "between")


def _called(place: _Place) -> str:
    """The function whose parenthesis was closed last."""
    for index in range(len(place.before) - 1, 0, -1):
        if place.before[index].kind is Kind.OPEN:
            return place.before[index - 1].keyword
    return ""


def _may_begin_only(place: _Place) -> bool:
    """Whether only a condition may come: at the beginning, behind and, or, not and a parenthesis."""
    before = place.back(1)
    return before.kind in (Kind.END, Kind.OPEN) or before.keyword in {"and", "or", "not", "-"}
