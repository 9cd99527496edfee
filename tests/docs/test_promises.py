"""Every test that a page names as holding a promise is there."""

import ast
import re

import pytest

from tests.docs.pages import DOCS
from tests.paths import ROOT

_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
PROMISES = sorted(set(_NAMED.findall((DOCS / "reliability.md").read_text(encoding="utf-8"))))


@pytest.mark.parametrize(("path", "name"), PROMISES)
def test_a_promise_is_held_by_a_test_that_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))

    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_security_is_promised_with_tests() -> None:
    assert len(PROMISES) >= 12
