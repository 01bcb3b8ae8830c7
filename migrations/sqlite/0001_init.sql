-- Ids and JSON are TEXT, times are milliseconds since the epoch, truth values are 0 and 1.
-- The PostgreSQL file of the same number holds the same tables; a statement of the store runs on both.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE teams (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX teams_name ON teams (name);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    -- Lower-cased by the service: the databases disagree about lower().
    name TEXT NOT NULL,
    password_hash TEXT,
    admin INTEGER NOT NULL,
    -- Grows whenever every session of the user must end.
    epoch INTEGER NOT NULL,
    disabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_name ON users (name);

CREATE TABLE memberships (
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    PRIMARY KEY (user_id, team_id)
) STRICT;
CREATE INDEX memberships_team ON memberships (team_id);

CREATE TABLE sessions (
    -- Hash of the cookie's value: a copy of the table opens no session.
    id_hash TEXT PRIMARY KEY,
    data TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE login_links (
    secret_hash TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE UNIQUE INDEX tokens_secret_hash ON tokens (secret_hash);
CREATE INDEX tokens_user ON tokens (user_id, id);

CREATE TABLE clusters (
    id TEXT PRIMARY KEY,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    identity TEXT NOT NULL,
    service_user TEXT NOT NULL,
    hdfs_root TEXT NOT NULL,
    files TEXT NOT NULL,
    directory TEXT,
    summary TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    seen_at INTEGER,
    trouble TEXT,
    trouble_since INTEGER,
    rm_started_on INTEGER
) STRICT;
CREATE UNIQUE INDEX clusters_code ON clusters (code);

CREATE TABLE grants (
    cluster_id TEXT NOT NULL REFERENCES clusters (id) ON DELETE CASCADE,
    team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    hadoop_user TEXT NOT NULL,
    queues TEXT NOT NULL,
    PRIMARY KEY (cluster_id, team_id)
) STRICT;
CREATE INDEX grants_team ON grants (team_id);

CREATE TABLE environments (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- Null: shared by all teams.
    team_id TEXT REFERENCES teams (id),
    engine TEXT NOT NULL,
    version TEXT NOT NULL,
    directory TEXT NOT NULL,
    -- Number of the newest snapshot, 0 before the first.
    snapshot INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX environments_name ON environments (name);

CREATE TABLE snapshots (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    number INTEGER NOT NULL,
    files TEXT NOT NULL,
    defaults TEXT NOT NULL,
    file_count INTEGER NOT NULL,
    byte_count INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    reason TEXT,
    PRIMARY KEY (environment_id, number)
) STRICT;

CREATE TABLE placements (
    cluster_id TEXT NOT NULL REFERENCES clusters (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    hadoop_user TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    state TEXT NOT NULL,
    verified_at INTEGER NOT NULL,
    PRIMARY KEY (cluster_id, path)
) STRICT;
CREATE INDEX placements_content ON placements (cluster_id, sha256);

CREATE TABLE environment_placements (
    environment_id TEXT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    cluster_id TEXT NOT NULL REFERENCES clusters (id) ON DELETE CASCADE,
    -- Snapshot whose every file was verified there.
    snapshot INTEGER,
    files_done INTEGER NOT NULL,
    files_total INTEGER NOT NULL,
    bytes_done INTEGER NOT NULL,
    bytes_total INTEGER NOT NULL,
    operation_id TEXT,
    failure TEXT,
    PRIMARY KEY (environment_id, cluster_id)
) STRICT;

CREATE TABLE artifacts (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id),
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    main_classes TEXT NOT NULL,
    manifest_class TEXT,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX artifacts_version ON artifacts (team_id, name, version);
CREATE INDEX artifacts_content ON artifacts (sha256);

CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id),
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT,
    part_size INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX uploads_updated ON uploads (updated_at);

CREATE TABLE upload_parts (
    upload_id TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    part INTEGER NOT NULL,
    PRIMARY KEY (upload_id, part)
) STRICT;

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    environment_id TEXT NOT NULL REFERENCES environments (id),
    queue TEXT NOT NULL,
    version INTEGER NOT NULL,
    -- The newest run, so that a list of jobs needs no search per line.
    last_run_id TEXT,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX jobs_name ON jobs (team_id, name) WHERE deleted_at IS NULL;

CREATE TABLE job_versions (
    job_id TEXT NOT NULL REFERENCES jobs (id),
    number INTEGER NOT NULL,
    spec TEXT NOT NULL,
    artifact_id TEXT REFERENCES artifacts (id),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (job_id, number)
) STRICT;

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES jobs (id),
    version INTEGER NOT NULL,
    team_id TEXT NOT NULL REFERENCES teams (id),
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    environment_id TEXT NOT NULL REFERENCES environments (id),
    snapshot INTEGER NOT NULL,
    queue TEXT NOT NULL,
    hadoop_user TEXT NOT NULL,
    state TEXT NOT NULL,
    state_since INTEGER NOT NULL,
    requested TEXT,
    requested_at INTEGER,
    in_doubt_since INTEGER,
    observed_at INTEGER,
    observed_by TEXT,
    tick_ms INTEGER NOT NULL,
    external_id TEXT,
    engine_job_id TEXT,
    final_status TEXT,
    failure TEXT,
    tracking_url TEXT,
    rest_url TEXT,
    tasks_running INTEGER,
    tasks_total INTEGER,
    attempts INTEGER NOT NULL,
    launch TEXT,
    prepared TEXT,
    staging TEXT,
    usage TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    row_version INTEGER NOT NULL,
    operation_id TEXT
) STRICT;
CREATE UNIQUE INDEX runs_open_job ON runs (job_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX runs_external_id ON runs (external_id);
CREATE INDEX runs_job ON runs (job_id, id);
CREATE INDEX runs_team ON runs (team_id, id);
CREATE INDEX runs_open_cluster ON runs (cluster_id) WHERE ended_at IS NULL;

CREATE TABLE run_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL REFERENCES runs (id),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    from_state TEXT,
    to_state TEXT,
    source TEXT NOT NULL,
    note TEXT,
    evidence TEXT
) STRICT;
CREATE INDEX run_events_run ON run_events (run_id, seq);

CREATE TABLE operations (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    run_id TEXT REFERENCES runs (id),
    environment_id TEXT REFERENCES environments (id),
    cluster_id TEXT REFERENCES clusters (id),
    team_id TEXT REFERENCES teams (id),
    phase TEXT NOT NULL,
    data TEXT NOT NULL,
    steps TEXT NOT NULL,
    log TEXT NOT NULL,
    failure TEXT,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    row_version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX operations_open_run ON operations (run_id, kind) WHERE state NOT IN ('done', 'failed');
CREATE UNIQUE INDEX operations_open_place ON operations (environment_id, cluster_id) WHERE kind = 'place' AND state NOT IN ('done', 'failed');
CREATE INDEX operations_due ON operations (kind, due_at) WHERE state NOT IN ('done', 'failed');

CREATE TABLE audit_events (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    user_id TEXT,
    action TEXT NOT NULL,
    object TEXT,
    team_id TEXT,
    request_id TEXT,
    detail TEXT NOT NULL
) STRICT;

CREATE TABLE idempotency (
    user_id TEXT NOT NULL,
    key TEXT NOT NULL,
    route TEXT NOT NULL,
    object_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT;
CREATE INDEX idempotency_created ON idempotency (created_at);

-- History is added to, never rewritten.
CREATE TRIGGER run_events_no_update BEFORE UPDATE ON run_events
BEGIN SELECT RAISE(ABORT, 'run_events is append-only'); END;
CREATE TRIGGER run_events_no_delete BEFORE DELETE ON run_events
BEGIN SELECT RAISE(ABORT, 'run_events is append-only'); END;
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END;
