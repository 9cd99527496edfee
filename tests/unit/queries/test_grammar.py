"""The published grammar and the parser are one: held both ways."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from mlbench.queries.fields import FIELDS, GIT
from mlbench.queries.filter import Filter, parse, render
from mlbench.queries.lexer import Kind, read_tokens
from mlbench.queries.literals import number_of
from mlbench.queries.tree import DATA_SET, PLAIN_FIELDS, PREFIXES, Node
from tests.docs.pages import DOCS, blocks
from tests.unit.queries.ebnf import is_sentence, read_grammar, sentence
from tests.unit.queries.test_filter import trees

PAGE = (DOCS / "reference" / "query.md").read_text(encoding="utf-8")
RULES = read_grammar(blocks(PAGE, "ebnf")[0])
KEYWORDS = frozenset(re.findall(r'"(\w+)"', blocks(PAGE, "ebnf")[0]))

TOKENS = {
    "MINUS": ["-"],
    "WORD": ["resnet", "lr", "val/loss", "v1.2", "x[0]", "é", "optim.lr", "50%", "?", "a-b"],
    "VALUE": ["adam", "-x", "data.csv", "1e-3", "null_", "2026-01-12", "50%", "a:b", "in"],
    "NUMBER": ["3", "-.5", "1e-3", "inf", "+7"],
    "TEXT": ["'a b'", "''''", "'and'", "'2 days ago'", "'('"],
    "QUOTED": ['"a b"', '"or"', '"""x"""'],
    "BACKTICKS": ["`a b`", "`not`", "````"],
    "METRIC": ["metrics.val/loss", "METRIC.x", 'metrics."a b"', "metrics.`(`", "metrics.a:b"],
    "PARAM": ["params.lr", "parameter.x", "params.`a b`"],
    "REFERENCE": ["params.lr", "tags.`a b`", "tag.x", "run.name", "attributes.start_time", "git.commit", "data.mnist",
                  "dataset.name", "env.torch"],
    "FIELD": ["status", "Name", "run_id", "tags", "started"],
    "TRUTH": ["archived", "git.dirty", "run.baseline"],
    "KEY": ["tag:", "lr:", "params.lr:", "note:"],
    "PERCENT": ["10%", "100%", ".5%"],
}  # fmt: skip


def joined(words: list[str]) -> str:
    """The words with a blank between them, but none behind what stands right before the next."""
    text = ""
    for word in words:
        text += word if word in TOKENS["MINUS"] or word in TOKENS["KEY"] else f"{word} "
    return text


def test_every_token_of_the_grammar_is_known() -> None:
    used = set(re.findall(r"\b[A-Z]+\b", blocks(PAGE, "ebnf")[0]))

    assert used == TOKENS.keys()
    assert all(f"`{token}`" in PAGE for token in used)


def test_every_rule_is_used() -> None:
    text = blocks(PAGE, "ebnf")[0]

    assert [name for name in RULES if len(re.findall(rf"\b{name}\b", text)) < 2] == ["filter"]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_the_grammar_makes_is_parsed(data: st.DataObject) -> None:
    def pick(n: int) -> int:
        return data.draw(st.integers(0, n - 1))

    words = sentence(RULES, "filter", lambda kind: TOKENS[kind][pick(len(TOKENS[kind]))], pick)
    text = joined(words)

    assert parse(render(parse(text))) == parse(text), text


@settings(max_examples=200, deadline=None)
@given(trees)
def test_what_is_printed_is_in_the_grammar(tree: Node) -> None:
    text = render(Filter(tree))

    assert is_sentence(RULES, "filter", tokens_of(text), fits), text


def test_what_is_no_filter_is_not_in_the_grammar() -> None:
    for text in ("and", "lr <", "lr = = 3", "min(lr", "lr in 3", "lr between 1", "lr is 3", "(lr", "a or", "not"):
        assert not is_sentence(RULES, "filter", tokens_of(text), fits), text


def tokens_of(text: str) -> tuple[str, ...]:
    """The lexer's tokens with their quotes; a prefix and its quoted name are one, a key ends with its colon."""
    found: list[str] = []
    for token in read_tokens(text)[:-1]:
        quoted = f"{token.quote}{token.text}{token.quote}"
        if token.is_glued and token.kind is Kind.NAME and found and found[-1].endswith("."):
            found[-1] += quoted
        elif token.kind is Kind.WORD and token.text.endswith(":") and len(token.text) > 1:
            found.append(token.text)
        else:
            found.append(quoted)
    return tuple(found)


def fits(kind: str, token: str) -> bool:
    is_quoted = token.startswith(("'", '"', "`"))
    prefix, dot, name = token.partition(".")
    known = PREFIXES.get(prefix.lower()) if dot and not is_quoted else None
    if known == "dataset" and name not in DATA_SET:
        known = None
    is_plain = not is_quoted and token not in {"(", ")", ","} and not set(token) & set("=<>~")
    return {
        "TEXT": token.startswith("'"),
        "QUOTED": token.startswith('"'),
        "BACKTICKS": token.startswith("`"),
        "METRIC": known == "metric",
        "PARAM": known == "param",
        "REFERENCE": known not in {None, "metric"},
        "NUMBER": number_of(token) is not None,
        "PERCENT": token.endswith("%") and number_of(token[:-1]) is not None,
        "FIELD": token.lower() in PLAIN_FIELDS,
        "TRUTH": is_truth(known, name or token),
        "KEY": token.endswith(":"),
        "MINUS": token == "-",
        "VALUE": is_plain and token.lower() not in {"and", "or"},
        "WORD": is_plain and token.lower() not in KEYWORDS and known is None and not token.startswith("-"),
    }[kind]


def is_truth(known: str | None, name: str) -> bool:
    table = GIT if known == "git" else FIELDS if known == "field" or name.lower() in PLAIN_FIELDS else {}
    return name in table and table[name].kind == "bool"
