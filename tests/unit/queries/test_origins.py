"""Which source said what."""

from __future__ import annotations

from mlbench import model
from mlbench.ingest.keep import to_json
from mlbench.queries.origins import origins_of
from mlbench.queries.show import describe_run
from tests.unit.queries.conftest import FakeReader


def source(reader: FakeReader, run: str, path: str, *facts: object, adapter: str = "x") -> None:
    reader.add("source", source_id=1, run_ids=[run], adapter=adapter, path=path, status="eof", n_records=1,
               size_bytes=1, facts=to_json(facts))  # type: ignore[arg-type]  # fmt: skip


def test_each_fact_has_the_source_that_said_it(empty: FakeReader) -> None:
    run = empty.add_run("a")
    source(empty, run, "/a/meta.json", model.RunField("host", "gpu7"), model.Environment("gpu", "A"),
           model.GitState("c0ffee", "recorded", branch="main"), model.ImportedTag("team", "x"))  # fmt: skip
    source(empty, run, "/a/z.json", model.RunField("host", "gpu7"), model.Environment("gpu", "B"),
           model.DataVersion("dvc", "digits", "v1"))  # fmt: skip

    origins = origins_of(empty, run)

    assert origins["run", "host"] == "/a/meta.json"
    assert origins["environment", "gpu=A"] == "/a/meta.json"
    assert origins["environment", "gpu=B"] == "/a/z.json"
    assert origins["code", "commit"] == origins["code", "branch"] == "/a/meta.json"
    assert ("code", "remote") not in origins
    assert origins["data", "digits"] == "/a/z.json"
    assert origins["tags", "team"] == "/a/meta.json"


def test_a_metric_names_the_file_in_its_folder_or_how_many_there_are(empty: FakeReader) -> None:
    run = empty.add_run("a", root="/runs")
    for name, folder in (("loss", "a/train"), ("acc", "a"), ("f1", "b")):
        empty.add("series", run_id=run, metric=name, n=1, n_raw=1, first_step=0, last_step=0, last_value=1.0, n_nan=0,
                  n_inf=0, n_repeat=0, n_back=0, source_run=folder, source_metric=name, adapter="tensorboard")  # fmt: skip
    source(empty, run, "/runs/a/train/events.1", adapter="tensorboard")
    source(empty, run, "/runs/a/events.2", adapter="tensorboard")
    source(empty, run, "/runs/a/events.3", adapter="tensorboard")
    source(empty, run, "/runs/a/args.json", adapter="argparse")

    sources = {metric.metric: metric.source for metric in describe_run(empty, run).metrics}

    assert sources == {"loss": "/runs/a/train/events.1", "acc": "/runs/a (2 files)", "f1": "/runs/a (3 files)"}
