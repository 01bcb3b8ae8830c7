-- Restore points, and what a run was started from.

CREATE TABLE restore_points (
    id TEXT PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES jobs (id),
    run_id TEXT NOT NULL REFERENCES runs (id),
    team_id TEXT NOT NULL REFERENCES teams (id),
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    -- Who owns the files.
    hadoop_user TEXT NOT NULL,
    kind TEXT NOT NULL,
    path TEXT NOT NULL,
    format TEXT,
    operation_id TEXT REFERENCES operations (id),
    state TEXT NOT NULL,
    size INTEGER,
    created_at INTEGER NOT NULL,
    completed_at INTEGER NOT NULL,
    verified_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX restore_points_path ON restore_points (cluster_id, path);
CREATE INDEX restore_points_job ON restore_points (job_id, completed_at, id);
CREATE INDEX restore_points_run ON restore_points (run_id);

ALTER TABLE runs ADD COLUMN restored_from TEXT;
ALTER TABLE runs ADD COLUMN restore_point_id TEXT REFERENCES restore_points (id);
-- Directory of the run's checkpoints, once its engine has told it.
ALTER TABLE runs ADD COLUMN checkpoint_dir TEXT;
-- 0: nothing to look for on HDFS; 1: to look for when it has ended; 2: looked for.
ALTER TABLE runs ADD COLUMN collect INTEGER NOT NULL DEFAULT 0;
CREATE INDEX runs_restore_point ON runs (restore_point_id) WHERE ended_at IS NULL AND restore_point_id IS NOT NULL;
CREATE INDEX runs_collect ON runs (id) WHERE collect = 1;
