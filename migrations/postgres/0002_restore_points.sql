-- Restore points, and what a run was started from.

CREATE TABLE restore_points (
    id TEXT COLLATE "C" PRIMARY KEY,
    job_id TEXT COLLATE "C" NOT NULL REFERENCES jobs (id),
    run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
    team_id TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    cluster_id TEXT COLLATE "C" NOT NULL REFERENCES clusters (id),
    -- Who owns the files.
    hadoop_user TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    format TEXT COLLATE "C",
    operation_id TEXT COLLATE "C" REFERENCES operations (id),
    state TEXT COLLATE "C" NOT NULL,
    size BIGINT,
    created_at BIGINT NOT NULL,
    completed_at BIGINT NOT NULL,
    verified_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX restore_points_path ON restore_points (cluster_id, path);
CREATE INDEX restore_points_job ON restore_points (job_id, completed_at, id);
CREATE INDEX restore_points_run ON restore_points (run_id);

ALTER TABLE runs ADD COLUMN restored_from TEXT COLLATE "C";
ALTER TABLE runs ADD COLUMN restore_point_id TEXT COLLATE "C" REFERENCES restore_points (id);
-- Directory of the run's checkpoints, once its engine has told it.
ALTER TABLE runs ADD COLUMN checkpoint_dir TEXT COLLATE "C";
-- 0: nothing to look for on HDFS; 1: to look for when it has ended; 2: looked for.
ALTER TABLE runs ADD COLUMN collect BIGINT NOT NULL DEFAULT 0;
CREATE INDEX runs_restore_point ON runs (restore_point_id) WHERE ended_at IS NULL AND restore_point_id IS NOT NULL;
CREATE INDEX runs_collect ON runs (id) WHERE collect = 1;
