"""Tables are drawn at the first paint and by commands that print a line: they load nothing heavy."""

import subprocess
import sys

LIGHT = ("ansi", "cells", "diff", "export", "labels", "numbers", "palette", "problems", "records", "runs", "show",
         "sparkline", "table", "verdict")  # fmt: skip
HEAVY = ("numpy", "pyarrow", "duckdb", "plotext", "scipy", "textual", "rich", "tensorboard", "yaml")


def test_tables_load_nothing_heavy() -> None:
    imports = "; ".join(f"import mlbench.render.{name}" for name in LIGHT)
    code = f"import sys; {imports}; print(sorted({HEAVY!r} & sys.modules.keys()))".replace(
        repr(HEAVY), repr(set(HEAVY))
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout == "[]\n"


def test_drawing_curves_loads_neither_plotext_nor_scipy() -> None:
    code = "import sys, mlbench.render.report; print(sorted({'plotext', 'scipy', 'pyarrow', 'duckdb'} & sys.modules.keys()))"

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout == "[]\n"
