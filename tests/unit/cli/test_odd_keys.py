"""`mlbench diff` of runs whose keys look the same or have a thousand levels."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.odd_keys import KEYS, odd_runs
from tests.unit.cli.conftest import Done


@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS.keys())
def test_each_of_odd_keys_has_its_line(
    keys: list[str], mlbench: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    folders = odd_runs(tmp_path / "odd", keys)
    assert mlbench("ingest", str(tmp_path / "odd")).code == 0

    done = mlbench("diff", *folders, "--format", "table")

    params = done.out.partition("\n\n")[0].splitlines()
    assert done.code == 0
    assert params[0] == f"params: {len(keys)} differ"
    values = sorted(int(line.split()[-1]) for line in params[2:] if line[-1].isdecimal())
    assert values == list(range(1, len(keys) + 1))
