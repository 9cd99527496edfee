"""What was typed to start the runs, token by token: which flag changed.

`--lr 0.1`, `--lr=0.1`, `-lr 0.1` and Hydra's `lr=0.1` are options with a value; all else is a word at a place.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

from mlbench.queries.answers import FactRow

_NUMBER = re.compile(r"-\d*\.?\d+(?:[eE][-+]?\d+)?$")
_OVERRIDE = re.compile(r"([+~]{0,2}[A-Za-z_][\w./@-]*)=(.*)", re.DOTALL)
_OPTION = re.compile(r"(--?[^\s=]+)=(.*)", re.DOTALL)
_WORD = re.compile(r"""(?:[^\s'"\\]|\\.|'[^']*'|"(?:\\.|[^"\\])*")+""", re.DOTALL)
_QUOTE = re.compile(r"""['"\\]""")
_BETWEEN = frozenset({"&&", "||", "|", ";", "&"})
GIVEN = "given"
"""The text of a flag without a value."""
MAX_CHARS = 100_000


def typed_rows(
    typed: Mapping[str, str], run_ids: Sequence[str], *, everything: bool = False
) -> tuple[FactRow, ...]:  # fmt: skip
    """The options and words of the runs' commands that differ; runs without a recorded command do not count.

    Args:
        typed: the commands that are known, by run.
        run_ids: in the order of the cells.
        everything: keep those that are equal, and those of a single command.
    """
    if not typed or (len(typed) < 2 and not everything):
        return ()
    commands = {run_id: tokens_of(command) for run_id, command in typed.items()}
    rows = []
    for key in dict.fromkeys(key for run_id in run_ids for key in commands.get(run_id, ())):
        known = [tokens.get(key) for tokens in commands.values()]
        differs = len(set(known)) > 1
        if differs or everything:
            cells = tuple(commands[run_id].get(key) if run_id in commands else None for run_id in run_ids)
            rows.append(FactRow(key, cells, differs))
    return tuple(rows)


def tokens_of(command: str) -> dict[str, str]:
    """Options with their values, `given` where there is none, and words as `word 1`, `word 2`, ...

    Words behind an option belong to it until the next one; of an option that is given twice the values follow each
    other. Of several commands behind each other (`a && b`, the stages of a pipeline) each has its own: `step 2 --lr`.
    """
    steps = _steps(command[:MAX_CHARS])
    if len(steps) < 2:
        return _tokens(steps[0]) if steps else {}
    return {f"step {n} {key}": text for n, step in enumerate(steps, 1) for key, text in _tokens(step).items()}


def _steps(text: str) -> list[list[str]]:
    """The words of each command; what ends one stands outside of quotes."""
    try:
        shlex.split(text)
    except ValueError:  # a quote that is not closed
        return _parted([(word, word) for word in text.split()])
    return _parted([(raw, shlex.split(raw)[0] if _QUOTE.search(raw) else raw) for raw in _WORD.findall(text)])


def _parted(words: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The words as they were typed and as they mean, parted where a command ends."""
    steps: list[list[str]] = [[]]
    for raw, word in words:
        is_end = raw in _BETWEEN
        has_end = raw.endswith(";") and not raw.endswith("\\;")
        if not is_end:
            steps[-1].append(word.removesuffix(";") if has_end else word)
        if is_end or has_end:
            steps.append([])
    return [step for step in steps if step]


def _tokens(words: Sequence[str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    at = ""
    n_words = 0
    for word in words:
        if (match := _OPTION.fullmatch(word)) or (match := _OVERRIDE.fullmatch(word)):
            found.setdefault(match[1], []).append(match[2])
            at = ""
        elif word.startswith("-") and len(word) > 1 and not _NUMBER.match(word):
            found.setdefault(word, [])
            at = word
        elif at:
            found[at].append(word)
        else:
            n_words += 1
            found[f"word {n_words}"] = [word]
    return {key: " ".join(values) if values else GIVEN for key, values in found.items()}
