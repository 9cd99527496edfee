"""What the first paint may load: Textual, and nothing that takes long."""

from __future__ import annotations

import subprocess
import sys

from tests.paths import ROOT

HEAVY = (
    "numpy",
    "pyarrow",
    "duckdb",
    "plotext",
    "tensorboard",
    "PIL",
    "yaml",
    "scipy",
    "dulwich",
    "pandas",
    "mlbench.ingest",
)
SCRIPT = """
import asyncio, sys
from mlbench.tui.app import Workbench
from mlbench.tui.catalog_session import CatalogSession
from mlbench.paths import find_home

def begin(self):
    print("painted", *[name for name in {heavy!r} if name in sys.modules])
    self.exit(0)

Workbench._begin = begin

async def main():
    app = Workbench(CatalogSession(find_home("/nowhere"), ["/nowhere"]))
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.pause()

asyncio.run(main())
"""


def test_the_first_paint_loads_nothing_heavy() -> None:
    script = SCRIPT.format(heavy=HEAVY)

    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.stdout.strip() == "painted", ran.stderr


def test_why_not_open_loads_no_textual() -> None:
    script = "import sys, mlbench.tui.terminal; print('textual' in sys.modules, 'rich' in sys.modules)"

    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "False False"
