"""Mappings in an ingest: whose files they take, and what is read again when they change."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlbench.catalog.reader import open_reader
from mlbench.errors import UsageError
from mlbench.ingest.run import ingest_paths
from mlbench.main import run
from mlbench.paths import Home
from mlbench.watch import Watcher
from tests.unit.adapters.reading import write

RULES = "files:\n  - match: a.csv\n    step: t\n  - match: b.csv\n    step: t\n"
FILES = {"x/a.csv": "t,loss\n1,0.5\n", "y/b.csv": "t,err\n1,0.25\n"}


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return write(tmp_path / "logs", {"mlbench-mapping.yaml": RULES, **FILES})


def series(home: Home) -> list[tuple[object, ...]]:
    with open_reader(home, now_s=1_800_000_000.0) as reader:
        return reader.rows("SELECT metric, last_step, last_value FROM series ORDER BY ALL")


def test_only_the_files_whose_rule_changed_are_read_again(home: Home, logs: Path) -> None:
    ingest_paths(home, [str(logs)])
    (logs / "mlbench-mapping.yaml").write_text(
        "# ours\n" + RULES.replace("step: t\n  -", "rename: {loss: l}\n    step: t\n  -")
    )

    summary = ingest_paths(home, [str(logs)])

    assert (summary.n_read, summary.n_unchanged) == (1, 1)
    assert series(home) == [("err", 1, 0.25), ("l", 1, 0.5)]


def test_a_changed_mapping_is_seen_while_following(home: Home, logs: Path) -> None:
    watcher = Watcher(home, [str(logs)])
    watcher.look()
    (logs / "mlbench-mapping.yaml").write_text(
        RULES.replace("b.csv\n    step: t", "b.csv\n    step: t\n    prefix: val/")
    )

    watcher.look()
    idle = watcher.look()

    assert series(home) == [("loss", 1, 0.5), ("val/err", 1, 0.25)]
    assert idle is None


def test_a_changed_mapping_of_the_settings_is_seen_while_following(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = write(tmp_path / "logs", FILES)
    mapping = write(tmp_path, {"m.yaml": RULES}) / "m.yaml"
    monkeypatch.setenv("MLBENCH_MAPPING", str(mapping))
    watcher = Watcher(home, [str(logs)])
    watcher.look()
    mapping.write_text(RULES.replace("b.csv\n    step: t", "b.csv\n    step: t\n    prefix: val/"))

    watcher.look()

    assert series(home) == [("loss", 1, 0.5), ("val/err", 1, 0.25)]


def test_what_a_mapping_names_no_other_adapter_reads(home: Home, tmp_path: Path) -> None:
    rules = "files:\n  - match: metrics.csv\n    step: epoch\n    metrics: [loss]\n  - match: left/*.csv\n    ignore: true\n"
    table = "step,epoch,loss,acc\n10,1,0.5,0.1\n"
    write(tmp_path / "logs", {"mlbench-mapping.yaml": rules, "run/metrics.csv": table, "left/results.csv": table})

    ingest_paths(home, [str(tmp_path / "logs")])

    assert series(home) == [("loss", 1, 0.5)]


def test_a_mapping_nearer_to_the_file_is_stronger(home: Home, logs: Path) -> None:
    write(logs, {"x/mlbench-mapping.yaml": "files:\n  - match: '*.csv'\n    step: t\n    prefix: near/\n"})

    ingest_paths(home, [str(logs)])

    assert series(home) == [("err", 1, 0.25), ("near/loss", 1, 0.5)]


def test_one_run_that_grew_is_read_and_the_others_of_its_file_are_not(home: Home, tmp_path: Path) -> None:
    rules = "files:\n  - match: all.csv\n    run: who\n    step: t\n"
    logs = write(tmp_path / "logs", {"mlbench-mapping.yaml": rules, "all.csv": "who,t,loss\na,1,0.5\nb,1,0.4\n"})
    ingest_paths(home, [str(logs)])
    with (logs / "all.csv").open("a", encoding="utf-8") as file:
        file.write("b,2,0.3\n")

    summary = ingest_paths(home, [str(logs)])

    assert (summary.n_runs, summary.n_changed, summary.n_unchanged) == (2, 1, 1)
    assert series(home) == [("loss", 1, 0.5), ("loss", 2, 0.3)]


def test_the_option_holds_for_its_command_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = write(tmp_path / "logs", FILES)
    mapping = write(tmp_path, {"m.yaml": RULES}) / "m.yaml"
    monkeypatch.setenv("MLBENCH_HOME", str(tmp_path / "home"))

    code = run(["ingest", "--mapping", str(mapping), str(logs), "--format", "json"])

    out, err = capsys.readouterr()
    assert code == 0
    assert '"runs": 2' in out
    assert f'mapping = "{mapping}" in settings.toml' in err
    assert "MLBENCH_MAPPING" not in __import__("os").environ


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "there is no mapping here"),
        ("files:\n  - match: a\n    stepp: t\n", "m.yaml:3: 'stepp' is no key of a rule. Did you mean 'step'?"),
    ],
)
def test_a_mapping_of_the_settings_with_a_mistake_ends_the_command(
    text: str | None, told: str, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = write(tmp_path / "logs", FILES)
    if text is not None:
        write(tmp_path, {"m.yaml": text})
    monkeypatch.setenv("MLBENCH_MAPPING", str(tmp_path / "m.yaml"))

    with pytest.raises(UsageError) as caught:
        ingest_paths(home, [str(logs)])
    assert told in str(caught.value)


def test_a_mistake_beside_the_logs_is_a_problem_and_the_rest_is_read(home: Home, logs: Path) -> None:
    (logs / "mlbench-mapping.yaml").write_text(RULES.replace("step: t\n  -", "stepp: t\n  -"))

    ingest_paths(home, [str(logs)])

    assert series(home) == [("err", 1, 0.25)]
    with open_reader(home, now_s=1_800_000_000.0) as reader:
        assert reader.rows("SELECT place, what FROM problems") == [("line 3", "'stepp' is no key of a rule")]
