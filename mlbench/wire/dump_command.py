"""Options on a command line: a shell script, `sys.argv` joined or printed. Only what was given is known."""

from __future__ import annotations

import re
import shlex

from mlbench.dataclass import dataclass
from mlbench.wire.dump_literal import literal_value, read_literal
from mlbench.wire.dump_tree import Items, Node, Pair, Pairs, Remark, Scalar, TreeError, clip

_PROGRAM = re.compile(
    r"(?:python[\d.]*w?(?:\.exe)?|torchrun|accelerate|deepspeed|mpirun|mpiexec|srun|horovodrun|ipython|pdm"
    r"|uv|poetry|composer|\S+\.py)$"
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_OPTION = re.compile(r"--?[A-Za-z_?][\w.@/-]*(?:=|$)", re.DOTALL)
_COUNT = re.compile(r"-([A-Za-z])\1+$")
_HYDRA = re.compile(r"(?:\+\+?|~)?[A-Za-z_][\w.@/-]*=", re.DOTALL)
_SHELL_END = re.compile(r"(?:\||>>?|&&?|\|\||;|<|[12]>.*|>.*)$")
MAX_COMMAND = 256 << 10
"""Characters; twice what Linux passes in one argument."""
_WRAPPERS = frozenset({"nohup", "time", "exec", "sudo", "env", "then", "do", "CUDA_LAUNCH_BLOCKING=1", "$"})


@dataclass(frozen=True, slots=True)
class Command:
    """One command line."""

    options: Pairs
    text: str
    """The command on one line."""
    entry_point: str
    """The script or module, '' if none is named."""
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    """A logical line of a script, continuations joined."""

    text: str
    number: int


def looks_like_command(text: str) -> bool:
    """Whether a text is a shell script with a program, or one command line with options."""
    if len(text) > MAX_COMMAND:
        return False
    if text.startswith("#!"):
        return any(_starts_program(line.text) for line in _logical_lines(text))
    lines = [line for line in _logical_lines(text) if line.text and not line.text.startswith("#")]
    if not lines:
        return False
    first = lines[0].text
    return _starts_program(first) or (len(lines) == 1 and bool(re.match(r"--?[A-Za-z]", first)))


def _starts_program(line: str) -> bool:
    words = [word for word in line.split()[:12] if word not in _WRAPPERS and not _ASSIGNMENT.match(word)]
    return bool(words) and bool(_PROGRAM.match(words[0].rpartition("/")[2]))


def _logical_lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    parts: list[str] = []
    first = 1
    for number, line in enumerate(text.split("\n"), 1):
        if not parts:
            first = number
        stripped = line.strip()
        goes_on = stripped.endswith("\\") and not stripped.endswith("\\\\")
        parts.append(stripped[:-1] if goes_on else stripped)
        if not goes_on:
            lines.append(_Line(" ".join(part.strip() for part in parts if part.strip()), first))
            parts = []
    if parts:
        lines.append(_Line(" ".join(part.strip() for part in parts if part.strip()), first))
    return lines


def read_command(text: str) -> Command:
    r"""Read the command with most options of a script or of a single line.

    Options that stand on a line of their own after it (a `\` is missing above them) were never passed by the shell:
    they are left out, with a remark.

    Raises:
        TreeError: there is no command.
    """
    if len(text) > MAX_COMMAND:
        raise TreeError(f"is longer than a command line can be ({MAX_COMMAND >> 10} KiB)")
    lines = [line for line in _logical_lines(text) if line.text and not line.text.startswith("#")]
    commands = [(line, _words(line.text)) for line in lines if _starts_program(line.text)]
    if not commands and len(lines) == 1:
        commands = [(lines[0], _words(lines[0].text))]
    if not commands:
        raise TreeError("holds no command")
    line, words = max(commands, key=lambda found: len(found[1]))
    remarks = list(_stray_options(lines))
    if len(commands) > 1:
        what = f"of {len(commands)} commands the one with most options, in this line, is used"
        remarks.append(Remark(what, line.number))
    return _command(words, line.text, line.number, remarks)


def _stray_options(lines: list[_Line]) -> list[Remark]:
    return [
        Remark(
            f"the options {clip(line.text)!r} begin a command of their own, since a '\\' is missing in the line above; "
            "the shell did not pass them, and they were left out",
            line.number,
        )
        for line in lines[1:]
        if re.match(r"--?[A-Za-z]", line.text)
    ]


def read_argv(text: str) -> Command | None:
    """`sys.argv` as Python prints it: a list of strings; None if the text is none with options."""
    if not text.lstrip().startswith("["):
        return None
    try:
        node, end = read_literal(text)
    except TreeError:
        return None
    if not isinstance(node, Items) or not node.nodes or text[end:].strip():
        return None
    words = [word.text for word in node.nodes if isinstance(word, Scalar) and word.quote]
    if len(words) != len(node.nodes) or not any(_OPTION.match(word) for word in words):
        return None
    return _command(words, shlex.join(words), node.line, [])


def _words(line: str) -> list[str]:
    """Words as a POSIX shell splits them; by blanks where quotes are unbalanced or backslashes are of Windows paths."""
    has_windows_path = re.search(r"\\\w", line) and "'" not in line and '"' not in line
    try:
        words = line.split() if has_windows_path else shlex.split(line, comments=True)
    except ValueError:
        words = line.split()
    for number, word in enumerate(words):
        if _SHELL_END.match(word):
            return words[:number]
    return words


def _command(words: list[str], text: str, line: int, remarks: list[Remark]) -> Command:
    start, entry_point = _entry_point(words)
    pairs = _options(words[start:], line)
    return Command(Pairs(tuple(pairs), line), text, entry_point, tuple(remarks))


def _entry_point(words: list[str]) -> tuple[int, str]:
    """Where the arguments of the training begin, and the script or module they are given to."""
    is_launched = bool(words) and _starts_program(" ".join(words[:12]))
    for number, word in enumerate(words):
        if word.endswith(".py"):
            return number + 1, word
        if is_launched and word in {"-m", "--module"} and number + 1 < len(words):
            return number + 2, words[number + 1]
        if not is_launched:
            break
    if words and not words[0].startswith("-") and not _HYDRA.match(words[0]):
        return 1, words[0]
    return 0, ""


def _options(words: list[str], line: int) -> list[Pair]:
    pairs: list[Pair] = []
    number = 0
    while number < len(words):
        word = words[number]
        number += 1
        if word == "--":
            break
        if _is_option(word):
            end = number
            while end < len(words) and not _is_option(words[end]) and words[end] != "--":
                end += 1
            pairs.append(_option(word, words[number:end], line))
            # `--lr=0.1 data.csv`: what follows `=` is positional.
            number = end
        elif _HYDRA.match(word):
            key, _, value = word.partition("=")
            pairs.append(Pair(key.lstrip("+~"), _value(value, line), line))
    return pairs


def _is_option(word: str) -> bool:
    return bool(_OPTION.match(word)) and word not in {"-inf", "-nan", "-Infinity"}


def _option(word: str, following: list[str], line: int) -> Pair:
    name, has_value, value = word.partition("=")
    # argparse names the parameter of --eval-freq `eval_freq`.
    key = name.lstrip("-").replace("-", "_")
    if has_value:
        return Pair(key, _value(value, line), line)
    if count := _COUNT.match(name):
        return Pair(count[1], Scalar(word, len(word) - 1, line), line)
    if not following:
        return Pair(key, Scalar(word, value=True, line=line), line)
    if len(following) == 1:
        return Pair(key, _value(following[0], line), line)
    return Pair(key, Items(tuple(_value(text, line) for text in following), line), line)


def _value(text: str, line: int) -> Node:
    node = literal_value(text)
    if not isinstance(node, Scalar):
        return node._replace(line=line)
    # Quotes that the shell left are the value's own.
    return Scalar(text, text if node.quote else node.value, line)
