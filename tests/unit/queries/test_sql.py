"""Promises of filters over a catalog: which runs match, and what is told where a name or a value does not fit."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlbench.journal import Words
from mlbench.queries.mistakes import FilterError
from mlbench.queries.runs import find_runs
from tests.unit.queries.conftest import INF, NAN, FakeReader, run_id_of


def names(reader: FakeReader, where: str) -> str:
    answer = find_runs(reader, where=where, columns=None, sort=["name"])
    return " ".join(row.head.name.removeprefix("sweep/") for row in answer.rows)


FILTERS = [
    ("metrics.val/loss < 0.3", "0 3"),
    ("metrics.val/loss <= 0.29", "0 3"),
    ("metrics.val/loss = 0.29", "3"),
    ("metrics.val/loss == 0.29", "3"),
    ("metrics.val/loss != 0.29", "diverged live 0 1 2 4"),
    ("metrics.val/loss <> 0.29", "diverged live 0 1 2 4"),
    ("metrics.val/loss > 0.5", "live 2 4"),
    ("metrics.val/loss >= 0.6", "live 2 4"),
    ("0.3 > metrics.val/loss", "0 3"),
    ("metrics.val/loss > -inf", "live 0 1 2 3 4"),
    ("metric.val/loss < inf", "live 0 1 2 3 4"),
    ("metrics.val/loss is null", "ppo ppo-bad resnet-50 restarted"),
    ("metrics.val/loss is not null", "diverged live 0 1 2 3 4"),
    ("metrics.val/loss in (0.25, 0.35)", "0 1"),
    ("metrics.val/loss not in (0.25, 0.35)", "diverged live 2 3 4"),
    ("metrics.val/loss between 0.25 and 0.35", "0 1 3"),
    ("metrics.val/loss not between 0.25 and 0.35", "diverged live 2 4"),
    ("not metrics.val/loss < 0.3", "diverged live ppo ppo-bad resnet-50 restarted 1 2 4"),
    ("metrics.rollout/ep_rew_mean > 0", "ppo"),
    ('metrics."val loss" < 0.7', "live"),
    ("metrics.`val loss` < 0.7", "live"),
    ('"val loss" < 0.7', "live"),
    ("metrics.val/loss < metrics.train/loss", ""),
    ("metrics.acc > params.lr", "0 1 2 3"),
    ("params.lr = params.optim.lr", ""),
    ("metrics.acc != metrics.val/loss", "0 1 3 4"),
    ("params.lr = 1e-3", "0 3"),
    ("params.lr = '0.001'", "0 3"),
    ('params."lr" = "0.001"', "0 3"),
    ("params.lr < 0.01", "ppo ppo-bad 0 3"),
    ("params.lr = auto", "4"),
    ("params.lr > 'aa'", "4"),
    ("params.lr != auto", "diverged live ppo ppo-bad restarted 0 1 2 3"),
    ("params.lr in (auto, 0.1)", "2 4"),
    ("params.optimizer = 'adam'", "live 0 1"),
    ("params.optimizer = Adam", ""),
    ("params.optimizer like 'a%'", "live 0 1"),
    ("params.optimizer not like 'a%'", "diverged 2 3 4"),
    ("params.optimizer ilike 'A%'", "live 0 1"),
    ("params.optimizer ~ '^(ad|li)'", "live 0 1 4"),
    ("params.optimizer !~ '^(ad|li)'", "diverged 2 3"),
    ("params.optimizer ~ am", "live 0 1"),
    ("params.amp = true", "diverged"),
    ("params.amp = False", "live"),
    ("params.amp = 1", ""),
    ("params.amp is not null", "diverged live"),
    ("params.ckpt is null and params.amp is not null", "diverged live"),
    ("params.ckpt = None", "live"),
    ("params.optim.lr = 0.5", "0 1 2 3 4"),
    ("params.`a b` = odd", "ppo"),
    ("params.big_seed = 12345678901234567890", "resnet-50"),
    ("params.big_seed = 12345678901234567891", ""),
    ("params.timeout = 3h", "resnet-50"),
    ("params.model.layers ~ '64'", "live"),
    ("status = failed", "diverged"),
    ("status = 'FAILED'", "diverged"),
    ("attributes.status = 'FINISHED'", "ppo 0 1 2 3 4"),
    ("status in ('finished', 'running')", "live ppo 0 1 2 3 4"),
    ("status != finished", "diverged live ppo-bad resnet-50 restarted"),
    ("status ~ '^f'", "diverged ppo 0 1 2 3 4"),
    ("status = stalled", "restarted"),
    ("name = ppo", "ppo"),
    ("run.name like 'ppo%'", "ppo ppo-bad"),
    ("attributes.run_name = 'ppo'", "ppo"),
    ("run_name = ppo", "ppo"),
    ("name > 'r'", "resnet-50 restarted 0 1 2 3 4"),
    ("project = digits", "diverged live restarted 0 1 2 3 4"),
    ("project in (rl, vision)", "ppo ppo-bad resnet-50"),
    ("group = sweep", "0 1 2 3 4"),
    ("group is null", "diverged live ppo ppo-bad resnet-50 restarted"),
    ("user = ada", "0 1 2 3 4"),
    ("user = bob or host = node3", "ppo ppo-bad 3"),
    ("command ~ 'lr 0.01$'", "1"),
    ("path like '/runs/sweep/%'", "0 1 2 3 4"),
    ("run.root = '/runs'", "diverged live ppo ppo-bad resnet-50 restarted 0 1 2 3 4"),
    ("run.exit_code = 1", "diverged"),
    ("exit_code is not null", "diverged"),
    ("run.n_metrics = 0", "resnet-50"),
    ("run.n_points > 20", "restarted"),
    ("run.baseline", "0"),
    ("duration > 3h", "ppo ppo-bad resnet-50 restarted"),
    ("duration <= 90m", "live 0 1 2 3 4"),
    ("duration < 1200", "0"),
    ("duration between '10 minutes' and 20m", "0 1"),
    ("started > '2 days ago'", "diverged live 0"),
    ("started > yesterday", "diverged live 0"),
    ("started = yesterday", "0"),
    ("started < '2026-11-01'", "ppo ppo-bad resnet-50"),
    ("started >= 2026-11-23", "diverged live 0"),
    ("started <= 2026-11-20", "ppo ppo-bad resnet-50 3 4"),
    ("started between 2026-11-20 and 2026-11-22", "restarted 1 2 3"),
    ("started = 2026-11-22", "1"),
    ("started != 2026-11-22", "diverged live ppo ppo-bad resnet-50 restarted 0 2 3 4"),
    ("started > 'last week'", "diverged live restarted 0 1 2 3 4"),
    ("started = 'last week'", "diverged live restarted 0 1 2 3 4"),
    ("started > 2d", "diverged live 0"),
    ("started > '2026-11-24T10:00:00+02:00'", "diverged live"),
    ("attributes.start_time > 1764000000000", "diverged live ppo ppo-bad resnet-50 restarted 0 1 2 3 4"),
    ("start_time > 1795517000000", "live"),
    ("ended > '3 hours ago'", "diverged"),
    ("ended is null", "live restarted"),
    ("tag = 'baseline'", "0 1"),
    ("tag != 'baseline'", "diverged live ppo ppo-bad resnet-50 restarted 2 3 4"),
    ("tag in (good, imported)", "ppo 0"),
    ("tag not in (good, baseline)", "diverged live ppo-bad resnet-50 restarted 2 3 4"),
    ("tag is null", "diverged live ppo-bad resnet-50 restarted 2 3 4"),
    ("tag is not null", "ppo 0 1"),
    ("tag ~ '^b'", "0 1"),
    ("tag like 'go%'", "ppo 0"),
    ("tags.mlflow.source = 'train_ppo.py'", "ppo"),
    ("tags.`mlflow.source` like '%ppo%'", "ppo"),
    ("tags.mlflow.source is not null", "ppo"),
    ("tags.baseline is not null", "0 1"),
    ("note ~ 'Debug'", "diverged"),
    ("note ilike '%debug%'", "diverged ppo-bad"),
    ("not note ~ 'Debug'", "live ppo ppo-bad resnet-50 restarted 0 1 2 3 4"),
    ("note is not null", "diverged ppo-bad"),
    ("note:debug", "diverged ppo-bad"),
    ("-note:debug", "live ppo resnet-50 restarted 0 1 2 3 4"),
    ("archived", "old"),
    ("archived = true", "old"),
    ("archived = false", "diverged live ppo ppo-bad resnet-50 restarted 0 1 2 3 4"),
    ("not archived", "diverged live ppo ppo-bad resnet-50 restarted 0 1 2 3 4"),
    ("git.commit = abcdef12", "0 1"),
    ("git.commit = 'ABCDEF1234567890'", "0 1"),
    ("git.commit in (abcd, 1234)", "diverged 0 1"),
    ("git.commit != abcdef12", "diverged"),
    ("git.commit is null", "live ppo ppo-bad resnet-50 restarted 2 3 4"),
    ("git.branch = main", "diverged 0 1"),
    ("git.dirty", "diverged"),
    ("git.dirty = false", "0"),
    ("git.how = guess", "1"),
    ("data.digits = v1", "0"),
    ("data.digits is not null", "0 1"),
    ("env.torch >= 2.9", "0 1"),
    ("env.torch = 2.10", "1"),
    ("env.torch < 2.10", "live 0"),
    ("env.torch between 1.13 and 2.9.9", "live 0"),
    ("env.torch != 1.13.1", "0 1"),
    ("env.python = 3.11.9", "live"),
    ("min(metrics.val/loss) < 0.25", "0"),
    ("max(val/loss) > 4", "diverged"),
    ("first(val/loss) < 0.95", "diverged live 0 1 2 3 4"),
    ("last(acc) >= 0.8", "0 1"),
    ("mean(metrics.acc) > 0.6", "0 1"),
    ("count(val/loss) = 2", "live"),
    ("best(val/loss) < 0.25", "0"),
    ("best(acc) > 0.9", "0"),
    ("metrics.acc at min(metrics.val/loss) > 0.9", "0"),
    ("acc at max(val/loss) < 0.15", "0 1 3"),
    ("train/loss at min(val/loss) < 0.3", ""),
    ("step of min(metrics.val/loss) = 1", "live 0 2"),
    ("step of best(acc) = 2", "1 3 4"),
    ("count(metrics.train/loss) = 4", "restarted"),
    ("slope(rollout/ep_rew_mean) > 0", "ppo"),
    ("slope(rollout/ep_rew_mean, last 50%) >= 15", "ppo"),
    ("nan(metrics.val/loss)", "diverged"),
    ("inf(train/loss)", "diverged"),
    ("nan(metrics.train/loss) or diverged(metrics.val/loss)", "diverged"),
    ("diverged(rollout/ep_rew_mean)", ""),
    ("not diverged(val/loss)", "live ppo ppo-bad resnet-50 restarted 0 1 2 3 4"),
    ("plateau(metrics.flat)", "restarted"),
    ("lr>=1e-3 tag:baseline -note:debug sweep", "0 1"),
    ("lr>=1e-3 tag:baseline", "0 1"),
    ("lr:0.1", "2"),
    ("optimizer:adam", "live 0 1"),
    ("name:ppo", "ppo ppo-bad"),
    ("-name:sweep", "diverged live ppo ppo-bad resnet-50 restarted"),
    ("path:'/runs/sweep'", "0 1 2 3 4"),
    ("status:failed", "diverged"),
    ('tag:"good"', "ppo 0"),
    ("started:yesterday", "0"),
    ("resnet", "resnet-50"),
    ("adam", "live 0 1"),
    ("cats", "resnet-50"),
    ("'the loss exploded'", "diverged"),
    ("good", "ppo 0"),
    ("-adam", "diverged ppo ppo-bad resnet-50 restarted 2 3 4"),
    ("-'adam' -sgd", "ppo ppo-bad resnet-50 restarted 4"),
    ("not (adam or sgd)", "ppo ppo-bad resnet-50 restarted 4"),
    ("not adam and not sgd", "ppo ppo-bad resnet-50 restarted 4"),
    ("adam or sgd", "diverged live 0 1 2 3"),
    ("lr < 0.01 and optimizer = adam or name = ppo", "ppo 0"),
    ("lr < 0.01 and (optimizer = adam or name = ppo)", "ppo 0"),
    ("NOT lr < 0.01 AND optimizer IN ('adam')", "live 1"),
    ("lr", ""),
    ("params.lr = 'nan'", ""),
    ("metrics.val/loss = inf", ""),
    ("train/loss = inf", "diverged"),
    ("lr = -", ""),
    ("status = scheduled", ""),
    ("git.commit > b", ""),
    ("git.commit = abc", ""),
    ("env.python ~ '^3'", "live"),
    ("env.torch != 'x'", "live 0 1"),
    ("metrics.acc != params.optim.lr", "0 1 2 3"),
    ("params.optimizer = params.arch", ""),
    ("params.optimizer != params.optimizer", ""),
    ('"val/loss" < 0.3', "0 3"),
]


@pytest.mark.parametrize(("where", "expected"), FILTERS)
def test_a_filter_finds_its_runs(reader: FakeReader, where: str, expected: str) -> None:
    """The runs by name; 0 to 4 are sweep/0 to sweep/4."""
    assert names(reader, where) == expected


def test_an_id_is_compared_as_text(reader: FakeReader) -> None:
    assert names(reader, f"id = '{run_id_of('ppo')}'") == "ppo"
    assert names(reader, f"run.id like '{run_id_of('ppo')[:6]}%'") == "ppo"


MISTAKES = [
    ("metrics.val/loss < fast", 20, "column 20: '<' needs a number, got 'fast'. Try: metrics.val/loss < 0.3"),
    ("metrics.val/los < 0.3", 1, "no metric 'val/los' in 12 runs. Did you mean 'val/loss'?"),
    ("data.zzz = 3", 1, "no data set 'zzz' in 12 runs. There is: 'digits'"),
    ("params.zzz = 3", 1, "no parameter 'zzz' in 12 runs. There are: 'lr', 'a b', 'amp', 'arch', 'ckpt' and 8 more"),
    ("params.lrr = 3", 1, "no parameter 'lrr' in 12 runs. Did you mean 'lr'?"),
    ("lrr = 3", 1, "no field, parameter, metric or tag 'lrr' in 12 runs. Did you mean 'lr'?"),
    ("val/los < 3", 1, "no field, parameter, metric or tag 'val/los' in 12 runs. Did you mean 'val/loss'?"),
    ("metrics.lr < 3", 1, "no metric 'lr' in 12 runs. Try: params.lr"),
    ("status = finishd", 10, "column 10: there is no status 'finishd'. Did you mean 'finished'?"),
    (
        "status = nonsense",
        10,
        "column 10: there is no status 'nonsense'. A status is one of: running, finished, failed, killed, stalled, missing, no metrics",
    ),
    ("started > fast", 11, "column 11: '>' needs a date, got 'fast'. Try: started > '2 days ago'"),
    ("duration > soon", 12, "column 12: '>' needs a duration, got 'soon'. Try: duration > 2h"),
    ("metrics.val/loss = nan", 20, "column 20: nothing equals NaN. Try: nan(metrics.val/loss)"),
    (
        "metrics.val/loss ~ 'x'",
        20,
        "column 20: '~' needs a text, and metrics.val/loss is none. Try: metrics.val/loss < 0.3",
    ),
    (
        "name ~ '(a'",
        8,
        "column 8: '(a' is no regular expression (missing ), unterminated subpattern at its character 1). Try: like '%a%'",
    ),
    ("acc at loss > 3", 8, "column 8: after 'at' comes where that is least or greatest. Try: at min(loss)"),
    (
        "best(flat) > 3",
        1,
        "column 1: nothing says whether 'flat' shall be least or greatest. Try: min(metrics.flat), or: mlbench metric flat --goal min",
    ),
    ("http://x", 1, "no field, parameter, metric or tag 'http' in 12 runs. Try: quotes around it to find text"),
    ("archived = maybe", 12, "column 12: archived is true or false. Try: archived = true"),
    ("archived < 3", 12, "column 12: archived is true or false. Try: archived = true"),
    ("tag between a and b", 5, "column 5: 'between' needs one value, and a run has many tags"),
    ("started < metrics.acc", 9, "column 9: started and metrics.acc cannot be compared"),
    ("project < metrics.acc", 9, "column 9: project and metrics.acc cannot be compared"),
    ("archived = params.amp", 10, "column 10: archived and params.amp cannot be compared"),
    ("tag = params.lr", 5, "column 5: tag and params.lr cannot be compared"),
    ("env.troch > 2", 1, "no package or other fact of the environment 'troch' in 12 runs. Did you mean 'torch'?"),
    ("data.digit = 3", 1, "no data set 'digit' in 12 runs. Did you mean 'digits'?"),
    ("tags.mlflow.sorce = 3", 1, "no tag 'mlflow.sorce' in 12 runs. Did you mean 'mlflow.source'?"),
]


@pytest.mark.parametrize(("where", "column", "message"), MISTAKES)
def test_a_name_or_value_that_does_not_fit_is_told(reader: FakeReader, where: str, column: int, message: str) -> None:
    with pytest.raises(FilterError) as raised:
        find_runs(reader, where=where)

    assert raised.value.message == message
    assert raised.value.column == column
    assert raised.value.caret == f"  {where}\n  {' ' * (column - 1)}^"


@pytest.mark.parametrize(
    "where",
    ["metrics.loss < 3", "params.lr = 3", "lr = 3", "nan(loss)", "slope(loss) > 0", "tags.x = 3", "env.torch > 2"],
)
def test_in_an_empty_catalog_an_unknown_name_is_an_empty_answer(empty: FakeReader, where: str) -> None:
    answer = find_runs(empty, where=where)

    assert (answer.rows, answer.n_matched, answer.n_runs) == ((), 0, 0)


@pytest.mark.parametrize(
    ("where", "remarks"),
    [
        ("lr < 1", ("lr is params.lr",)),
        ("acc < 1 or lr > 0", ("acc is metrics.acc", "lr is params.lr")),
        ("imported = 'x'", ("imported is tags.imported",)),
        ("metrics.acc < 1", ()),
        ("lr", ("'lr' finds text; to ask for its value: lr = ...",)),
        (
            "started > 1764000000",
            (
                "1764000000 is in 1970 or soon after, since times are epoch milliseconds; if seconds are meant: started > 1764000000000",
            ),
        ),
        ("started > 0", ()),
    ],
)
def test_the_answer_says_how_bare_names_were_understood(
    reader: FakeReader, where: str, remarks: tuple[str, ...]
) -> None:
    assert find_runs(reader, where=f"archived = false and ({where})").remarks == remarks


def test_a_parameter_named_like_a_field_is_asked_for_between_backticks(reader: FakeReader) -> None:
    assert names(reader, "note = own") == ""
    assert names(reader, "`note` = own") == "ppo-bad"
    assert names(reader, "params.note = own") == "ppo-bad"
    assert find_runs(reader, where="note = own").remarks == ("note is run.note; for the other try: params.note",)
    assert find_runs(reader, where="run.note = own").remarks == ()


def test_a_bare_name_is_a_parameter_before_a_metric_before_a_tag(empty: FakeReader) -> None:
    run = empty.add_run("a")
    empty.add_series(run, "x", [5.0])
    empty.add_series(run, "y", [5.0])
    empty.add_param(run, "x", 1)
    for key in ("x", "y", "z"):
        empty.add("imported_tag", run_id=run, key=key, value="7")

    assert [names(empty, f"{key} = {value}") for key, value in (("x", 1), ("y", 5), ("z", 7))] == ["a", "a", "a"]


def test_plain_metrics_are_answered_without_reading_a_point(empty: FakeReader) -> None:
    empty.add_series(empty.add_run("a"), "loss", [3.0, 1.0, 2.0])

    found = names(empty, "loss = 2 and min(loss) = 1 and first(loss) = 3 and step of min(loss) = 1 and not nan(loss)")

    assert found == "a"
    assert empty.n_points_read == 0


def test_of_several_sources_of_one_metric_the_one_with_most_points_counts(empty: FakeReader) -> None:
    run = empty.add_run("a")
    empty.add_series(run, "loss", [1.0, 2.0], source_run="old")
    empty.add_series(run, "loss", [5.0, 6.0, 7.0], source_run="new")

    assert names(empty, "loss = 7 and count(loss) = 3") == "a"
    assert names(empty, "loss = 2") == ""


def test_the_user_may_set_the_goal_that_best_goes_by(empty: FakeReader) -> None:
    empty.add_series(empty.add_run("a"), "score", [1.0, 3.0, 2.0])

    assert names(empty, "best(score) = 3") == "a"
    empty.say(Words(goals={"score": "min"}))
    assert names(empty, "best(score) = 1") == "a"


@pytest.mark.parametrize(
    ("metric", "values", "has_diverged"),
    [
        ("loss", [1.0, 0.5, 0.4], False),
        ("loss", [1.0, 0.5, NAN, 0.4], True),
        ("loss", [1.0, 0.5, INF, 0.4], True),
        ("loss", [1.0, 0.5, 502.0], True),
        ("loss", [1.0, 0.5, 500.0], False),
        ("loss", [1.0, 1e-6, 1e-2], False),  # noise near zero is no divergence: still better than at the start
        ("accuracy", [0.5, 0.9, 0.1], False),
        ("reward", [-1.0, -0.5, -600.0], True),
        ("unknown", [1.0, 0.5, 502.0], True),
    ],
)
def test_a_curve_has_diverged_when_it_broke_or_ended_a_thousand_times_off_its_best(
    empty: FakeReader, metric: str, values: list[float], has_diverged: bool
) -> None:
    empty.add_series(empty.add_run("a"), metric, values)

    assert names(empty, f"diverged({metric})") == ("a" if has_diverged else "")


def test_a_point_that_a_restart_took_back_is_not_seen(empty: FakeReader) -> None:
    run = empty.add_run("a")
    empty.add_series(run, "loss", [(0, 5.0), (1, 4.0), (2, 1.0), (1, 3.0), (2, 2.5)])
    empty.add_series(run, "acc", [(0, 0.1), (2, 0.9), (1, 0.2), (2, 0.3)])

    assert names(empty, "acc at min(loss) = 0.3") == "a"
    assert names(empty, "min(loss) = 1") == ""


def test_the_value_at_a_step_is_the_last_one_before_where_there_is_none(empty: FakeReader) -> None:
    run = empty.add_run("a")
    empty.add_series(run, "val/loss", [(100, 2.0), (200, 1.0), (300, 3.0)])
    empty.add_series(run, "lr_now", [(0, 0.5), (150, 0.25), (250, 0.125)])
    empty.add_series(run, "late", [(250, 1.0)])

    assert names(empty, "lr_now at min(val/loss) = 0.25") == "a"
    assert names(empty, "late at min(val/loss) is null") == "a"


def test_a_curve_question_reads_only_the_runs_in_the_scope(empty: FakeReader) -> None:
    for name in ("x/a", "y/b"):
        empty.add_series(empty.add_run(name), "loss", [3.0, 2.0, 1.0])

    answer = find_runs(empty, where="slope(loss) = -1", within=["/runs/x"])

    assert [row.head.name for row in answer.rows] == ["x/a"]
    assert empty.n_points_read == 1


def test_a_slope_in_filter_column_and_sort_is_worked_out_once(empty: FakeReader) -> None:
    empty.add_series(empty.add_run("a"), "loss", [3.0, 2.0, 1.0])

    answer = find_runs(empty, where="slope(loss) < 0", columns=["slope(loss)"], sort=["slope(metrics.loss)"])

    assert [row.values for row in answer.rows] == [(-1.0,)]
    assert empty.n_points_read == 1


@pytest.mark.parametrize(
    ("values", "has"), [([1.0] * 30, "a"), ([1.0] * 4, ""), ([float(i) for i in range(30)], ""), ([NAN] * 9, "")]
)
def test_a_plateau_is_a_flat_end_of_enough_points(empty: FakeReader, values: list[float], has: str) -> None:
    empty.add_series(empty.add_run("a"), "loss", values)

    assert names(empty, "plateau(loss)") == has


def test_a_slope_needs_two_steps(empty: FakeReader) -> None:
    empty.add_series(empty.add_run("a"), "loss", [(5, 1.0), (5, 2.0)])

    assert names(empty, "slope(loss) is null") == "a"


def test_quotes_and_code_in_names_are_only_text(empty: FakeReader) -> None:
    evil = "x'; DROP TABLE run; --"
    run = empty.add_run(evil)
    empty.add_param(run, evil, evil)
    empty.add_series(run, evil, [1.0])

    assert names(empty, f"params.`{evil}` = '{evil.replace(chr(39), chr(39) * 2)}' and metrics.`{evil}` = 1") == evil
    assert names(empty, "name ~ 'DROP'") == evil


pieces = st.sampled_from(
    ["(", ")", "=", "!=", "<", ">=", "~", "like", "in", "and", "or", "not", "between", "is", "null", "name", "tag", "note",
     "status", "started", "duration", "archived", "lr", "acc", "val/loss", "params.lr", "metrics.acc", "env.torch",
     "git.commit", "git.dirty", "data.digits", "tags.imported", "min(acc)", "best(acc)", "nan(acc)", "slope(acc)",
     "acc at min(val/loss)", "'2 days ago'", "'a\x00b'", "\ud800", "[", "3", "1e400", "99999999999999999999", "-1e-3",
     "running", "true", "3h", "tag:good", "-x"]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=30), st.lists(pieces, max_size=9).map(" ".join)))
def test_no_filter_fails_in_any_other_way(reader: FakeReader, where: str) -> None:
    try:
        answer = find_runs(reader, where=where, columns=None)
    except FilterError as error:
        assert error.column >= 1  # noqa: PT017 - most texts are mistakes, some are filters
    else:
        assert answer.n_matched <= answer.n_runs
