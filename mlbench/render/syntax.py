"""Colours for code in a diff: keywords, texts, numbers and comments of one line at a time.

A lexer of our own, and not Pygments' (docs/decisions/0087): a hunk begins anywhere in a file, a line is a stranger's,
and one regular expression without nested repetition reads it in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlbench.dataclass import dataclass
from mlbench.render.cells import Cell, Line
from mlbench.safe import Safe, safe

MOST_CHARACTERS = 2000
"""Of a line that are coloured: no terminal is wider, and data in one line is no code."""


@dataclass(frozen=True, slots=True)
class Language:
    """What a language's words are."""

    keywords: frozenset[str]
    comment: str = "#"
    """What a comment begins with, as a regular expression."""
    has_keys: bool = False
    """A word before a colon or an equals sign at the beginning of a line is a key."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PYTHON = Language(_words(
    "False None True and as assert async await break case class continue def del elif else except finally for from "
    "global if import in is lambda match nonlocal not or pass raise return self try while with yield"
))  # fmt: skip
_C = Language(_words(
    "auto bool break case char class const constexpr continue default delete do double else enum export extends false "
    "final float fn for function if import in int interface let long match namespace new nullptr null private "
    "protected pub public return short size_t static struct switch template this throw true try type typename uint "
    "unsigned use using var void while __global__ __device__ __shared__"
), r"//|/\*")  # fmt: skip
_SHELL = Language(_words(
    "if then else elif fi for in do done while until case esac function return export local set unset source exit echo"
))  # fmt: skip
_DATA = Language(_words("true false null yes no on off none True False None"), "#|;", has_keys=True)
_BY_ENDING: Mapping[str, Language] = {
    **dict.fromkeys(("py", "pyi", "pyx", "ipynb", "bzl", "gin"), _PYTHON),
    **dict.fromkeys(("c", "cc", "cpp", "cu", "cuh", "h", "hpp", "java", "js", "jsx", "ts", "tsx", "go", "rs", "kt",
                     "swift", "scala", "cs"), _C),
    **dict.fromkeys(("sh", "bash", "zsh", "slurm", "sbatch", "mk"), _SHELL),
    **dict.fromkeys(("yaml", "yml", "toml", "ini", "cfg", "conf", "json", "jsonl", "properties", "lock", "dvc"), _DATA),
}  # fmt: skip
_BY_NAME: Mapping[str, Language] = {"Makefile": _SHELL, "Dockerfile": _SHELL, ".bashrc": _SHELL}


def language_of(path: str) -> Language | None:
    """The language of a file by its name; None where it is not known."""
    name = path.rpartition("/")[2]
    return _BY_NAME.get(name) or _BY_ENDING.get(name.rpartition(".")[2].lower())


_TOKENS: dict[str, re.Pattern[str]] = {}


def _tokens(language: Language) -> re.Pattern[str]:
    found = _TOKENS.get(language.comment)
    if found is None:
        found = _TOKENS[language.comment] = re.compile(
            rf"(?P<comment>(?:{language.comment}).*)"
            r"""|(?P<string>[rbfuRBFU]{0,2}(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|`[^`]*`?))"""
            r"|(?P<number>\b\d[\w.]*(?:(?<=[eE])[+-]\d+)?)"
            r"|(?P<word>[^\W\d]\w*)"
        )
    return found


def coloured_code(text: Safe, language: Language | None, *, role: str = "", back: str = "") -> Line:
    """A line of code as cells; without a language as one.

    Args:
        text: of the line, without the sign of a diff.
        language: of its file.
        role: of what is neither keyword, text, number nor comment.
        back: of the whole line.
    """
    if language is None or len(text) > MOST_CHARACTERS:
        return (Cell(text, role, back=back),)
    return tuple(Cell(safe(part), own or role, back=back) for part, own in _parts(text, language))


def _parts(text: str, language: Language) -> Iterator[tuple[str, str]]:
    """Pieces of the text with their roles, '' for none."""
    at = 0
    for match in _tokens(language).finditer(text):
        role = _role(match, text, language)
        if not role:
            continue
        if match.start() > at:
            yield text[at : match.start()], ""
        yield match[0], role
        at = match.end()
    if at < len(text):
        yield text[at:], ""


def _role(match: re.Match[str], text: str, language: Language) -> str:
    kind = match.lastgroup
    if kind == "word" and match[0] in language.keywords:
        return "keyword"
    is_key = language.has_keys and kind in ("word", "string") and re.match(r"[\w.-]*\s*[:=]", text[match.end() :])
    if is_key and not text[: match.start()].strip(" -\t{"):
        return "key"
    return {"comment": "muted", "string": "string", "number": "number"}.get(kind or "", "")
