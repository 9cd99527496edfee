"""`mlbench doctor --crc`: check event files with progress on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mlbench.cli.common import chosen_format, print_lines, print_records, talk, width_cells

if TYPE_CHECKING:
    from mlbench.ingest.checking import Checked

REDRAW_S = 0.1
ERASE = "\r\x1b[K"


def check_files(paths: Sequence[str], form: str | None, *, is_strict: bool) -> int:
    """Check event files and print every place that does not check.

    Returns:
        3 when a place is damaged or a file cannot be read (strictly: or ends within a record), else 0.
    """
    from mlbench.ingest.checking import check_paths
    from mlbench.render.damage import checked_text, damage_records, damage_table
    from mlbench.render.table import layout

    try:
        checked = check_paths(paths, on_progress=_drawer())
    finally:
        if sys.stderr.isatty():
            sys.stderr.write(ERASE)
    chosen = chosen_format(form)
    if chosen != "table":
        print_records(damage_records(checked.places), chosen)
    elif checked.places:
        print_lines(layout(damage_table(checked.places), width_cells()))
    talk(checked_text(checked))
    if not checked.n_total:
        talk("no event files were found. Their names contain 'tfevents'; a file that is named itself is always checked")
    return 3 if checked.n_damaged or (is_strict and checked.n_truncated) else 0


def _drawer() -> Callable[[Checked], None]:
    if not sys.stderr.isatty():
        return lambda _checked: None
    drawn_at = time.monotonic()

    def draw(checked: Checked) -> None:
        nonlocal drawn_at
        if time.monotonic() - drawn_at < REDRAW_S:
            return
        drawn_at = time.monotonic()
        sys.stderr.write(f"{ERASE}{progress_text(checked)}")
        sys.stderr.flush()

    return draw


def progress_text(checked: Checked) -> str:
    """`1,078 of 2,000 files checked, 3.2 GB, 1 damaged`."""
    from mlbench.render.numbers import size

    damaged = f", {checked.n_damaged:,} damaged" if checked.n_damaged else ""
    return f"{checked.n_files:,} of {checked.n_total:,} files checked, {size(checked.n_bytes)}{damaged}"
