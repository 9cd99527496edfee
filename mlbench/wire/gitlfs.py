"""Git LFS: pointer texts, the patterns of `.gitattributes` that name them, and all pointers of a commit.

A pointer stands in the commit in the place of a large file: `version https://git-lfs.github.com/spec/v1`, `oid
sha256:...`, `size ...` (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md). No filter is run and no object
fetched. An empty file is an empty blob and has no pointer.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Sequence

from mlbench.dataclass import dataclass
from mlbench.wire.files import is_lfs_pointer, read_head
from mlbench.wire.gitobjects import Entry, Objects, read_blob, read_tree

MAX_POINTER_BYTES = 1024
"""By the specification a pointer is smaller."""
MAX_ATTRIBUTE_BYTES = 256 << 10
MAX_RULES = 1000
MAX_PATTERN = 1000
"""Characters of a pattern: git's own paths are shorter, and a matcher is quadratic in some of them."""
MAX_POINTERS = 5000
"""Of one commit: beyond, a repository is a store of blobs whose versions are better asked one by one."""
MAX_TREES = 5000
_ATTRIBUTES = ".gitattributes"
_OID = re.compile(r"oid sha256:([0-9a-f]{64})")
_SIZE = re.compile(r"size (0|[1-9][0-9]{0,17})")
_LINE = re.compile(r"[a-z0-9.-]+ .+")
_POSIX = re.compile(r"\[:(\w+):\]")
_CLASSES = {"space": " ", "digit": "0-9", "alpha": "a-zA-Z", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z"}


@dataclass(frozen=True, slots=True)
class Pointer:
    """What stands in the place of a large file."""

    oid: str
    """SHA-256 of the content, 64 hexadecimal digits."""
    size_bytes: int


def parse_pointer(data: bytes) -> Pointer | None:
    """The pointer that a file or blob is; None where it is something else, or a pointer cut short."""
    if len(data) >= MAX_POINTER_BYTES or not is_lfs_pointer(data):
        return None
    lines = data.decode("utf-8", "replace").splitlines()[1:]
    oids = [match[1] for line in lines if (match := _OID.fullmatch(line))]
    sizes = [int(match[1]) for line in lines if (match := _SIZE.fullmatch(line))]
    if len(oids) != 1 or len(sizes) != 1 or not all(_LINE.fullmatch(line) for line in lines):
        return None
    return Pointer(oids[0], sizes[0])


def pointer_in_file(path: str) -> Pointer | None:
    """The pointer that lies in the work tree, where the content was never fetched."""
    return parse_pointer(read_head(path, MAX_POINTER_BYTES))


def has_object(common: str, oid: str) -> bool:
    """Whether the content is in the clone; `common` is its `.git`."""
    return os.path.isfile(os.path.join(common, "lfs", "objects", oid[:2], oid[2:4], oid))


# ---------------------------------------------------------------- .gitattributes


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a `.gitattributes` that says something of the filter."""

    folder: str
    """Where the file lies, with a slash behind; '' for the top."""
    parts: tuple[str, ...]
    """The pattern between its slashes; `**` stands for any number of folders."""
    is_lfs: bool


def rules_in(text: str, folder: str = "") -> tuple[Rule, ...]:
    """The rules of one `.gitattributes`; lines that cannot be understood say nothing, as with git."""
    found: list[Rule] = []
    macros = {"filter=lfs"}
    for line in text.splitlines()[: MAX_RULES * 4]:
        pattern, words = _split(line.strip())
        if len(pattern) > MAX_PATTERN:
            continue
        if pattern.startswith("[attr]") and not macros.isdisjoint(words):
            macros.add(pattern.removeprefix("[attr]"))
        elif pattern and len(found) < MAX_RULES and (is_lfs := _verdict(words, macros)) is not None:
            found.append(Rule(folder, _parts(pattern), is_lfs))
    return tuple(found)


def _split(line: str) -> tuple[str, list[str]]:
    """Pattern and attributes; a pattern with blanks stands in double quotes."""
    if not line or line.startswith("#"):
        return "", []
    if line.startswith('"'):
        pattern, quote, rest = line[1:].partition('"')
        return (pattern, rest.split()) if quote else ("", [])
    pattern, *words = line.split()
    return pattern, words


def _verdict(words: Sequence[str], macros: set[str]) -> bool | None:
    """Whether the line sets or unsets the filter, None where it does not speak of it; its last word holds."""
    verdict = None
    for word in words:
        if word in macros:
            verdict = True
        elif word.lstrip("-!").partition("=")[0] == "filter" or word.lstrip("-!") in macros:
            verdict = False
    return verdict


def _parts(pattern: str) -> tuple[str, ...]:
    """A pattern without a slash fits a name in any folder."""
    clean = _POSIX.sub(lambda match: _CLASSES.get(match[1], ""), pattern).replace("[^", "[!")
    clean = re.sub(r"\\(.)", lambda match: f"[{match[1]}]" if match[1] in "*?[" else match[1], clean)
    parts = tuple(clean.removeprefix("/").split("/")) if "/" in clean else ("**", clean)
    return (*parts, "*") if parts[-1] == "**" else parts  # a closing `**` stands for what is inside


def is_lfs_path(path: str, rules: Sequence[Rule]) -> bool:
    """Whether the rules, outermost first, hand a path to Git LFS; the last that fits holds."""
    return next((rule.is_lfs for rule in reversed(rules) if _fits(path, rule)), False)


def _fits(path: str, rule: Rule) -> bool:
    """Each name is met once for each part of the pattern, so that no pattern takes long."""
    if not path.startswith(rule.folder):
        return False
    parts = rule.parts
    at = _open({0}, parts)
    reached: set[int] = set()
    for name in path[len(rule.folder) :].split("/"):
        reached = {
            place if parts[place] == "**" else place + 1
            for place in at
            if place < len(parts) and (parts[place] == "**" or fnmatch.fnmatchcase(name, parts[place]))
        }
        at = _open(reached, parts)
    return len(parts) in reached


def _open(places: set[int], parts: tuple[str, ...]) -> set[int]:
    """The places, and those behind a `**`, which may stand for no folder at all."""
    found = set(places)
    for place in sorted(places):
        while place < len(parts) and parts[place] == "**":
            place += 1
            found.add(place)
    return found


# ---------------------------------------------------------------- a commit


def pointers_below(objects: Objects, tree: str) -> dict[str, Pointer]:
    """All pointers of a tree by path, for which its `.gitattributes` name Git LFS; at most MAX_POINTERS."""
    found: dict[str, Pointer] = {}
    todo: list[tuple[str, str, tuple[Rule, ...]]] = [("", tree, ())]
    for _ in range(MAX_TREES):
        if not todo or len(found) >= MAX_POINTERS:
            break
        folder, oid, rules = todo.pop()
        rows = _rows(objects, oid)
        rules += rules_in(_text(objects, rows.get(_ATTRIBUTES)), folder)
        todo += [(f"{folder}{name}/", entry.id, rules) for name, entry in rows.items() if entry.is_tree]
        if rules:
            found.update(_pointers_in(objects, folder, rows, rules))
    return found


def pointer_at(objects: Objects, tree: str, path: str) -> Pointer | None:
    """The pointer at one path of a tree; None where the attributes on the way do not name Git LFS."""
    *folders, name = path.split("/")
    rules: tuple[Rule, ...] = ()
    at = ""
    for folder in (*folders, ""):
        rows = _rows(objects, tree)
        rules += rules_in(_text(objects, rows.get(_ATTRIBUTES)), at)
        if not folder:
            break
        below = rows.get(folder)
        if below is None or not below.is_tree:
            return None
        tree, at = below.id, f"{at}{folder}/"
    entry = rows.get(name)
    return parse_pointer(read_blob(objects, entry) or b"") if entry and is_lfs_path(path, rules) else None


def _pointers_in(
    objects: Objects, folder: str, rows: dict[str, Entry], rules: tuple[Rule, ...]
) -> Iterator[tuple[str, Pointer]]:
    for name, entry in rows.items():
        if entry.is_blob and is_lfs_path(folder + name, rules):
            pointer = parse_pointer(read_blob(objects, entry) or b"")
            if pointer is not None:
                yield folder + name, pointer


def _rows(objects: Objects, tree: str) -> dict[str, Entry]:
    return {os.fsdecode(name): Entry(int(mode, 8), raw.hex()) for mode, name, raw in read_tree(objects, tree) or ()}


def _text(objects: Objects, entry: Entry | None) -> str:
    data = read_blob(objects, entry) if entry is not None and entry.is_blob else None
    return data[:MAX_ATTRIBUTE_BYTES].decode("utf-8", "replace") if data else ""


def uses_lfs(objects: Objects, common: str, tree: str) -> bool:
    """Whether it is worth looking for pointers: git-lfs worked in this clone, or the top's attributes name it."""
    if os.path.isdir(os.path.join(common, "lfs")):
        return True
    return any(rule.is_lfs for rule in rules_in(_text(objects, _rows(objects, tree).get(_ATTRIBUTES))))
