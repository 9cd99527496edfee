-- The catalog: everything here is derived from the user's files and from the journal; deleting it loses nothing but time.
-- No primary keys and no indexes (five times the ingest); the one writer keeps rows unique by delete-insert in one transaction.
-- Times are Unix seconds, UTC, as DOUBLE; NULL where unknown. Text is stored as the source has it (secrets redacted) and
-- cleaned only where it is shown. Points live in points/*.parquet, see segment.

CREATE TABLE meta (key VARCHAR, value VARCHAR);                    -- schema_version, mlbench_version, generation

CREATE TABLE run (
    run_id      VARCHAR,   -- 12 hexadecimal digits: hash of run_key
    run_key     VARCHAR,   -- real path of the run's folder; for several runs in one source: path, '#', native id
    fingerprint VARCHAR,   -- hash of the oldest evidence; a run that moved keeps it
    name        VARCHAR,   -- recorded by the tracker, else the path below the root
    path        VARCHAR,   -- real path of the folder (or of the file) that holds the run
    root        VARCHAR,   -- the directory that was named when the run was found
    project     VARCHAR,
    group_name  VARCHAR,
    status      VARCHAR,   -- as recorded by the source; NULL where it records none
    started_s   DOUBLE,    -- recorded, else the first event
    ended_s     DOUBLE,    -- recorded, else NULL
    active_s    DOUBLE,    -- the last sign of life: the last point's wall time, else the newest file's mtime
    host        VARCHAR,
    user_name   VARCHAR,
    command     VARCHAR,
    entry_point VARCHAR,
    job_type    VARCHAR,
    exit_code   INTEGER,
    parent_id   VARCHAR,   -- native id of the parent run, as recorded
    hint        VARCHAR,   -- 'perhaps the same as ...'
    adapters    VARCHAR,   -- names of the adapters that read it, comma separated
    is_missing  BOOLEAN,   -- its folder was not there at the last scan of its root
    -- The rest is worked out when a snapshot is published; NULL in the writer's file until then.
    run_no      INTEGER,   -- number of its row in the wide pivot, see run_row
    n_series    INTEGER,   -- metrics, once for each source that logs them
    n_points    BIGINT,    -- raw points of all series
    last_wall_s DOUBLE,    -- of the last point
    n_notes     INTEGER    -- notes that the sources hold
);

-- The rows that runs have in the wide pivot: 1, 2, 3, ... in the order in which they were found. A run that is read again
-- keeps its own, also through `mlbench rebuild`; only a deleted cache begins anew. Users see run_number instead.
CREATE TABLE run_row (
    run_id VARCHAR,
    run_no INTEGER         -- its number, by which rows of a run are found
);

CREATE TABLE param (
    run_id VARCHAR, key VARCHAR,
    raw    VARCHAR,        -- as the source has it
    type   VARCHAR,        -- null, bool, int, float, str, list, dict
    num    DOUBLE,         -- numbers and booleans
    txt    VARCHAR,        -- the value as text in one spelling: numbers shortest, lists and dicts as JSON
    layer  VARCHAR,        -- default, inherited, hparams, config, override, cli, derived
    source VARCHAR,        -- path of the file that says so
    line   INTEGER,
    is_effective BOOLEAN,  -- the strongest layer of this key in this run
    -- The rest is worked out when the run is committed: numbers are read in a fraction of the time of texts.
    run_no  INTEGER,       -- of the run
    same    UBIGINT,       -- of two values that are the same (1e-3 and 0.001) the same: half of the MD5 of number or text
    n_chars USMALLINT,     -- of txt, 65535 for longer ones
    is_reference BOOLEAN   -- raw names another parameter: ${data.n}
);

CREATE TABLE series (
    series_id     BIGINT,
    run_id        VARCHAR,
    metric        VARCHAR,   -- source_metric, with the folded sub-folder before it: 'train/epoch_loss'
    source_run    VARCHAR,   -- folder of the log below the root, as TensorBoard names a run
    source_metric VARCHAR,   -- the name in the log itself
    n             BIGINT,    -- points of the effective view (restart-aware); the statistics below are over these
    n_raw         BIGINT,    -- all points
    first_step BIGINT, last_step BIGINT,
    first_wall_s DOUBLE, last_wall_s DOUBLE,
    first_value DOUBLE, last_value DOUBLE,
    min_value DOUBLE, min_step BIGINT, min_wall_s DOUBLE,      -- over finite values; ties: the first
    max_value DOUBLE, max_step BIGINT, max_wall_s DOUBLE,
    mean_value DOUBLE,                                         -- over finite values
    n_nan BIGINT, n_inf BIGINT,
    n_repeat BIGINT,         -- raw points whose step equals the one before
    n_back   BIGINT,         -- times the step went back
    sketch FLOAT[] using compression uncompressed,  -- up to 64 values that draw the curve: least and greatest by turns
    adapter VARCHAR,         -- which adapter read it
    run_no  INTEGER          -- of the run, worked out when it is committed
);

-- The wide pivot, made when a snapshot is published (catalog/pivot.py): parameters and metrics as columns, one row a run,
-- so that filters, sorts and tables join nothing by key. 64 keys are a page. Page 0 of both kinds is part of the table
-- wide_run, which has a row for each run and the columns of `run` but for hint; the pages wide_param_1, wide_param_2, ...,
-- wide_metric_1, ... are created as they are needed, and a run has a row in those of which it has a key. A table has the
-- columns of as many slots as its keys need, in eights.
--   of a parameter, slot S: tS type (NULL: the run has no such key), nS number (numbers and texts that are numbers; NaN
--                           is kept), sS txt (raw for a null), rS raw where it is spelt otherwise
--   of a metric, slot S:    iS series_id, lastS, minS, maxS
CREATE TABLE wide_key (
    kind   VARCHAR,        -- param, metric
    name   VARCHAR,        -- of the parameter or metric
    page   INTEGER,        -- P of its table; NULL: it has no column (there are thousands of keys), read its rows
    slot   INTEGER,        -- S of its columns
    n_runs INTEGER         -- runs that have it
);
-- Where a word is looked for; a row for each run that was laid out.
CREATE TABLE run_text (
    run_no INTEGER,        -- the run, as run.run_no
    txt    VARCHAR         -- its params, imported tags and imported notes in lower case, U+001F between them
);

CREATE TABLE segment (file VARCHAR, hash VARCHAR, n_rows BIGINT, size_bytes BIGINT);
CREATE TABLE segment_run (file VARCHAR, run_id VARCHAR);

CREATE TABLE blob (
    run_id VARCHAR, kind VARCHAR, metric VARCHAR, step BIGINT, wall_s DOUBLE, seq BIGINT,
    path VARCHAR using compression zstd, byte_offset BIGINT, byte_length BIGINT, encoding VARCHAR, width INTEGER, height INTEGER,
    digest VARCHAR,          -- BLAKE2b of those bytes, 16 hexadecimal digits; '' where the adapter has not seen them
    source_id INTEGER        -- the source that tells of it; its bytes may lie in a file beside
);

CREATE TABLE code (
    run_id VARCHAR, commit_id VARCHAR, branch VARCHAR, is_dirty BOOLEAN, remote VARCHAR,
    how VARCHAR,             -- recorded, tracked, reflog, guess
    subject VARCHAR, committed_s DOUBLE, repository VARCHAR
);
CREATE TABLE environment (run_id VARCHAR, key VARCHAR, value VARCHAR);
CREATE TABLE data_version (
    run_id VARCHAR, system VARCHAR, name VARCHAR, version VARCHAR, n_rows BIGINT, schema_text VARCHAR, is_pinned BOOLEAN,
    role VARCHAR,            -- what the run used it for, as recorded: training, validation, ...; in its commit
    size_bytes BIGINT
);
CREATE TABLE imported_tag (run_id VARCHAR, key VARCHAR, value VARCHAR);
CREATE TABLE imported_note (run_id VARCHAR, body VARCHAR);

CREATE TABLE artifact (
    run_id VARCHAR, kind VARCHAR, name VARCHAR, uri VARCHAR, digest VARCHAR, size_bytes BIGINT,
    role   VARCHAR,          -- input, output; '' for what lies beside the run
    detail VARCHAR, source VARCHAR
);
CREATE TABLE lineage_edge (run_id VARCHAR, direction VARCHAR, step VARCHAR, artifact VARCHAR);
CREATE TABLE validation (run_id VARCHAR, check_name VARCHAR, verdict VARCHAR, baseline VARCHAR, at_s DOUBLE, evidence VARCHAR);
CREATE TABLE model_version (
    run_id VARCHAR, name VARCHAR, version VARCHAR, aliases VARCHAR[], status VARCHAR, note VARCHAR, uri VARCHAR,
    tags VARCHAR[]           -- key=value
);

CREATE TABLE source (
    source_id  INTEGER,
    run_ids    VARCHAR[],    -- the runs that it tells of (a dump above several runs tells of all)
    adapter    VARCHAR, adapter_version INTEGER,
    path       VARCHAR using compression zstd,  -- as text; where the path is no UTF-8 its bytes stand in path_bytes
    path_bytes BLOB,
    root       VARCHAR,
    role       VARCHAR,
    size_bytes BIGINT, mtime_ns BIGINT, inode BIGINT,
    -- Long texts that are seldom asked for are packed by zstd, without looking for what suits them (catalog/tables.py
    -- reads types in capitals only).
    stamp      VARCHAR using compression zstd,  -- size, mtime and inode of all files of the source; equal means unchanged
    cursor     VARCHAR using compression zstd,  -- JSON, opaque
    status     VARCHAR,      -- eof, truncated, damaged, unreadable, lfs_pointer, empty
    n_records  BIGINT, n_bad BIGINT,
    read_s     DOUBLE,
    facts      VARCHAR using compression zstd   -- JSON: what it says beside points and blobs, so that an unchanged source is never read again
);
CREATE TABLE problem (run_id VARCHAR, source_path VARCHAR, place VARCHAR, what VARCHAR, hint VARCHAR, root VARCHAR, since_s DOUBLE);

-- Small numbers that name runs (#12): given once, in order of their start, and never given again. A run that moved keeps
-- its own, and a rebuild keeps all.
CREATE TABLE run_number (
    number      INTEGER,   -- 1 and up
    run_id      VARCHAR,   -- empty for a number whose run was forgotten
    fingerprint VARCHAR    -- by which a run that moved is known again
);
