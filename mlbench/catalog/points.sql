-- The view of the stored points, made only where SQL of the user's own runs (catalog/locked.py): `point` and
-- `told_point` read the segments, and are registered there. docs/reference/sql.md is generated from this file.

-- points: every point that was logged, in no order; those that a restart replaced are among them
CREATE TEMP VIEW points AS
SELECT s.run_id, s.metric,
    p.step,                                                     -- as logged
    p.wall_s,                                                   -- wall time, Unix seconds, UTC
    p.value,                                                    -- NaN and infinity are kept
    p.seq,                                                      -- place among all points of the series
    p.series_id,
    p.source_id                                                 -- the source that logged it, as `sources.source_id`
FROM (SELECT * FROM point UNION ALL SELECT * FROM told_point) p JOIN series s ON s.series_id = p.series_id;
