"""Readers of one content, each with the errors that it promises, and contents that it is given changed."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

Read = Callable[[bytes], object]


class Seed(NamedTuple):
    """What is changed: a text reader's content, or files in a folder."""

    target: str
    files: dict[str, bytes]
    changed: tuple[str, ...]
    """Names of the files among which one is changed."""


def catching(read: Read, *errors: type[Exception]) -> Read:
    """The reader, whose promised errors are no crashes."""

    def reading(content: bytes) -> object:
        try:
            return read(content)
        except errors:
            return None

    return reading


def _text(read: Callable[[str], object], *errors: type[Exception]) -> Read:
    return catching(lambda content: read(content.decode("utf-8", "replace")), *errors)


# ---------------------------------------------------------------- readers


def contents() -> dict[str, Read]:
    """By target."""
    return {**_texts(), **_git_texts(), **_bytes(), **_messages()}


def _texts() -> dict[str, Read]:
    from mlbench.errors import UsageError
    from mlbench.queries.filter import parse
    from mlbench.queries.mistakes import FilterError
    from mlbench.render.markdown_cells import markdown_lines
    from mlbench.settings import parse_settings
    from mlbench.wire.datarefs import refs_in_text
    from mlbench.wire.dump_literal import literal_value, read_literal
    from mlbench.wire.dump_tree import TreeError
    from mlbench.wire.dumps import parse_dump
    from mlbench.wire.notebook import assignments, percent_sources
    from mlbench.wire.packages import packages_in_text
    from mlbench.wire.yamltext import load_yaml

    return {
        "filter": _text(parse, FilterError),
        "yaml": _text(load_yaml, TreeError),
        "dump": _text(parse_dump, TreeError),
        "literal": _text(literal_value),
        "literal in a text": _text(read_literal, TreeError),
        "notebook cell": _text(assignments),
        "notebook script": _text(percent_sources),
        "escaping and redaction": _text(_everything_safe),
        "markdown": _text(lambda text: markdown_lines(text, 60)),
        "data names": _text(lambda text: list(refs_in_text(text))),
        "package list": _text(lambda text: list(packages_in_text(text))),
        "settings": catching(lambda content: parse_settings(content, "s"), UsageError),
    }


def _everything_safe(line: str) -> None:
    from mlbench import redaction
    from mlbench.safe import csv_cell, latex_text, markdown_code, markdown_text, safe, safe_lines

    for write in (
        safe,
        safe_lines,
        markdown_text,
        markdown_code,
        csv_cell,
        latex_text,
        redaction.redact_text,
        redaction.redact_url,
    ):
        write(line)


def _git_texts() -> dict[str, Read]:
    from mlbench.wire.gitindex import GitIndexError, read_index
    from mlbench.wire.gitlfs import is_lfs_path, parse_pointer, rules_in
    from mlbench.wire.gitobjects import parse_commit
    from mlbench.wire.notebookdiff import cell_changes, cells_of
    from mlbench.wire.patches import patched, split_patch

    def attributes(text: str) -> None:
        rules = rules_in(text, "")
        for path in ("data/a/b.bin", "x.psd", "a" * 200, "deep/" * 30 + "y.tar.gz"):
            is_lfs_path(path, rules)

    def book(content: bytes) -> None:
        old = cells_of("a.ipynb", _notebook()) or []
        new = cells_of("a.ipynb", content)
        if new is not None:
            for change in cell_changes(old, new):
                assert change.lines is not None

    return {
        "git index": catching(read_index, GitIndexError),
        "git commit": lambda content: parse_commit("a" * 40, content),
        "git attributes": _text(attributes),
        "git lfs pointer": parse_pointer,
        "patch": _text(lambda text: [patched("a\nb\nc\n" * 20, file) for file in split_patch(text)]),
        "notebook cells": book,
    }


def _bytes() -> dict[str, Read]:
    from mlbench.journal import fold
    from mlbench.journal.entries import parse_lines
    from mlbench.wire.png import read_png

    def journal(content: bytes) -> None:
        fold(entry for entry, _line in parse_lines(content.split(b"\n"), "j", []))

    return {"journal lines": journal, "png": catching(read_png, ValueError)}


def _messages() -> dict[str, Read]:
    """Blobs of event files, in each encoding that they may have."""
    from mlbench.wire import histograms, layouts, pr_curves, texts
    from mlbench.wire.protobuf import WireError
    from mlbench.wire.tfma import parse_verdict

    def both(read: Callable[[bytes, str], object]) -> Read:
        def reading(content: bytes) -> None:
            for encoding in ("proto", "tensor", "utf-8"):
                catching(lambda raw, encoding=encoding: read(raw, encoding), WireError)(content)  # type: ignore[misc]

        return reading

    return {
        "histogram": both(histograms.read_histogram),
        "pr curve": both(pr_curves.read_pr_curve),
        "layout": both(layouts.read_layout),
        "logged text": both(texts.read_texts),
        "tfma verdict": catching(parse_verdict, WireError),
    }


# ---------------------------------------------------------------- what they are given


def content_seeds() -> Iterator[Seed]:
    """A few contents for each reader; those of adapters' files are taken too (`fuzzing.seeds`)."""
    for target, pieces in {**_plain_seeds(), **_git_seeds(), **_message_seeds()}.items():
        for piece in pieces:
            yield Seed(target, {"x": piece}, ("x",))


def _plain_seeds() -> dict[str, list[bytes]]:
    from tests.unit.queries.ebnf import __doc__ as grammar
    from tests.unit.wire.event_messages import __doc__ as messages

    filters = (
        "metrics.val/loss < 0.3 and lr between 1e-4 and 1e-2", "tag:best or not (status = running)", "name ~ 'a.*b' and n in (1, 2)",
        "min(metrics.loss) < 0.1", "optimizer != adam and params.\"a b\" is null", "loss at step 100 < 2", "-tag:bad created > 7d",
    )  # fmt: skip
    return {
        "filter": [text.encode() for text in filters],
        "journal lines": [_journal()],
        "literal": [b"Namespace(lr=0.1, betas=(0.9, 0.99), d={'a': [1, None]})", b"[1, 2.5, 'x', True]", b"tensor([1., 2.])"],
        "notebook cell": [b"lr = 0.1\nname = 'x'\nlayers = [64, 64]\nd = {'a': 1}\n"],
        "notebook script": [b"# %%\nlr = 0.1\n# %% [markdown]\n# # Title\n"],
        "yaml": [b"a: &x {b: 1}\nc: *x\nd:\n  - 1\n  - !!python/tuple [1, 2]\ne: |\n  text\n"],
        "escaping and redaction": [f"{grammar} {messages} https://u:p@h/x?token=abc --api-key sk-abcdef".encode()],
        "markdown": [b"# T\n\n| a | b |\n| --- | ---: |\n| *x* | `y` |\n\n> q\n\n1. [l](http://x/y)\n- **b** __c__\n\n```py\nx\n```\n***\n"],
        "data names": [b"--data lakefs://repo/main/a/b --in /pfs/images/x s3://b/k feast:driver_stats:trips"],
        "package list": [b"numpy==1.2\ntorch @ https://u:p@h/x.whl ; python_version<'3'\n-e git+https://h/r#egg=x\n# c\nPackage Version\n---- ----\na 1\n"],
        "settings": [b"smoothing = 0.6\ntheme = 'dark'\n[keys]\nquit = 'q'\n[columns]\nx = ['a', 'b']\n"],
        "png": [_png()],
    }  # fmt: skip


def _git_seeds() -> dict[str, list[bytes]]:
    commit = (
        b"tree "
        + b"a" * 40
        + b"\nparent "
        + b"b" * 40
        + b"\nauthor A <a@b> 1700000000 +0100\ncommitter A <a@b> 1700000000 +0100\nencoding latin-1\n\nMessage\n"
    )
    index = (
        b"DIRC" + (2).to_bytes(4, "big") + (1).to_bytes(4, "big") + bytes(60) + b"\x00\x05a.txt" + bytes(10) + bytes(20)
    )
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12\n"
    patch = b"diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,3 +1,4 @@\n a\n-b\n+d\n+e\n c\n@@ -9 +10 @@\n-c\n+z\n"
    return {
        "git commit": [commit],
        "git index": [index],
        "git attributes": [b'*.psd filter=lfs diff=lfs -text\n/data/** filter=lfs\n"a b" !filter\n[attr]big filter=lfs\n[!a-c]?*.x big\n'],
        "git lfs pointer": [pointer],
        "patch": [patch + patch],
        "notebook cells": [_notebook()],
    }  # fmt: skip


def _message_seeds() -> dict[str, list[bytes]]:
    from tests.unit.wire import event_messages, test_histograms, test_layouts, test_pr_curves

    histogram = test_histograms.proto([0.0, 1.0, 2.0, 3.0], [0.0, 4.0, 2.0, 0.0], low=0.1, high=1.9)
    rows = [[number / 8 for number in range(8)] for _ in range(6)]
    buckets = event_messages.tensor("DOUBLE", (2, 3), double_val=[0.0, 1.0, 2.0, 1.0, 2.0, 3.0])
    words = event_messages.tensor("STRING", (2, 2), string_val=[b"a", b"b", b"c", b"d"])
    return {
        "histogram": [histogram.SerializeToString(), buckets.SerializeToString()],
        "pr curve": [test_pr_curves.curve_message(rows).SerializeToString()],
        "layout": [test_layouts.layout().SerializeToString()],
        "logged text": [words.SerializeToString(), b"text"],
        "tfma verdict": [b"\x08\x01\x12\x10\x0a\x02\x08\x01\x1a\x0a\x0a\x08\x0a\x06metric\x1a\x00\x28\x01"],
    }


def _journal() -> bytes:
    from mlbench.journal import Entry, RunRef
    from mlbench.journal.entries import line_of

    runs = (RunRef("/r/1", "f1"), RunRef("/r/2", "f2"))
    entries = [
        Entry(1_700_000_000_000_000 + number, number % 3, f"a{number % 2}", number, "ada@node", op, runs[: 1 + number % 2], add, remove, key, text)
        for number, (op, add, remove, key, text) in enumerate((
            ("tag", ("best", "x y"), ("bad",), "", ""), ("note", (), (), "", "it *diverged*"), ("note", (), ("a1-1",), "", "no"),
            ("name", (), (), "", "first"), ("baseline", (), (), "scope", ""), ("view", (), (), "mine", "{}"),
            ("undo", (), ("a0-0",), "", ""), ("archive", (), (), "", "yes"), ("goal", (), (), "loss", "min"),
            ("adopt", (), (), "/r/0", ""), ("root", (), (), "", "/r"),
        ))
    ]  # fmt: skip
    return b"".join(line_of(entry) for entry in entries)


def _notebook() -> bytes:
    from tests.unit.wire.notebook_builder import notebook

    dice = random.Random(1)
    sources = [f"x{number} = {dice.random()}\nprint('{number}')\n" for number in range(6)]
    return notebook(("markdown", "# Title\n"), *(("code", source) for source in sources), count=1, output="0.5\n")


def _png() -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\x01" + bytes(range(12)) for _ in range(4))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
