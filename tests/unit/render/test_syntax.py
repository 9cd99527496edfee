"""Code in a diff in its colours."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.render.cells import ROLES, plain
from mlbench.render.palette import look
from mlbench.render.patch import patch_lines
from mlbench.render.syntax import coloured_code, language_of
from mlbench.safe import safe

PATHS = ("a.py", "a.cu", "a.sh", "a.yaml", "a.json", "Makefile", "a.unknown")


def roles(text: str, path: str) -> list[tuple[str, str]]:
    return [(str(cell.text), cell.role) for cell in coloured_code(safe(text), language_of(path)) if cell.role]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("train.py", "    for x in range(10):  # all", [("for", "keyword"), ("in", "keyword"), ("10", "number"),
                                                        ("# all", "muted")]),
        ("train.py", "lr = 1e-3 * f\"a\\\"b\" + 'c'", [("1e-3", "number"), ('f"a\\"b"', "string"), ("'c'", "string")]),
        ("train.py", "before = importer", []),
        ("k.cu", "return x; // done", [("return", "keyword"), ("// done", "muted")]),
        ("conf/a.yaml", "  optim.lr: 0.1  # high", [("optim", "key"), ("0.1", "number"), ("# high", "muted")]),
        ("a.json", '  "lr": true,', [('"lr"', "key"), ("true", "keyword")]),
        ("a.toml", "lr = 'x'", [("lr", "key"), ("'x'", "string")]),
        ("notes.txt", "for x in 10", []),
    ],
)  # fmt: skip
def test_a_line_has_the_colours_of_its_language(path: str, text: str, expected: list[tuple[str, str]]) -> None:
    assert roles(text, path) == expected


def test_a_patch_keeps_its_signs_and_grounds_and_ends_with_the_page() -> None:
    patch = "diff --git a/x.py b/x.py\n@@ -1,2 +1,2 @@\n-lr = 1\n+lr = 2 # up\n pass\n"

    lines = patch_lines(patch, 20)

    removed, added, context = lines[-3:]
    assert [(str(cell.text), cell.role, cell.back) for cell in removed] == [
        ("-", "bad", "removed"), ("lr = ", "bad", "removed"), ("1", "number", "removed"), (" " * 13, "", "removed"),
    ]  # fmt: skip
    assert [cell.role for cell in added] == ["good", "good", "number", "good", "muted", ""]
    assert {cell.back for cell in added} == {"added"}
    assert [(str(cell.text), cell.role) for cell in context if cell.text] == [(" ", ""), ("pass", "keyword")]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=80), st.sampled_from(PATHS))
def test_no_character_is_lost(text: str, path: str) -> None:
    line = coloured_code(safe(text), language_of(path))

    assert plain([line]) == safe(text).rstrip()
    assert {cell.role for cell in line} <= set(ROLES)


@pytest.mark.parametrize("piece", ['"', "'\\", "1e", "a.", "/*", "`", '"\\"'])
def test_hostile_lines_are_read_in_one_pass(piece: str) -> None:
    line = safe((piece * 1000)[:2000])

    began = time.process_time()
    for path in PATHS:
        coloured_code(line, language_of(path))

    assert time.process_time() - began < 0.5


def test_every_role_of_code_has_a_colour_on_both_grounds() -> None:
    for role in ("keyword", "string", "number", "added", "removed"):
        assert look(role).colour != look(role, is_light=True).colour != ""
