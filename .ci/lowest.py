"""The lowest version of each dependency that pyproject.toml allows, as constraints for pip: `name==lowest`, one a line.

Usage: python .ci/lowest.py [EXTRA ...] > constraints.txt
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(.*)")
_LOWEST = re.compile(r"(?:>=|==|~=)\s*([0-9][0-9A-Za-z.]*)")


def constraints(extras: Iterable[str]) -> Iterator[str]:
    """Of the package itself and of these extras; what has no lower bound is left to pip."""
    project = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in extras for one in project["optional-dependencies"][extra])]
    for requirement in dict.fromkeys(wanted):
        found = _REQUIREMENT.fullmatch(requirement.partition(";")[0].strip())
        lowest = _LOWEST.search(found[2]) if found else None
        if found and lowest:
            yield f"{found[1]}=={lowest[1]}"


if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in constraints(sys.argv[1:])))
