"""YAML tags of Python and of programs, read as the plain structure that lies under them.

PyYAML's `dump` writes `!!python/...` tags (https://pyyaml.org/wiki/PyYAMLDocumentation#yaml-tags-and-python-types):
Lightning's `hparams.yaml`, rl-zoo's `args.yml`, ml_collections' and OmegaConf's pickled configs are full of them.
Nothing they name is looked up.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable

from mlbench.model import JsonValue
from mlbench.wire.dump_tree import Items, Node, Pair, Pairs, Scalar, Tagged, flow_text
from mlbench.wire.dump_values import core_value

YAML_TAG = "tag:yaml.org,2002:"
PYTHON_TAG = YAML_TAG + "python/"

_RESOLVED = frozenset({"int", "float", "bool", "null", "long", "none"})
_STATE_KEYS = frozenset({"args", "kwds", "state", "listitems", "dictitems"})
_CONTENT_KEYS = ("_fields", "_content", "_value", "_val")
"""Where ml_collections and OmegaConf keep what their objects hold."""
_DICT_CLASSES = frozenset({"OrderedDict", "defaultdict", "Counter", "dict", "EasyDict", "AttrDict", "AttributeDict"})
_NUMPY_FORMATS = {"f8": "d", "f4": "f", "f2": "e", "i8": "q", "i4": "i", "i2": "h", "i1": "b", "u1": "B", "b1": "?"}


def apply_tag(tag: str | None, node: Node) -> Node:
    """A node as its tag means it, in plain values; a tag without a plain meaning is kept beside them."""
    if tag is None or tag == "!":
        return node
    if tag.startswith(PYTHON_TAG):
        return _python(tag, tag.removeprefix(PYTHON_TAG), node)
    if tag.startswith(YAML_TAG):
        return _standard(tag.removeprefix(YAML_TAG), node)
    return Tagged(tag, node, node.line)


def _standard(kind: str, node: Node) -> Node:
    match kind, node:
        case _, Scalar() if kind in _RESOLVED:
            return Scalar(node.text, core_value(_python_spelling(node.text)), node.line)
        case "set", Pairs():
            keys = (Scalar(pair.key, core_value(pair.key), pair.line) for pair in node.pairs)
            return Items(tuple(keys), node.line, "{}")
        case "omap" | "pairs", Items():
            return _merged(node) or node
        case _:
            return node


def _python_spelling(text: str) -> str:
    return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan", "None": "null"}.get(text, text)


def _merged(node: Items) -> Pairs | None:
    maps = [child for child in node.nodes if isinstance(child, Pairs)]
    if len(maps) != len(node.nodes):
        return None
    return Pairs(tuple(pair for child in maps for pair in child.pairs), node.line)


def _python(tag: str, kind: str, node: Node) -> Node:
    if kind in {"tuple", "list", "dict", "str", "unicode", "bytes", "complex"}:
        return Items(node.nodes, node.line, "()") if kind == "tuple" and isinstance(node, Items) else node
    if kind in _RESOLVED:
        return _standard(kind, node)
    word, _, name = kind.partition(":")
    if word in {"name", "module"}:
        return Scalar(name, name, node.line)
    if word in {"object", "object/new", "object/apply"}:
        return _instance(tag, name, node)
    return Tagged(tag, node, node.line)


def _instance(tag: str, name: str, node: Node) -> Node:
    """An object by the name of its class: the containers and small values that dumps really hold."""
    short = name.rpartition(".")[2]
    node = _state(node)
    if short in _DICT_CLASSES:
        return _as_mapping(node)
    reader = _BY_CLASS.get(short)
    found = reader(node, short) if reader else None
    if found is not None:
        return found
    if isinstance(node, Pairs):
        inner = {pair.key: pair.node for pair in node.pairs}
        for key in _CONTENT_KEYS:
            if key in inner:
                return inner[key]
    return Tagged(tag, node, node.line)


def _state(node: Node) -> Node:
    """What a subclass of dict or list holds, where the object is written out as `args`, `state` and items."""
    if not isinstance(node, Pairs) or not node.pairs:
        return node
    parts = {pair.key: pair.node for pair in node.pairs}
    if not parts.keys() <= _STATE_KEYS:
        return node
    for key in ("dictitems", "listitems", "args", "state", "kwds"):
        if key in parts and not _is_empty(parts[key]):
            return parts[key]
    return node


def _is_empty(node: Node) -> bool:
    return (isinstance(node, Items) and not node.nodes) or (isinstance(node, Pairs) and not node.pairs)


def _as_mapping(node: Node) -> Node:
    """`OrderedDict` and its kin: a mapping, or its pairs in one or two more lists (as rl-zoo writes them)."""
    while isinstance(node, Items):
        if not node.nodes:
            return Pairs((), node.line)
        entries = [_entry(child) for child in node.nodes]
        if all(entry is not None for entry in entries):
            return Pairs(tuple(entry for entry in entries if entry is not None), node.line)
        # The constructor's only argument, or `defaultdict`'s last one.
        node = node.nodes[-1]
    return node


def _entry(node: Node) -> Pair | None:
    if isinstance(node, Items) and len(node.nodes) == 2 and isinstance(node.nodes[0], Scalar):
        return Pair(node.nodes[0].text, node.nodes[1], node.line)
    return None


def _path(node: Node, short: str) -> Node | None:
    if not isinstance(node, Items) or not all(isinstance(part, Scalar) for part in node.nodes):
        return None
    separator = "\\" if "Windows" in short else "/"
    first, *rest = [flow_text(part) for part in node.nodes] or [""]
    text = first.rstrip(separator) + separator + separator.join(rest) if rest else first
    return Scalar(text, text, node.line)


def _namespace(node: Node, short: str) -> Node | None:
    del short
    return node if isinstance(node, Pairs) else None


def _device(node: Node, short: str) -> Node | None:
    del short
    if not isinstance(node, Items):
        return None
    text = ":".join(flow_text(part) for part in node.nodes)
    return Scalar(text, text, node.line)


def _numpy_scalar(node: Node, short: str) -> Node | None:
    """`numpy...scalar` with a dtype and base64 bytes, as PyYAML writes a `np.float64`."""
    del short
    if not isinstance(node, Items) or len(node.nodes) != 2:
        return None
    code = _numpy_format(node.nodes[0])
    if code is None:
        return None
    try:
        content = base64.b64decode(flow_text(node.nodes[1]))
        value: JsonValue = struct.unpack("<" + code, content)[0]
    except (binascii.Error, ValueError, struct.error):
        return None
    return Scalar(repr(value), value, node.line)


def _numpy_format(dtype: Node) -> str | None:
    if not isinstance(dtype, Tagged) or not isinstance(dtype.node, Items) or not dtype.node.nodes:
        return None
    return _NUMPY_FORMATS.get(flow_text(dtype.node.nodes[0]))


_BY_CLASS: dict[str, Callable[[Node, str], Node | None]] = {
    "Namespace": _namespace,
    "SimpleNamespace": _namespace,
    "PosixPath": _path,
    "WindowsPath": _path,
    "PurePosixPath": _path,
    "PureWindowsPath": _path,
    "Path": _path,
    "device": _device,
    "scalar": _numpy_scalar,
}
