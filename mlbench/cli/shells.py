"""How shells are answered, where click's own scripts stumble over `:`, `=`, `@`, commas and quotes.

The script for bash hands over the line as it was typed. What goes back is what readline puts in place of the part of
the word behind its last break, with what a shell would act upon escaped as the quotes around it ask.
"""

from __future__ import annotations

import re
from typing import Any

from click.shell_completion import BashComplete, CompletionItem, FishComplete, add_completion_class, split_arg_string

from mlbench.dataclass import dataclass

SCRIPT = """\
%(complete_func)s() {
    local kind value
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case $kind in
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" \
%(complete_var)s=bash_complete "$1" 2>/dev/null)
    [[ ${COMPREPLY[0]} == */ || ${COMPREPLY[0]} == *' ' ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""
_SENTINEL = "\ue000"
"""Put behind the line, so that its last word is there even if nothing of it is typed yet. From the private use area."""
_ACTING = re.compile(r"([^\w@%+=:,./-])")


@dataclass(frozen=True, slots=True)
class Typed:
    """The end of a line, as the shell has it."""

    quote: str
    """The quote that is open: ', \" or none."""
    kept: str
    """What of the last word stays as it is; what is completed comes behind it."""


def typed(line: str, breaks: str) -> Typed:
    """Where the part begins that readline will replace."""
    quote, start, escaped = "", 0, False
    for at, char in enumerate(line):
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote, start = char, at + 1
        elif char.isspace() or char in breaks:
            start = at + 1
    word = _last_word(line)
    return Typed(quote, word[: len(word) - len(_last_word(quote + line[start:]))])


def _last_word(line: str) -> str:
    words = split_arg_string(line + _SENTINEL)
    return words[-1].removesuffix(_SENTINEL) if words else ""


class BashWords(BashComplete):
    """`mlbench completion bash`."""

    source_template = SCRIPT

    @staticmethod
    def _check_version() -> None:
        """Not asked: a bash that is too old says so itself."""

    def get_completion_args(self) -> tuple[list[str], str]:
        import os

        self._line = os.environ.get("COMP_LINE", "")
        self._breaks = os.environ.get("COMP_BREAKS", "")
        words = split_arg_string(self._line + _SENTINEL)
        return words[1:-1], words[-1].removesuffix(_SENTINEL) if words else ""

    def format_completion(self, item: CompletionItem) -> str:
        value: Any = item.value
        if item.type != "plain":
            return f"{item.type},{value}"
        at_end = typed(self._line, self._breaks)
        rest = str(value).removeprefix(at_end.kept)
        if at_end.quote == "'":
            return "plain," + rest.replace("'", "'\\''")
        if at_end.quote == '"':
            return "plain," + re.sub(r'(["$`\\])', r"\\\1", rest)
        return "plain," + _ACTING.sub(r"\\\1", rest)


class FishWords(FishComplete):
    """`mlbench completion fish`, with commas in what is completed."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split --max 1 ","')


def register() -> None:
    """Let click use them."""
    add_completion_class(BashWords, "bash")
    add_completion_class(FishWords, "fish")
