"""From a dump on disk to facts: what every adapter of dumps does in the same way."""

from __future__ import annotations

from collections.abc import Iterator

from mlbench.dataclass import dataclass
from mlbench.model import Cursor, Fact, Layer, Param, Problem, ReadStatus
from mlbench.wire.dump_text import decode_text
from mlbench.wire.dump_tree import MAX_LEAVES, Loaded, TreeError
from mlbench.wire.files import NotRegularError, is_lfs_pointer, read_whole
from mlbench.wire.flatten import flatten


@dataclass(frozen=True, slots=True)
class DumpText:
    """The text of a dump, None where there is none to parse, with what was wrong with its bytes."""

    text: str | None
    status: ReadStatus
    problems: tuple[Problem, ...] = ()


def read_dump_text(path: str) -> DumpText:
    """Read a dump's text; never raises for what is on the disk."""
    try:
        content = read_whole(path)
    except NotRegularError:
        return _unreadable(path, "it is no regular file")
    except ValueError as error:
        return _unreadable(path, f"the file is {error}, which no parameter dump is, and was not read")
    except OSError as error:
        return _unreadable(path, f"the file could not be read: {error.strerror or error}")
    if is_lfs_pointer(content):
        problem = Problem(path, "a Git LFS pointer stands here in place of the file", hint="git lfs pull")
        return DumpText(None, ReadStatus.LFS_POINTER, (problem,))
    if not content.strip():
        return DumpText(None, ReadStatus.EMPTY)
    return _decoded(path, content)


def _unreadable(path: str, what: str) -> DumpText:
    return DumpText(None, ReadStatus.UNREADABLE, (Problem(path, what),))


def _decoded(path: str, content: bytes) -> DumpText:
    try:
        text, bad_line = decode_text(content)
    except TreeError as error:
        return _unreadable(path, f"the file {error.what}")
    if bad_line is None:
        return DumpText(text, ReadStatus.EOF)
    problem = Problem(
        path, "some bytes are not UTF-8 and were replaced by \N{REPLACEMENT CHARACTER}", f"line {bad_line}"
    )
    return DumpText(text, ReadStatus.DAMAGED, (problem,))


def problem_of(path: str, error: TreeError) -> Problem:
    """What a parser found, as a Problem with its line."""
    return Problem(path, f"the file {error.what}", f"line {error.line}" if error.line else "")


def params_of(path: str, loaded: Loaded, *, layer: Layer = Layer.CONFIG) -> Iterator[Param | Problem]:
    """Every parameter of a dump, then a Problem for each remark, such as a key given twice."""
    if not isinstance(loaded.value, dict):
        return
    flat = flatten(loaded.value, raw=loaded.raw)
    for leaf in flat.leaves:
        yield Param(leaf.key, leaf.raw, leaf.value, layer, leaf.line)
    for remark in loaded.remarks:
        yield Problem(path, remark.what, f"line {remark.line}")
    if flat.is_cut:
        yield Problem(path, f"it holds more than {MAX_LEAVES:,} parameters; the rest was left out")


def cursor_of(status: ReadStatus, facts: list[Fact]) -> Cursor:
    """The end of a reading: how many parameters and Problems it gave. A dump is read whole, so there is no state."""
    kinds = list(map(type, facts))
    return Cursor({}, status, n_records=kinds.count(Param), n_bad=kinds.count(Problem))
