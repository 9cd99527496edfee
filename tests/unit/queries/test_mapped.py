"""Promises of what is told of the user's mappings: of each rule the files and the runs."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlbench.queries.mapped import MappedRule, mapped_rules
from tests.unit.queries.conftest import FakeReader

RULES = "files:\n  - match: '*.csv'\n    step: t\n  - match: '*.json'\n    step: t\n"


def told(reader: FakeReader, monkeypatch: Any, rows: Sequence[tuple[str, str, int]]) -> tuple[MappedRule, ...]:
    monkeypatch.setattr(reader, "rows", lambda sql, _parameters=(): rows if "adapter" in sql else [(rows[0][1],)])
    return mapped_rules(reader)


def test_files_and_runs_are_counted_for_the_rule_that_holds(
    empty: FakeReader, monkeypatch: Any, tmp_path: Path
) -> None:
    (tmp_path / "mlbench-mapping.yaml").write_text(RULES)
    rows = [(f"{tmp_path}/a.csv#x", str(tmp_path), 1), (f"{tmp_path}/a.csv#y", str(tmp_path), 1), (f"{tmp_path}/b.csv", str(tmp_path), 3)]  # fmt: skip

    found = told(empty, monkeypatch, rows)

    assert [(rule.match, rule.n_files, rule.n_runs) for rule in found] == [("*.csv", 2, 5), ("*.json", 0, 0)]


def test_many_files_of_one_rule_take_time_in_proportion(empty: FakeReader, monkeypatch: Any, tmp_path: Path) -> None:
    (tmp_path / "mlbench-mapping.yaml").write_text(RULES)

    def cpu_s(n: int) -> float:
        rows = [(f"{tmp_path}/{place}.csv", str(tmp_path), 1) for place in range(n)]
        began = time.process_time()
        assert told(empty, monkeypatch, rows)[0].n_files == n
        return time.process_time() - began

    few = min(cpu_s(1000) for _ in range(3))

    assert cpu_s(16_000) < 64 * few  # 16 times as many; 130 times as long when each file copied those before it
