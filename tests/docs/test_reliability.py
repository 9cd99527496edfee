"""docs/reliability.md: every promise names a test that exists, and every campaign has its place."""

import ast
import importlib.util
import re
from types import ModuleType

from tests.paths import ROOT

PAGE = ROOT / "docs" / "reliability.md"
BENCHMARKS = ROOT / "benchmarks"


def campaigns() -> ModuleType:
    """benchmarks/campaigns.py, which finds its package beside itself."""
    import sys

    sys.path.insert(0, str(BENCHMARKS))
    try:
        spec = importlib.util.spec_from_file_location("campaigns", BENCHMARKS / "campaigns.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(BENCHMARKS))


def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_promise_names_a_test_that_exists() -> None:
    promised = PAGE.read_text("utf-8").partition("## Figures")[0]
    rows = [row for row in promised.splitlines() if row.startswith("| ") and not row.startswith(("| promise", "| ---"))]

    named = [re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row) for row in rows]

    assert len(rows) > 25
    assert [row for row, tests in zip(rows, named, strict=True) if not tests] == []
    assert [(path, name) for tests in named for path, name in tests if name not in functions_of(path)] == []


def test_every_campaign_has_its_place() -> None:
    page = PAGE.read_text("utf-8")

    names = campaigns().names()

    assert {"kill", "power", "disk-full", "soak", "flip", "folding"} <= set(names)
    assert [n for n in names if f"<!-- campaign {n} -->" not in page or f"<!-- end of {n} -->" not in page] == []


def test_a_table_is_written_between_its_markers_and_nowhere_else() -> None:
    module = campaigns()
    page = "before\n<!-- campaign kill -->\nold\n<!-- end of kill -->\nafter\n"
    figure = module.Figure.none_of("words lost", 0, 2_000)

    written = module.written(page, "kill", [figure], "abc1234, 1.0 minutes")

    assert written == (
        "before\n<!-- campaign kill -->\n`campaigns.py kill` at commit abc1234, 1.0 minutes:\n\n"
        "| counted | measured | promised |\n| --- | --- | --- |\n| words lost | 0 of 2,000 | 0 |\n"
        "<!-- end of kill -->\nafter\n"
    )
    assert figure.is_met
    assert not module.Figure.none_of("words lost", 0, 0).is_met
