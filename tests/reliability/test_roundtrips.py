"""Whatever a text holds, reports and tables give it back, and nothing of it acts (`campaigns.py roundtrip` takes 100,000)."""

from __future__ import annotations

import time

import pytest

from mlbench.render.report import ReportFiles
from mlbench.render.report_html import html_report
from tests.reliability import roundtrips
from tests.reliability.roundtrips import cell, many, shown


def test_texts_come_back_from_csv_tsv_json_markdown_and_html() -> None:
    trips = many(1500, 7, time.monotonic() + 300)

    assert trips.broken == []
    assert trips.n_texts >= 1500
    assert len(trips.by_way) == 3 + 2 * 8


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a\tb", "a␉b"), ("\x1b[2J", "␛[2J"), ("a\u202eb", "a\ufffdb"), ("a\u00a0b", "a b"), ("x" + "\u0301" * 7, "x" + "\u0301" * 5)],
)  # fmt: skip
def test_what_is_expected_is_what_the_docs_say(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("=1+1", "'=1+1"), ("-0.5", "-0.5"), ("-x", "'-x"), ("@a", "'@a"), ("a=1", "a=1")]
)
def test_formulas_get_an_apostrophe(text: str, expected: str) -> None:
    assert cell(text) == expected


def test_what_is_looked_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roundtrips, "markdown_text", str)

    assert any("html" in text for text in many(200, 7, time.monotonic() + 60).broken)
    assert "<script>" not in html_report(ReportFiles("# a\n\n<script>"))
