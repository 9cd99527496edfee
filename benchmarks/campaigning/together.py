"""One writer that publishes and eight readers for a minute: `together.py`, with its figures written down."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from campaigning import Figure, Plan

COUNT = 60
"""Seconds."""


def campaign(plan: Plan) -> Iterator[Figure]:
    """Run it with a catalog of 10,000 runs, and read what it prints."""
    script = Path(__file__).parent.parent / "together.py"
    command = [sys.executable, str(script), str(plan.folder), str(plan.count)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    print(said, end="")
    numbers = re.search(r"errors (\d+), torn answers (\d+) of (\d+)", said)
    longest = dict(re.findall(r"^(\w+): .*longest (\d+) ms$", said, re.MULTILINE))
    blocked = dict(re.findall(r"^(\w+): .*99 % ([\d.]+)", said, re.MULTILINE))
    if numbers is None or "opening" not in longest:
        yield Figure("one writer and eight readers", "it did not end", "", is_met=False)
        return
    errors, torn, n = map(int, numbers.groups())
    yield Figure.none_of("readers that ended with an error, of eight", errors, 8)
    yield Figure.none_of("torn answers", torn, n)
    for what in ("opening", "commit"):
        measured = f"99 of 100: {blocked[what]} ms, longest {longest[what]} ms"
        yield Figure(f"{what} blocked by others", measured, "250 ms", int(longest[what]) <= 250)
