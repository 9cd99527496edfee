"""What a call in a `repr()` means as a plain value: `PosixPath('/x')`, `np.float64(0.1)`, `Namespace(a=1)`."""

from __future__ import annotations

import re

from mlbench.dataclass import dataclass
from mlbench.wire.dump_tree import Items, Node, Pair, Pairs, Scalar

_MAPPING_NAMES = re.compile(
    r"(?i).*(?:namespace|config|cfg|args|arguments|params|hparams|options|opts|dict|munch|box|counter)\Z"
)
_PATHS = frozenset({"PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath", "Path", "PurePath"})
_NUMBERS = re.compile(r"(?:np\.|numpy\.)?(?:float|int|uint|bool|str|bool_|str_)\d*_?\Z|Decimal\Z")
_ARRAYS = frozenset({"array", "tensor", "Tensor", "Array", "list", "tuple", "set", "frozenset", "deque", "ListConfig"})


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    """As written, with dots."""
    args: tuple[Node, ...]
    pairs: tuple[Pair, ...]
    """The keyword arguments."""
    text: str
    """The whole call on one line."""
    line: int


def meaning_of_call(call: Call, *, is_outermost: bool = False) -> Node:
    """A call as a plain value; its text where its name promises nothing.

    Args:
        call: name and arguments, already read.
        is_outermost: nothing stands around it, so that keyword arguments are the parameters, whatever its name.
    """
    short = call.name.rpartition(".")[2]
    if (found := _mapping(call, short, is_outermost=is_outermost)) is not None:
        return found
    first = call.args[0] if call.args else None
    if short in _PATHS and isinstance(first, Scalar):
        return Scalar(first.text, first.text, call.line, first.quote)
    if short == "device":
        return _device(call)
    if first is not None and _NUMBERS.match(call.name):
        return first
    if short in _ARRAYS and isinstance(first, Items):
        return first
    if short in {"set", "frozenset", "list", "tuple"} and first is None:
        return Items((), call.line)
    return Scalar(call.text, call.text, call.line)


def _mapping(call: Call, short: str, *, is_outermost: bool) -> Pairs | None:
    if call.pairs and not call.args and (is_outermost or _MAPPING_NAMES.match(short)):
        return Pairs(call.pairs, call.line)
    if not _MAPPING_NAMES.match(short):
        return None
    last = call.args[-1] if call.args else None
    if isinstance(last, Pairs):
        return Pairs((*last.pairs, *call.pairs), call.line)
    if isinstance(last, Items):
        return _from_entries(last)
    return Pairs(call.pairs, call.line) if last is None else None


def _from_entries(items: Items) -> Pairs | None:
    """`OrderedDict([('a', 1)])`, as Python before 3.12 prints it."""
    pairs: list[Pair] = []
    for entry in items.nodes:
        if not (isinstance(entry, Items) and len(entry.nodes) == 2 and isinstance(entry.nodes[0], Scalar)):
            return None
        pairs.append(Pair(entry.nodes[0].text, entry.nodes[1], entry.line))
    return Pairs(tuple(pairs), items.line)


def _device(call: Call) -> Scalar:
    """`device(type='cuda', index=0)` as PyTorch's own short form, `cuda:0`."""
    parts = [node.text for node in (*call.args, *(pair.node for pair in call.pairs)) if isinstance(node, Scalar)]
    text = ":".join(parts)
    return Scalar(text, text, call.line, "'")
