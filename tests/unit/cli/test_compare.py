"""`mlbench compare` on the sample runs."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from tests.unit.cli.conftest import Done

Mlbench = Callable[..., Done]
ADAM, SGD = "params.optimizer = 'adam'", "params.optimizer = 'sgd'"


def test_the_interval_is_the_one_that_scipy_gives_by_hand(mlbench: Mlbench) -> None:
    done = mlbench("compare", ADAM, SGD, "-m", "val/acc", "--format", "json")
    listed = [
        json.loads(mlbench("query", where, "-c", "max(metrics.val/acc) as best", "--format", "json").out)
        for where in (ADAM, SGD)
    ]
    a, b = (np.array([row["best"] for row in rows]) for rows in listed)
    theirs = scipy.stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)

    (row,) = json.loads(done.out)
    assert (row["n_a"], row["n_b"], row["verdict"]) == (14, 19, "worse")
    assert (row["low"], row["high"]) == pytest.approx((theirs.low, theirs.high))
    assert row["difference"] == pytest.approx(b.mean() - a.mean())
    assert done.err.splitlines()[0] == "mlbench: best val/acc: B is worse than A (at 5 %)"


def test_a_table_says_it_in_words_and_names_what_else_differs(mlbench: Mlbench) -> None:
    done = mlbench("compare", ADAM, SGD, "--format", "table")

    assert done.code == 0
    assert "12 pairs have equal" in done.out
    assert "by chance alone B would be this far behind about 1 time in" in done.out
    assert "what else differs between the groups" in done.out


def test_what_is_expected_decides_the_exit_code(mlbench: Mlbench) -> None:
    held = mlbench("compare", SGD, ADAM, "--expect", "better", "--expect", "not-worse by 0.01")
    missed = mlbench("compare", ADAM, SGD, "--expect", "not-worse by 0.01")

    assert held.code == 0
    assert missed.code == 1
    assert "mlbench: best val/acc: expected not-worse by 0.01, the interval reaches -0.2528" in missed.err


def test_a_mistyped_parameter_is_told_the_nearest(mlbench: Mlbench) -> None:
    done = mlbench("compare", "params.optimiser = 'adam'", SGD)

    assert done.code == 2
    assert "Did you mean 'optimizer'?" in done.err


def test_a_report_is_checked_against_the_catalog_of_today(mlbench: Mlbench) -> None:
    where = "name ~ 'sweep/adam-lr0.1'"
    assert mlbench("report", where, "-o", "a.md").code == 0

    unchanged = mlbench("report", "--check", "-o", "a.md")
    mlbench("archive", "sweep/adam-lr0.1-w64-seed0")
    changed = mlbench("report", "--check", "-o", "a.md")

    assert (unchanged.code, unchanged.out) == (0, "")
    assert (changed.code, changed.out) == (1, "logs/sweep/adam-lr0.1-w64-seed0: is no longer among the runs\n")
    assert mlbench("report", "--check", "-o", "none.md").code == 3


def test_a_report_may_be_one_html_file(mlbench: Mlbench) -> None:
    done = mlbench("report", "name ~ 'sweep/adam-lr0.1'", "--html", "-o", "a.html")

    assert (done.code, done.err) == (0, "mlbench: a.html: 6 runs\n")
    assert Path("a.html").read_text(encoding="utf-8").count("data:image/svg+xml") == 3
