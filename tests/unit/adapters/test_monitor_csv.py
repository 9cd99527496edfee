import math
from pathlib import Path

import pytest

from mlbench.adapters.monitor_csv import ADAPTER, metric_prefix
from mlbench.model import Points, ReadStatus
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats
from tests.unit.adapters.reading import (
    claims_below,
    cursor_of,
    fields_of,
    params_of,
    points_of,
    problems_of,
    read,
    read_only_claim,
    series_of,
    write,
)


@needs_corpora
def test_each_of_the_18_runs_has_its_monitors() -> None:
    claims = claims_below(ADAPTER, CORPORA / "sb3-ppo-three-seeds")

    assert len(claims) == 240
    assert len({claim.run_folder for claim in claims}) == 18


@needs_corpora
def test_steps_count_the_environment_s_own_steps() -> None:
    folder = CORPORA / "sb3-ppo-three-seeds" / "logs" / "ppo" / "Acrobot-v1_1"
    claim = next(claim for claim in claims_below(ADAPTER, folder) if claim.path.endswith("/0.monitor.csv"))

    facts = read(ADAPTER, claim)

    assert points_of(facts, "monitor.0/r")[:3] == [(500, -500.0), (1000, -500.0), (1344, -343.0)]
    assert fields_of(facts) == {"started": 1611507036.5122116}
    assert params_of(facts) == {"env_id": "Acrobot-v1"}


@needs_formats
def test_it_agrees_with_what_is_known_of_the_sample() -> None:
    facts = read_only_claim(ADAPTER, FORMATS / "sb3")

    assert series_of(facts)["monitor.mon/r"] == (21, 25, 992, 40.0)
    batch = next(fact for fact in facts if isinstance(fact, Points))
    assert batch.wall_s[0] == pytest.approx(1795418526.413397)


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("monitor.csv", "monitor"), ("3.monitor.csv", "monitor.3"), ("eval.0.monitor.csv", "monitor.eval.0")],
)
def test_metrics_are_named_by_the_file(name: str, prefix: str) -> None:
    assert metric_prefix(name) == prefix


def test_a_row_without_a_length_has_no_step(tmp_path: Path) -> None:
    write(tmp_path, {"monitor.csv": '#{"t_start": 10.0, "env_id": 3}\nr,l,t\n1,5,0.5\n2,x,1\n3,inf,1\n4,5,nan\n'})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "monitor/r") == [(5, 1.0), (10, 4.0)]
    assert params_of(facts) == {}
    assert problems_of(facts) == [
        "monitor.csv: 1 cell is no number and was left out of column 'monitor/l' (line 4)",
        "monitor.csv: 2 rows have no step and were left out (line 4)",
    ]
    last = next(fact for fact in facts if isinstance(fact, Points)).wall_s
    assert last[0] == 10.5
    assert math.isnan(last[1])


@pytest.mark.parametrize("head", ["", "#not json\n", '#{"t_start": "soon"}\n'])
def test_episodes_are_read_without_a_sound_first_line(tmp_path: Path, head: str) -> None:
    write(tmp_path, {"monitor.csv": head + "r,l,t\n1,5,0.5\n"})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "monitor/r") == [(5, 1.0)]
    assert "started" not in fields_of(facts)
    told = ["monitor.csv: the first line is not the '#{...}' of a monitor file; times are unknown (line 1)"]
    assert problems_of(facts) == ([] if "soon" in head else told)


def test_a_table_without_lengths_gives_no_points(tmp_path: Path) -> None:
    write(tmp_path, {"monitor.csv": '#{"t_start": 1}\nr\n1\n'})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert series_of(facts) == {}
    assert problems_of(facts) == ["monitor.csv: 1 row has no step and was left out (line 3)"]


def test_an_empty_file_is_empty(tmp_path: Path) -> None:
    write(tmp_path, {"monitor.csv": ""})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert cursor_of(facts).status is ReadStatus.EMPTY
