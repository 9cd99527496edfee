"""Logs whose parameters have keys that no tree of keys was drawn for: they look the same, or have a thousand levels."""

from __future__ import annotations

import json
from pathlib import Path

from tests.events import scalar_file

KEYS = {
    "blanks": ["opt.a b", "opt.a\u2003b"],
    "long": ["opt." + "x" * 5000 + end for end in "12"],
    "deep": ["a." * n_levels + "x" for n_levels in range(1, 1001)],
}
"""By what is odd about them."""


def odd_runs(folder: Path, keys: list[str]) -> list[str]:
    """Two runs that differ in each of these parameters, and their folders."""
    folders = [folder / name for name in ("one", "two")]
    for number, run in enumerate(folders):
        scalar_file(
            run / "events.out.tfevents.1700000000.host", {"loss": [(step, 1.0 / (step + 1)) for step in (0, 1)]}
        )
        (run / "args.json").write_text(json.dumps({key: place + number for place, key in enumerate(keys)}))
    return [str(run) for run in folders]
