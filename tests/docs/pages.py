"""Reading the documentation as a user would: its blocks, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlbench.main import COMMANDS, OPEN
from tests.paths import ROOT

README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
WRITTEN = [page for page in PAGES if page.name in {"tutorial.md", "query.md", "sql.md"} or page.parent.name == "how-to"]
"""The pages with commands to type."""
BESIDE = [ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", ROOT / "sample_runs" / "README.md"]

_BLOCK = re.compile(r"^```([\w-]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OPERATORS = frozenset("|;&<>()")


@dataclass(frozen=True, slots=True)
class Command:
    """A command of mlbench as it stands in a page."""

    line: str
    arguments: tuple[str, ...]
    exit_code: int = 0
    """The one that a comment `# exit N` behind it promises."""


def blocks(text: str, kind: str) -> list[str]:
    """The fenced blocks of a kind."""
    return [content for name, content in _BLOCK.findall(text) if name == kind]


def prose_of(text: str) -> str:
    """The text without its fenced and its indented blocks."""
    return re.sub(r"^    .*$", "", _BLOCK.sub("", text), flags=re.MULTILINE)


def console_commands(text: str) -> list[Command]:
    """What stands behind `$` in console blocks: these are run."""
    lines = [line[2:] for block in blocks(text, "console") for line in block.splitlines() if line.startswith("$ ")]
    return [command for line in lines for command in commands_in(line)]


def typed_commands(text: str) -> list[Command]:
    """Every command that a page tells to type, in console, shell and indented blocks."""
    shell = [line for block in blocks(text, "sh") for line in block.splitlines()]
    indented = re.findall(r"^    (.*mlbench .*)$", _BLOCK.sub("", text), re.MULTILINE)
    return [*console_commands(text), *(one for line in (*shell, *indented) for one in commands_in(line))]


def commands_in(line: str) -> Iterator[Command]:
    """The calls of mlbench in one line of shell, without redirections."""
    lexer = shlex.shlex(line.replace("$(", "( "), posix=True, punctuation_chars="|;&<>()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    words = list(lexer)
    promised = re.search(r"# exit (\d+)", line)
    while "mlbench" in map(_base, words):
        start = next(at for at, word in enumerate(words) if _base(word) == "mlbench")
        call = []
        for word in words[start + 1 :]:
            if (word.startswith("#") and not re.fullmatch(r"#\d+", word)) or set(word) <= _OPERATORS:
                break
            call.append(word)
        words = words[start + 1 + len(call) :]
        yield Command(line, tuple(call), int(promised[1]) if promised else 0)


def _base(word: str) -> str:
    return "mlbench" if word == "mlbench" or word.endswith("/bin/mlbench") else word


def split_command(arguments: tuple[str, ...]) -> tuple[str, list[str]]:
    """The name of the command, `open` for paths, and its own arguments."""
    rest = list(arguments)
    while rest[:1] == ["--home"]:
        rest = rest[2:]
    return (rest[0], rest[1:]) if rest and rest[0] in COMMANDS else (OPEN, rest)


def links_in(page: Path) -> list[str]:
    """Targets of the links and pictures of a page, without those to the web."""
    text = re.sub(r"`[^`\n]*`", "", prose_of(page.read_text(encoding="utf-8")))
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors_in(page: Path) -> set[str]:
    """The fragments that a page's headings make."""
    from docs.markdown import anchor

    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
