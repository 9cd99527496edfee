"""The words, names, texts and signs of the query language, each with its place."""

from __future__ import annotations

from enum import StrEnum

from mlbench.dataclass import dataclass
from mlbench.queries.mistakes import FilterError

MAX_LENGTH = 20_000
"""Characters of one filter: far more than anybody types, few enough to answer at once."""


class Kind(StrEnum):
    """What a token is."""

    WORD = "word"
    """Letters without quotes: a name, a number, a keyword."""
    NAME = "name"
    """Between backticks or double quotes."""
    TEXT = "text"
    """Between single quotes."""
    SIGN = "sign"
    """A comparison: = == != <> < <= > >= ~ !~."""
    OPEN = "open"
    CLOSE = "close"
    COMMA = "comma"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    text: str
    """Without quotes; a quote that was doubled stands once."""
    at: int
    """0-based place of its first character, the opening quote included."""
    is_glued: bool = False
    """Nothing stands between it and the token before."""
    quote: str = ""
    """The kind of quote, '' for none."""

    @property
    def keyword(self) -> str:
        """The lower-case text of a word, '' of everything else."""
        return self.text.lower() if self.kind is Kind.WORD else ""


_ENDS_WORD = frozenset("()<>=~,'\"`")
_SIGNS = ("==", "!=", "!~", "<>", "<=", ">=", "=", "<", ">", "~")
_PUNCTUATION = {"(": Kind.OPEN, ")": Kind.CLOSE, ",": Kind.COMMA}
_FOREIGN = {
    "=~": "~",
    "~=": "~",
    "=<": "<=",
    "=>": ">=",
    "><": "<>",
    "===": "=",
    "!==": "!=",
    "=!": "!=",
    "~~": "~",
    ">>": ">",
    "<<": "<",
}
"""Signs of other languages and slips, and what to write here."""


def read_tokens(text: str) -> list[Token]:
    """Cut a text into tokens; the last one is an END.

    Raises:
        FilterError: a quote is not closed, a sign is not one of ours, or the text is too long.
    """
    if len(text) > MAX_LENGTH:
        raise FilterError(f"a filter may have {MAX_LENGTH:,} characters, this one has {len(text):,}", text[:60], 0)
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        is_glued = at > 0 and not text[at - 1].isspace()
        token, at = _read_token(text, at, is_glued=is_glued)
        tokens.append(token)
    tokens.append(Token(Kind.END, "", len(text)))
    return tokens


def _read_token(text: str, at: int, *, is_glued: bool) -> tuple[Token, int]:
    char = text[at]
    if char in "'\"`":
        return _read_quoted(text, at, is_glued=is_glued)
    if char in _PUNCTUATION:
        return Token(_PUNCTUATION[char], char, at, is_glued), at + 1
    if sign := _sign_at(text, at):
        return Token(Kind.SIGN, sign, at, is_glued), at + len(sign)
    end = at + 1
    while end < len(text) and not _ends_word(text, end):
        end += 1
    return Token(Kind.WORD, text[at:end], at, is_glued), end


def _sign_at(text: str, at: int) -> str:
    for foreign, ours in _FOREIGN.items():
        if text.startswith(foreign, at):
            raise FilterError(f"there is no '{foreign}'. Try: {ours}", text, at)
    return next((sign for sign in _SIGNS if text.startswith(sign, at)), "")


def _ends_word(text: str, at: int) -> bool:
    char = text[at]
    return char.isspace() or char in _ENDS_WORD or (char == "!" and text.startswith(("!=", "!~"), at))


def _read_quoted(text: str, at: int, *, is_glued: bool) -> tuple[Token, int]:
    quote = text[at]
    end = text.find(quote, at + 1)
    while end >= 0 and text.startswith(quote, end + 1):
        end = text.find(quote, end + 2)
    if end < 0:
        raise FilterError(f"the quote {quote} is never closed. Try: {text[at:].rstrip()}{quote}", text, at)
    kind = Kind.TEXT if quote == "'" else Kind.NAME
    return Token(kind, text[at + 1 : end].replace(quote * 2, quote), at, is_glued, quote), end + 1
