"""Parameter dumps of any shape, told apart by what they look like: one detector, nothing evaluated.

The shapes are those that programs around argparse write: `json.dump(vars(args))`, YAML with or without Python tags,
`key=value` and `key: value` lines, CycleGAN's `opt.txt`, `str(args)` alone or in a log, `pprint(vars(args))`, a table,
a CSV row, absl flag files, and the command line itself in a script, joined or as `sys.argv`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from mlbench.dataclass import dataclass
from mlbench.model import JsonValue, Layer
from mlbench.wire import dump_absl, dump_command, dump_lines
from mlbench.wire.dump_json import read_json
from mlbench.wire.dump_literal import read_at, read_literal, reader_of
from mlbench.wire.dump_tree import MAX_DEPTH, Loaded, Node, Pairs, Remark, TreeError, load_tree
from mlbench.wire.yamltext import load_yaml

MAX_NAMESPACES = 50
"""`Namespace(` in one log; each is read to find the largest."""

_PYTHON_DICT = re.compile(r"\s*\{\s*[^\s\"}/]")
_CALL = re.compile(r"[A-Za-z_][\w.]*\(")
_NAMESPACE = re.compile(r"(?<![\w.])[\w.]*Namespace\(")
_NAMED_NAMESPACE = re.compile(r"^[ \t]*[A-Za-z_]\w*[ \t]*[:=][ \t]*[\w.]*Namespace\(", re.MULTILINE)
MAX_TOML = 256 << 10
"""Characters: the parser of Python 3.11 takes quadratic time on dotted keys."""


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump as values, with the layer that it speaks for."""

    shape: str
    """json, yaml, toml, ini, key-value, options, namespace, pprint, table, csv, flags or command."""
    values: Loaded
    layer: Layer = Layer.CONFIG
    defaults: Loaded | None = None
    """What the options would have been, where the dump says so."""
    command: str = ""
    entry_point: str = ""


def parse_dump(text: str, *, suffix: str = "") -> Dump:
    """Read a dump.

    Args:
        text: the whole file, without a byte order mark.
        suffix: of the file's name (`.yaml`), which decides where it promises one shape; '' to go by the text alone.

    Raises:
        TreeError: it is no dump of any known shape, or is broken; with the line where known.
    """
    dump = _by_suffix(text, suffix.lower())
    if dump.values.value is None:
        # A YAML of nothing but comments.
        return replace(dump, values=replace(dump.values, value={}, raw={}))
    if not isinstance(dump.values.value, dict):
        raise TreeError(f"holds {_kind(dump.values.value)} and no parameters")
    return dump


def _by_suffix(text: str, suffix: str) -> Dump:
    reader = _BY_SUFFIX.get(suffix, _by_text)
    # Programs do write `str(args)` into `args.yaml`.
    has_call = bool(_NAMESPACE.match(text.lstrip()[:1000]))
    return _read_namespace(text) if has_call else reader(text)


def _kind(value: JsonValue) -> str:
    return "a list" if isinstance(value, list) else "a single value"


def _by_text(text: str) -> Dump:
    start = text.lstrip()
    if start.startswith("{"):
        return _read_mapping(text)
    if start.startswith("[") and (argv := dump_command.read_argv(text)):
        return _from_command(argv)
    for looks_right, read in _SHAPES:
        if looks_right(text):
            return read(text)
    if row := dump_lines.csv_row(text):
        return _from_lines("csv", row)
    return _read_yaml_or_lines(text)


def _read_yaml_or_lines(text: str) -> Dump:
    try:
        dump = _read_yaml(text)
    except TreeError:
        dump = None
    if dump and isinstance(dump.values.value, dict):
        return dump
    raise TreeError("has no shape that parameters are known to have")


# ---------------------------------------------------------------- shapes


def _read_yaml(text: str) -> Dump:
    return Dump("yaml", load_yaml(text))


def _read_mapping(text: str) -> Dump:
    """JSON, or a dict that Python printed."""
    if (plain := read_json(text)) is not None:
        return Dump("json", load_tree(dump_absl.without_absl_flags(plain)))
    node, end = read_literal(text)
    rest = text[end:].strip()
    remarks: tuple[Remark, ...] = ()
    if rest:
        line = text.count("\n", 0, end) + 1
        if rest.startswith("{"):
            raise TreeError("holds rows of JSON, not one set of parameters", line)
        remarks = (Remark("the text after the closing bracket was left out", line),)
    if isinstance(node, Pairs):
        node = dump_absl.without_absl_flags(node)
    shape = "pprint" if _PYTHON_DICT.match(text) else "json"
    return Dump(shape, load_tree(node, remarks=remarks))


def _from_lines(shape: str, lines: dump_lines.Lines) -> Dump:
    defaults = load_tree(lines.defaults) if lines.defaults and lines.defaults.pairs else None
    return Dump(shape, load_tree(lines.values, remarks=lines.remarks), defaults=defaults)


def _from_command(command: dump_command.Command) -> Dump:
    values = load_tree(command.options, remarks=command.remarks)
    return Dump("command", values, layer=Layer.CLI, command=command.text, entry_point=command.entry_point)


def _has_namespace(text: str) -> bool:
    """A `Namespace(...)` that is the dump, and not the value of one key among others."""
    if not _NAMESPACE.search(text):
        return False
    is_value = _NAMED_NAMESPACE.search(text) and text.strip().count("\n") > 1
    return not (is_value and dump_lines.looks_like_key_values(text))


def _read_namespace(text: str) -> Dump:
    """The largest `Namespace(...)` of a log; of equal ones the first."""
    largest: Pairs | None = None
    broken: TreeError | None = None
    reader = reader_of(text)
    pos = 0
    for _ in range(MAX_NAMESPACES):
        found = _NAMESPACE.search(text, pos)
        if not found:
            break
        try:
            node, pos = read_at(reader, found.start()), reader.pos
        except TreeError as error:
            broken, pos = error, found.end()
            continue
        if isinstance(node, Pairs) and (largest is None or _size(node) > _size(largest)):
            largest = node
    if largest is None:
        raise broken or TreeError("holds no parameters")
    return Dump("namespace", load_tree(largest))


def _size(node: Node) -> int:
    return sum(_size(pair.node) for pair in node.pairs) if isinstance(node, Pairs) else 1


def _is_call(text: str) -> bool:
    start = text.strip()
    return bool(_CALL.match(start)) and start.endswith(")")


def _read_call(text: str) -> Dump:
    """What a dataclass prints of itself: `TrainConfig(lr=0.1, ...)`."""
    node, end = read_literal(text, start=len(text) - len(text.lstrip()), is_dump=True)
    if not isinstance(node, Pairs) or text[end:].strip():
        raise TreeError("has no shape that parameters are known to have")
    return Dump("namespace", load_tree(node))


_SHAPES: tuple[tuple[Callable[[str], bool], Callable[[str], Dump]], ...] = (
    (dump_lines.has_options_title, lambda text: _from_lines("options", dump_lines.read_options(text))),
    (dump_lines.looks_like_table, lambda text: _from_lines("table", dump_lines.read_table(text))),
    (_has_namespace, _read_namespace),
    (_is_call, _read_call),
    (dump_absl.looks_like_flag_file, lambda text: _from_lines("flags", dump_absl.read_flag_file(text))),
    (dump_command.looks_like_command, lambda text: _from_command(dump_command.read_command(text))),
    (dump_lines.looks_like_key_values, lambda text: _from_lines("key-value", dump_lines.read_key_values(text))),
)
"""In this order: an earlier shape is never taken for a later one."""


# ---------------------------------------------------------------- TOML and INI


def _read_toml(text: str) -> Dump:
    import tomllib

    if len(text) > MAX_TOML:
        raise TreeError(f"is larger than {MAX_TOML >> 10} KiB")
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        what = str(error).partition(" (at")[0]
        raise TreeError(f"is not TOML: {what[:1].lower()}{what[1:]}", int(found[1]) if found else None) from None
    except (RecursionError, ValueError):
        raise TreeError("is not TOML: it nests too deeply or holds a number that is too long") from None
    return Dump("toml", Loaded(_plain(parsed, 1), {}))


def _plain(value: object, depth: int) -> JsonValue:
    """TOML's values: dates become text."""
    if depth > MAX_DEPTH:
        raise TreeError(f"nests deeper than {MAX_DEPTH} levels")
    match value:
        case dict():
            return {str(key): _plain(child, depth + 1) for key, child in value.items()}
        case list():
            return [_plain(child, depth + 1) for child in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def _read_ini(text: str) -> Dump:
    return _from_lines("ini", dump_lines.read_ini(text))


_BY_SUFFIX: dict[str, Callable[[str], Dump]] = {
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
    ".json": _read_mapping,
    ".toml": _read_toml,
    ".ini": _read_ini,
    ".cfg": _read_ini,
}
