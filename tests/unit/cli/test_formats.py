"""Every command that lists something prints it in every format."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mlbench.main import run
from tests.unit.cli.conftest import SAMPLES, Done

Mlbench = Callable[..., Done]
ONE, OTHER = "logs/long/w128-seed0", "logs/long/w128-seed1"
LISTINGS = {
    "ingest": ("ingest", str(SAMPLES)),
    "query": ("query", "logs/long", "-c", "params.lr, tag, started, metrics.val/loss"),
    "show": ("show", ONE),
    "diff": ("diff", ONE, OTHER),
    "plot": ("plot", "-m", "val/loss", "logs/long"),
    "tag": ("tag", ONE, "+x", "+y"),
    "note": ("note", ONE, "one\nnote"),
    "name": ("name", str(SAMPLES / ONE), "mine"),
    "baseline": ("baseline", ONE),
    "archive": ("archive", ONE),
    "metric": ("metric",),
    "views": ("views", "save", "v", "lr > 0"),
    "journal": ("journal",),
    "forget": ("forget", "@best", "--yes"),
    "settings": ("settings",),
    "fsck": ("doctor", "--fsck"),
}


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_is_the_same_in_all_formats_that_programs_read(mlbench: Mlbench, name: str) -> None:
    words = LISTINGS[name]
    done = {form: mlbench(*words, "--format", form) for form in ("json", "jsonl", "csv", "tsv")}

    objects = json.loads(done["json"].out)
    assert [one.code for one in done.values()] == [0, 0, 0, 0], done["json"].err
    assert objects
    keys = list(objects[0])
    for form, text in (("jsonl", done["jsonl"].out), ("csv", done["csv"].out), ("tsv", done["tsv"].out)):
        if form == "jsonl":
            assert [list(json.loads(line)) for line in text.splitlines()] == [keys] * len(text.splitlines())
        else:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t" if form == "tsv" else ","))
            assert rows[0] == keys
            assert len({len(row) for row in rows}) == 1
            assert len(rows) > 1


@pytest.mark.parametrize("form", ["table", "markdown", "latex", "parquet"])
@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_is_there_in_the_formats_that_people_read(
    home: Path, capsysbinary: pytest.CaptureFixture[bytes], name: str, form: str
) -> None:
    assert run([*LISTINGS[name], "--format", form]) == 0
    out = capsysbinary.readouterr().out

    if form == "parquet":
        assert pq.read_table(io.BytesIO(out)).num_rows > 0
    elif form == "latex":
        assert out.startswith(b"\\begin{tabular}")
    elif form == "markdown":
        assert out.startswith(b"| ")
    assert len(out.splitlines()) > 1 or form == "parquet"
