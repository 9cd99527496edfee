-- The public views of `mlbench sql`, made by every reader over its snapshot, the journal's words (temporary tables word_*)
-- and the clock (temporary table clock, one row). docs/reference/sql.md is generated from this file.

-- runs: one row a run
CREATE TEMP VIEW runs AS
SELECT r.run_id AS id,                                          -- 12 hexadecimal digits
    coalesce(w.name, r.name) AS name,                           -- the user's name, else the recorded one, else the path below the root
    r.project, r.group_name AS "group",
    CASE WHEN r.is_missing THEN 'missing'
         WHEN r.status = 'running' AND clock.now_s - r.active_s > 3600 THEN 'stalled'
         WHEN r.status IS NOT NULL THEN r.status
         WHEN coalesce(r.n_series, 0) = 0 THEN 'no metrics'
         WHEN clock.now_s - r.last_wall_s BETWEEN -3600 AND 300 THEN 'running'
         ELSE 'finished' END AS status,                         -- running, finished, failed, killed, stalled, missing, no metrics
    CASE WHEN r.status IS NOT NULL THEN 'recorded' ELSE 'last point' END AS status_how,
    make_timestamp(CAST(r.started_s * 1e6 AS BIGINT)) AS started,       -- UTC
    make_timestamp(CAST(coalesce(r.ended_s, r.active_s) * 1e6 AS BIGINT)) AS ended,
    CASE WHEN coalesce(r.ended_s, r.active_s) IS NOT NULL AND r.started_s IS NOT NULL THEN greatest(coalesce(r.ended_s, r.active_s) - r.started_s, 0) END AS duration,  -- seconds
    r.user_name AS "user", r.host, r.command, r.entry_point, r.job_type, r.exit_code, r.parent_id, r.hint, r.adapters,
    r.path, r.root, r.run_key AS key, r.fingerprint,
    coalesce(w.is_archived, false) AS archived,
    coalesce(w.is_baseline, false) AS baseline,
    w.note AS note,                                                   -- the user's note, newest edit
    coalesce(r.n_series, 0) AS n_metrics, coalesce(r.n_points, 0) AS n_points,
    coalesce(r.n_notes, 0) AS n_notes,                          -- notes that the sources hold
    r.run_no                                                    -- number of its row in the wide tables (see run_numbers for people)
FROM run r
LEFT JOIN word_run w ON w.run_key = r.run_key
CROSS JOIN clock;

-- params: one row for each key of a run, the strongest layer
CREATE TEMP VIEW params AS
SELECT run_id, key, raw, type, num, txt AS value, layer, source, line FROM param WHERE is_effective;

-- param_layers: every layer that says something about a key
CREATE TEMP VIEW param_layers AS
SELECT run_id, key, raw, type, num, txt AS value, layer, source, line, is_effective FROM param;

-- tags: the user's tags (origin 'mlbench', value '') and those that the sources hold (origin 'imported')
CREATE TEMP VIEW tags AS
SELECT r.run_id, t.tag, '' AS value, 'mlbench' AS origin FROM word_tag t JOIN run r ON r.run_key = t.run_key
UNION ALL SELECT run_id, key, value, 'imported' FROM imported_tag;

-- notes: the user's notes and those that the sources hold
CREATE TEMP VIEW notes AS
SELECT r.run_id, n.body, n.author, n.at_s, 'mlbench' AS origin FROM word_note n JOIN run r ON r.run_key = n.run_key
UNION ALL SELECT run_id, body, NULL, NULL, 'imported' FROM imported_note;

-- blobs: what was logged besides numbers, and where its bytes lie; 'offset' needs double quotes in SQL
CREATE TEMP VIEW blobs AS
SELECT run_id, kind,                                            -- histogram, image, text, audio, layout, ...
    metric,                                                     -- its name in the log, with the sub-folder before it
    step, make_timestamp(CAST(wall_s * 1e6 AS BIGINT)) AS wall_time,    -- UTC
    path,                                                       -- the file that holds it
    byte_offset AS "offset", byte_length AS "length",           -- where it begins there, and its bytes
    encoding, width, height,                                    -- of images; pixels
    digest                                                      -- BLAKE2b of the bytes, 16 hexadecimal digits; '' where unknown
FROM blob;

CREATE TEMP VIEW sources AS SELECT source_id, run_ids, adapter, path, role, status, size_bytes, n_records, n_bad, root, make_timestamp(CAST(read_s * 1e6 AS BIGINT)) AS read_at FROM source;
CREATE TEMP VIEW problems AS SELECT run_id, source_path AS path, place, what, hint, root, make_timestamp(CAST(since_s * 1e6 AS BIGINT)) AS since FROM problem;
CREATE TEMP VIEW data_versions AS SELECT run_id, system, name, version, n_rows, schema_text AS schema, is_pinned, role, size_bytes FROM data_version;

-- artifacts: files, models and data sets that a run read (role 'input'), made ('output'), or that lie beside it ('')
CREATE TEMP VIEW artifacts AS SELECT run_id, kind, name, uri, digest, size_bytes, role, detail, source FROM artifact;

-- lineage: which step of a run read (direction 'input') or made ('output') which artifact; of data sets name@version
CREATE TEMP VIEW lineage AS
SELECT run_id, direction, step, artifact FROM lineage_edge
UNION SELECT run_id, 'input', '', name || CASE WHEN version = '' THEN '' ELSE '@' || version END FROM data_version
WHERE coalesce(role, '') <> 'in its commit' AND run_id NOT IN (SELECT run_id FROM lineage_edge WHERE direction = 'input');

-- validations: blessings of evaluators, infrastructure tests and gates
CREATE TEMP VIEW validations AS
SELECT run_id, check_name AS "check", verdict, baseline, make_timestamp(CAST(at_s * 1e6 AS BIGINT)) AS at, evidence FROM validation;

-- model_versions: versions in model registries, and the runs that made them
CREATE TEMP VIEW model_versions AS SELECT run_id, name, version, aliases, status, note, uri, tags FROM model_version;

-- run_numbers: the small number of each run, which `#12` names
CREATE TEMP VIEW run_numbers AS SELECT run_id, number FROM run_number WHERE run_id <> '';
