"""Flag files of absl: `--name=value`, `--name`, `--noname`, one a line.

What `FLAGS.flags_into_string()` and `append_flags_into_file` write: every flag, also those of absl itself, which are
left out here. Format: https://abseil.io/docs/python/guides/flags#flag-files
"""

from __future__ import annotations

import re

from mlbench.dataclass import dataclass
from mlbench.model import JsonValue
from mlbench.wire.dump_lines import Lines
from mlbench.wire.dump_literal import literal_value
from mlbench.wire.dump_tree import MAX_LEAVES, Items, Node, Pair, Pairs, Scalar, TreeError

_FLAG = re.compile(r"--?([A-Za-z?][\w.?-]*)(?:=(.*))?$", re.DOTALL)
_LIST = re.compile(r"[^\s,\[\](){}'\"=:]+(?:,[^\s,\[\](){}'\"=:]+)+\Z")
_NOT_A_NEGATION = re.compile(
    r"norm(?!sprop)|nois[ey]|nodes?(?:[_-]|$)|notes?(?:[_-]|$)|notif|novograd|non[_-]|nonlin|nonzero|noop|nominal|not[_-]"
)
"""Names that begin with `no` by themselves: `--normalize` is a flag that is set."""

ABSL_FLAGS = frozenset({
    "?", "help", "helpfull", "helpshort", "helpxml", "only_check_args", "only_check_flags",
    "pdb", "pdb_post_mortem", "run_with_pdb", "run_with_profiling", "profile_file", "use_cprofile_for_profiling",
    "alsologtostderr", "logger_levels", "logtostderr", "showprefixforinfo", "stderrthreshold", "v", "verbosity",
    "test_random_seed", "test_randomize_ordering_seed", "test_srcdir", "test_tmpdir", "xml_output_file",
    "flagfile", "undefok", "fromenv", "tryfromenv",
    "op_conversion_fallback_to_while_loop", "hbm_oom_exit", "runtime_oom_exit",
})  # fmt: skip
"""Flags of absl, its test library, chex and JAX, which say nothing of the training."""


@dataclass(frozen=True, slots=True)
class _Flag:
    """A flag as given once."""

    lines: list[str]
    """Of its value; [] for a flag without one."""
    number: int
    """Its line in the file."""


def looks_like_flag_file(text: str) -> bool:
    """Whether the first line that says anything is one absl flag."""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith(("#", "//")):
            return bool(_FLAG.match(stripped)) and ("=" in stripped or len(stripped.split()) == 1)
    return False


def read_flag_file(text: str) -> Lines:
    """Read a flag file. A flag given several times is a list; a line that is no flag continues the value above it.

    Raises:
        TreeError: it holds no flags.
    """
    given: dict[str, list[_Flag]] = {}
    last: _Flag | None = None
    for number, line in enumerate(text.rstrip("\n").split("\n")[: MAX_LEAVES * 2], 1):
        found = _FLAG.match(line.strip()) if line.lstrip().startswith("-") else None
        if found:
            last = _Flag([] if found[2] is None else [found[2]], number)
            given.setdefault(found[1], []).append(last)
        elif last and last.lines:
            last.lines.append(line)
    if not given:
        raise TreeError("holds no flags")
    pairs = [_pair(name, values) for name, values in given.items()]
    return Lines(Pairs(tuple(pair for pair in pairs if not _is_of_absl(pair)), 1))


def without_absl_flags(pairs: Pairs) -> Pairs:
    """A dict of all flags (`FLAGS.flag_values_dict()`) without those of absl itself; other mappings unchanged."""
    if not {"only_check_args", "helpfull"} <= {pair.key for pair in pairs.pairs}:
        return pairs
    return Pairs(tuple(pair for pair in pairs.pairs if not _is_of_absl(pair)), pairs.line)


def _is_of_absl(pair: Pair) -> bool:
    # A program may well have a `log_dir` of its own; absl's is empty unless given.
    is_empty_log_dir = pair.key == "log_dir" and isinstance(pair.node, Scalar) and not pair.node.text
    return pair.key in ABSL_FLAGS or is_empty_log_dir


def _pair(name: str, flags: list[_Flag]) -> Pair:
    last = flags[-1]
    if not last.lines:
        key, is_set = _switch(name)
        return Pair(key, Scalar(f"--{name}", is_set, last.number), last.number)
    if len(flags) > 1:
        texts = [("\n".join(flag.lines), flag.number) for flag in flags]
        nodes = tuple(Scalar(text, _plain(text), number) for text, number in texts)
        return Pair(name, Items(nodes, flags[0].number), flags[0].number)
    return Pair(name, _value("\n".join(last.lines), last.number), last.number)


def _switch(name: str) -> tuple[str, bool]:
    """A flag without a value: its name, and whether it is set."""
    if name.startswith("no") and len(name) > 2 and not _NOT_A_NEGATION.match(name):
        return name[2:].lstrip("-_") or name, False
    return name, True


def _plain(text: str) -> JsonValue:
    node = literal_value(text)
    return node.value if isinstance(node, Scalar) else text


def _value(text: str, line: int) -> Node:
    if _LIST.match(text):
        # absl's lists hold texts, whatever they look like.
        return Items(tuple(Scalar(part, part, line) for part in text.split(",")), line, "[]")
    return Scalar(text, _plain(text), line)
