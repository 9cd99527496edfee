"""Promises of patches: what a file is after one, or None where it does not fit."""

import difflib
import random

import pytest

from mlbench.wire.patches import FilePatch, patched, split_patch


@pytest.mark.parametrize("seed", range(40))
def test_a_patch_gives_the_file_that_it_was_made_from(seed: int) -> None:
    pick = random.Random(seed)
    old = [pick.choice("abcd") for _ in range(pick.randint(0, 30))]
    new = [line for line in old if pick.random() > 0.2]
    for _ in range(pick.randint(0, 4)):
        new.insert(pick.randint(0, len(new)), pick.choice("xyz"))
    hunks = tuple(difflib.unified_diff([*old, ""], [*new, ""], lineterm="", n=pick.randint(0, 3)))

    assert patched("\n".join([*old, ""]), FilePatch("a", "a", hunks)) == "\n".join([*new, ""])


@pytest.mark.parametrize(
    "hunk",
    [
        "@@ -1 +1 @@\n-b\n+c",
        "@@ -" + "9" * 5000 + " +1 @@\n-a\n+c",
        "@@ -9 +9 @@\n-a\n+c",
        "@@ -1 +1 @@\n-a",
        "@@ -1 +1 @@\n?a\n+c",
    ],
)
def test_what_does_not_fit_or_was_cut_is_nothing(hunk: str) -> None:
    assert patched("a\n", FilePatch("a", "a", tuple(hunk.split("\n")))) is None


def test_the_files_of_a_patch_are_told_apart_and_nothing_is_lost() -> None:
    text = "note\ndiff --git a/x b/y\nnew file mode\n+1\ndiff --git odd\n"

    files = list(split_patch(text))

    assert [(file.old_path, file.path, file.is_new) for file in files] == [
        ("", "", False), ("x", "y", True), ("", "", False)
    ]  # fmt: skip
    assert "\n".join(line for file in files for line in file.lines) == text
