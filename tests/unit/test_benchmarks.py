"""What the benchmarks lay into a catalog by SQL is what an ingest would have laid there."""

import importlib.util
from pathlib import Path

from mlbench.catalog.reader import open_reader
from mlbench.queries.runs import find_runs
from tests.paths import ROOT


def test_a_synthetic_catalog_answers_by_its_keys(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("catalogs", ROOT / "benchmarks" / "catalogs.py")
    assert spec is not None
    assert spec.loader is not None
    catalogs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(catalogs)

    home = catalogs.build(str(tmp_path), 40)

    with open_reader(home) as reader:
        found = find_runs(reader, where="metrics.metric_3 > 0.2 and params.p3 != 'sgd' and params.p1 < 0.9")
        numbered = reader.rows("SELECT count(*), count(run_no), count(DISTINCT run_no) FROM param")

    assert 0 < found.n_matched < found.n_runs == 40
    assert numbered == [(32 * 50 + 8 * 200, 3200, 40)]
