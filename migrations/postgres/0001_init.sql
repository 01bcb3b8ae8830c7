-- Ids and JSON are TEXT, times are milliseconds since the epoch, truth values are 0 and 1.
-- The SQLite file of the same number holds the same tables; a statement of the store runs on both.
-- Text is collated by code point, as SQLite does it: lists sort the same on both, and paging by a
-- name or an id does not depend on the locale the database was made with.

CREATE TABLE meta (
    key TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

CREATE TABLE teams (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX teams_name ON teams (name);

CREATE TABLE users (
    id TEXT COLLATE "C" PRIMARY KEY,
    -- Lower-cased by the service: the databases disagree about lower().
    name TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C",
    admin BIGINT NOT NULL,
    -- Grows whenever every session of the user must end.
    epoch BIGINT NOT NULL,
    disabled BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_name ON users (name);

CREATE TABLE memberships (
    team_id TEXT COLLATE "C" NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, team_id)
);
CREATE INDEX memberships_team ON memberships (team_id);

CREATE TABLE sessions (
    -- Hash of the cookie's value: a copy of the table opens no session.
    id_hash TEXT COLLATE "C" PRIMARY KEY,
    data TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE login_links (
    secret_hash TEXT COLLATE "C" PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE TABLE tokens (
    id TEXT COLLATE "C" PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL,
    secret_hash TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX tokens_secret_hash ON tokens (secret_hash);
CREATE INDEX tokens_user ON tokens (user_id, id);

CREATE TABLE clusters (
    id TEXT COLLATE "C" PRIMARY KEY,
    code TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    identity TEXT COLLATE "C" NOT NULL,
    service_user TEXT COLLATE "C" NOT NULL,
    hdfs_root TEXT COLLATE "C" NOT NULL,
    files TEXT COLLATE "C" NOT NULL,
    directory TEXT COLLATE "C",
    summary TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    seen_at BIGINT,
    trouble TEXT COLLATE "C",
    trouble_since BIGINT,
    rm_started_on BIGINT
);
CREATE UNIQUE INDEX clusters_code ON clusters (code);

CREATE TABLE grants (
    cluster_id TEXT COLLATE "C" NOT NULL REFERENCES clusters (id) ON DELETE CASCADE,
    team_id TEXT COLLATE "C" NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    hadoop_user TEXT COLLATE "C" NOT NULL,
    queues TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (cluster_id, team_id)
);
CREATE INDEX grants_team ON grants (team_id);

CREATE TABLE environments (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    -- Null: shared by all teams.
    team_id TEXT COLLATE "C" REFERENCES teams (id),
    engine TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    directory TEXT COLLATE "C" NOT NULL,
    -- Number of the newest snapshot, 0 before the first.
    snapshot BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX environments_name ON environments (name);

CREATE TABLE snapshots (
    environment_id TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    number BIGINT NOT NULL,
    files TEXT COLLATE "C" NOT NULL,
    defaults TEXT COLLATE "C" NOT NULL,
    file_count BIGINT NOT NULL,
    byte_count BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    reason TEXT COLLATE "C",
    PRIMARY KEY (environment_id, number)
);

CREATE TABLE placements (
    cluster_id TEXT COLLATE "C" NOT NULL REFERENCES clusters (id) ON DELETE CASCADE,
    path TEXT COLLATE "C" NOT NULL,
    hadoop_user TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    verified_at BIGINT NOT NULL,
    PRIMARY KEY (cluster_id, path)
);
CREATE INDEX placements_content ON placements (cluster_id, sha256);

CREATE TABLE environment_placements (
    environment_id TEXT COLLATE "C" NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    cluster_id TEXT COLLATE "C" NOT NULL REFERENCES clusters (id) ON DELETE CASCADE,
    -- Snapshot whose every file was verified there.
    snapshot BIGINT,
    files_done BIGINT NOT NULL,
    files_total BIGINT NOT NULL,
    bytes_done BIGINT NOT NULL,
    bytes_total BIGINT NOT NULL,
    operation_id TEXT COLLATE "C",
    failure TEXT COLLATE "C",
    PRIMARY KEY (environment_id, cluster_id)
);

CREATE TABLE artifacts (
    id TEXT COLLATE "C" PRIMARY KEY,
    team_id TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    name TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    main_classes TEXT COLLATE "C" NOT NULL,
    manifest_class TEXT COLLATE "C",
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX artifacts_version ON artifacts (team_id, name, version);
CREATE INDEX artifacts_content ON artifacts (sha256);

CREATE TABLE uploads (
    id TEXT COLLATE "C" PRIMARY KEY,
    team_id TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    user_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT COLLATE "C",
    part_size BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX uploads_updated ON uploads (updated_at);

CREATE TABLE upload_parts (
    upload_id TEXT COLLATE "C" NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    part BIGINT NOT NULL,
    PRIMARY KEY (upload_id, part)
);

CREATE TABLE jobs (
    id TEXT COLLATE "C" PRIMARY KEY,
    team_id TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    cluster_id TEXT COLLATE "C" NOT NULL REFERENCES clusters (id),
    environment_id TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    queue TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    -- The newest run, so that a list of jobs needs no search per line.
    last_run_id TEXT COLLATE "C",
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX jobs_name ON jobs (team_id, name) WHERE deleted_at IS NULL;

CREATE TABLE job_versions (
    job_id TEXT COLLATE "C" NOT NULL REFERENCES jobs (id),
    number BIGINT NOT NULL,
    spec TEXT COLLATE "C" NOT NULL,
    artifact_id TEXT COLLATE "C" REFERENCES artifacts (id),
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (job_id, number)
);

CREATE TABLE runs (
    id TEXT COLLATE "C" PRIMARY KEY,
    job_id TEXT COLLATE "C" NOT NULL REFERENCES jobs (id),
    version BIGINT NOT NULL,
    team_id TEXT COLLATE "C" NOT NULL REFERENCES teams (id),
    cluster_id TEXT COLLATE "C" NOT NULL REFERENCES clusters (id),
    environment_id TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    snapshot BIGINT NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    hadoop_user TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    state_since BIGINT NOT NULL,
    requested TEXT COLLATE "C",
    requested_at BIGINT,
    in_doubt_since BIGINT,
    observed_at BIGINT,
    observed_by TEXT COLLATE "C",
    tick_ms BIGINT NOT NULL,
    external_id TEXT COLLATE "C",
    engine_job_id TEXT COLLATE "C",
    final_status TEXT COLLATE "C",
    failure TEXT COLLATE "C",
    tracking_url TEXT COLLATE "C",
    rest_url TEXT COLLATE "C",
    tasks_running BIGINT,
    tasks_total BIGINT,
    attempts BIGINT NOT NULL,
    launch TEXT COLLATE "C",
    prepared TEXT COLLATE "C",
    staging TEXT COLLATE "C",
    usage TEXT COLLATE "C" NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    row_version BIGINT NOT NULL,
    operation_id TEXT COLLATE "C"
);
CREATE UNIQUE INDEX runs_open_job ON runs (job_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX runs_external_id ON runs (external_id);
CREATE INDEX runs_job ON runs (job_id, id);
CREATE INDEX runs_team ON runs (team_id, id);
CREATE INDEX runs_open_cluster ON runs (cluster_id) WHERE ended_at IS NULL;

CREATE TABLE run_events (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
    at BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    from_state TEXT COLLATE "C",
    to_state TEXT COLLATE "C",
    source TEXT COLLATE "C" NOT NULL,
    note TEXT COLLATE "C",
    evidence TEXT COLLATE "C"
);
CREATE INDEX run_events_run ON run_events (run_id, seq);

CREATE TABLE operations (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" REFERENCES runs (id),
    environment_id TEXT COLLATE "C" REFERENCES environments (id),
    cluster_id TEXT COLLATE "C" REFERENCES clusters (id),
    team_id TEXT COLLATE "C" REFERENCES teams (id),
    phase TEXT COLLATE "C" NOT NULL,
    data TEXT COLLATE "C" NOT NULL,
    steps TEXT COLLATE "C" NOT NULL,
    log TEXT COLLATE "C" NOT NULL,
    failure TEXT COLLATE "C",
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    row_version BIGINT NOT NULL
);
CREATE UNIQUE INDEX operations_open_run ON operations (run_id, kind) WHERE state NOT IN ('done', 'failed');
CREATE UNIQUE INDEX operations_open_place ON operations (environment_id, cluster_id) WHERE kind = 'place' AND state NOT IN ('done', 'failed');
CREATE INDEX operations_due ON operations (kind, due_at) WHERE state NOT IN ('done', 'failed');

CREATE TABLE audit_events (
    id TEXT COLLATE "C" PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C",
    action TEXT COLLATE "C" NOT NULL,
    object TEXT COLLATE "C",
    team_id TEXT COLLATE "C",
    request_id TEXT COLLATE "C",
    detail TEXT COLLATE "C" NOT NULL
);

CREATE TABLE idempotency (
    user_id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    route TEXT COLLATE "C" NOT NULL,
    object_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_created ON idempotency (created_at);

-- History is added to, never rewritten.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER run_events_append_only BEFORE UPDATE OR DELETE ON run_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER run_events_no_truncate BEFORE TRUNCATE ON run_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
