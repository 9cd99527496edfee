"""Lines of a text log, one after another, bounded, with what was wrong noted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.model import Problem, ReadStatus
from mlbench.wire.content import lfs_problem, unreadable
from mlbench.wire.files import is_lfs_pointer, open_regular

MAX_LINE_BYTES = 1 << 20
"""Of a longer line only so much is looked at."""


@dataclass(slots=True)
class TextLog:
    """A log while it is read."""

    path: str
    status: ReadStatus = ReadStatus.EOF
    problems: list[Problem] = field(default_factory=list)
    n_lines: int = 0

    def lines(self) -> Iterator[str]:
        """Every ended line without its end; the last one, if it has no end, is being written and is left out."""
        try:
            with open_regular(self.path) as file:
                while line := file.readline(MAX_LINE_BYTES):
                    self.n_lines += 1
                    if self.n_lines == 1 and is_lfs_pointer(line):
                        self.status = ReadStatus.LFS_POINTER
                        self.problems.append(lfs_problem(self.path))
                        return
                    if not line.endswith(b"\n") and len(line) < MAX_LINE_BYTES:
                        self.status = ReadStatus.TRUNCATED
                        return
                    yield line.decode("utf-8", "replace").rstrip("\r\n")
        except OSError as error:
            self.status = ReadStatus.UNREADABLE
            self.problems.append(unreadable(self.path, error))
            return
        if not self.n_lines:
            self.status = ReadStatus.EMPTY
