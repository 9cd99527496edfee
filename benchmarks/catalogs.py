"""Synthetic catalogs for the benchmarks, laid straight into the writer's tables: RUNS x 50 params x 20 metrics.

The values are those of MLflow's side (`p_mlflow.py fill`): every third parameter is a word, the others are numbers; a
run has two tags of its source. A series carries what a real one does, its 64-point sketch included; there are no
points. Rows lie run by run, as an ingest lays them.

Usage: python benchmarks/catalogs.py FOLDER [RUNS]...
"""

import os
import sys
import time

from mlbench.catalog import pivot
from mlbench.catalog.writer import Writer, open_writer
from mlbench.paths import Home, find_home

N_PARAMS = 50
N_METRICS = 20
N_WIDE_RUNS, N_WIDE_PARAMS = 8, 200
"""The first runs have more parameters, for the comparison."""
ROOT = "/synthetic"
CHUNK_RUNS = 10_000
"""Runs of one transaction: bounds the memory."""
_RANDOM = "((hash({seed}) >> 11) / 9007199254740992.0)"
"""In [0, 1), the same in every build."""
_ID = "substr(md5(CAST(i AS VARCHAR)), 1, 12)"


def _random(seed: str) -> str:
    return _RANDOM.format(seed=seed)


_RUN = f"""INSERT INTO run BY NAME SELECT {_ID} AS run_id,
    printf('{ROOT}/sweep_%03d/run_%05d', i // 500, i) AS run_key, md5(run_key)[:16] AS fingerprint,
    printf('sweep_%03d/run_%05d', i // 500, i) AS name, run_key AS path, '{ROOT}' AS root, 'synthetic' AS project,
    printf('sweep_%03d', i // 500) AS group_name, 'finished' AS status, 1700000000.0 + i * 3600 AS started_s,
    started_s + 60 AS ended_s, ended_s AS active_s, 'me' AS user_name, 'train.py' AS entry_point,
    'tensorboard' AS adapters, false AS is_missing
FROM range(?, ?) AS numbers(i)"""
_PARAM = f"""SELECT {_ID} AS run_id, 'p' || p AS key, txt AS raw,
    CASE WHEN p % 3 = 0 THEN 'str' ELSE 'float' END AS type, TRY_CAST(txt AS DOUBLE) AS num, txt,
    'config' AS layer, printf('{ROOT}/sweep_%03d/run_%05d/args.json', i // 500, i) AS source, p + 1 AS line,
    true AS is_effective
FROM (SELECT i, p, CASE WHEN p % 3 = 0 THEN ['adam', 'sgd', 'lion'][1 + CAST(hash(i, p) % 3 AS INTEGER)]
    ELSE CAST(round({_random("i, p")}, 6) AS VARCHAR) END AS txt
    FROM range(?, ?) AS numbers(i), range({N_WIDE_PARAMS}) AS keys(p)
    WHERE p < {N_PARAMS} OR i < {N_WIDE_RUNS}) ORDER BY i, p"""
_SERIES = f"""SELECT i * {N_METRICS} + m AS series_id, {_ID} AS run_id,
    'metric_' || m AS metric, '.' AS source_run, metric AS source_metric, 1000 AS n, 1000 AS n_raw,
    0 AS first_step, 999 AS last_step, 1700000000.0 + i * 3600 AS first_wall_s, first_wall_s + 60 AS last_wall_s,
    {_random("i, m, 1")} AS first_value, {_random("i, m, 2")} AS last_value,
    last_value * {_random("i, m, 3")} AS min_value, CAST(1000 * {_random("i, m, 4")} AS BIGINT) AS min_step,
    first_wall_s + 1 AS min_wall_s, first_value + last_value AS max_value,
    CAST(1000 * {_random("i, m, 5")} AS BIGINT) AS max_step, first_wall_s + 2 AS max_wall_s, last_value AS mean_value,
    0 AS n_nan, 0 AS n_inf, 0 AS n_repeat, 0 AS n_back, 'tensorboard' AS adapter,
    list_transform(range(64), lambda k: CAST({_random("i, m, k")} AS FLOAT)) AS sketch
FROM range(?, ?) AS numbers(i), range({N_METRICS}) AS names(m) ORDER BY i, m"""
_TAGS = f"""INSERT INTO imported_tag SELECT {_ID}, unnest(['mlflow.user', 'team']),
    unnest(['me', ['a', 'b', 'c'][1 + CAST(hash(i, 'team') % 3 AS INTEGER)]]) FROM range(?, ?) AS numbers(i)"""


def build(folder: str, n_runs: int) -> Home:
    """A home with a published catalog of so many runs; one that is there already is used again."""
    home = find_home(os.path.join(folder, f"catalog-{n_runs}"))
    if not os.path.exists(os.path.join(home.cache, "CURRENT")):
        with open_writer(home) as writer:
            for start in range(0, n_runs, CHUNK_RUNS):
                _fill(writer, start, min(start + CHUNK_RUNS, n_runs))
            writer.publish()
    return home


def _fill(writer: Writer, start: int, stop: int) -> None:
    writer.update(_RUN, [start, stop])
    writer.update(pivot.NUMBER_RUNS, [])
    for table, rows in (("param", _PARAM), ("series", _SERIES)):
        told = pivot.incoming(table, ())
        writer.update(f"WITH incoming AS ({rows}) INSERT INTO {table} BY NAME {told}", [start, stop])
    writer.update(_TAGS, [start, stop])


def main() -> None:
    """Build the catalogs that were asked for."""
    for word in sys.argv[2:] or ["1000", "10000"]:
        before = time.perf_counter()
        home = build(sys.argv[1], int(word))
        size = os.path.getsize(os.path.join(home.cache, "CURRENT")) / 1e6
        print(f"{home.cache}: {int(word):,} runs, {size:.1f} MB, {time.perf_counter() - before:.1f} s")


if __name__ == "__main__":
    main()
