"""What a handler is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from mlbench.tui.desk import Desk

Handler: TypeAlias = Callable[[Desk, int], None]
"""Gets the desk and the number typed before the key, 1 without one."""
