// Definitions the tests run.
export const STREAM = `CREATE TEMPORARY TABLE numbers (id BIGINT, amount INT) WITH ('connector' = 'datagen', 'rows-per-second' = '2');
CREATE TEMPORARY TABLE printed (id BIGINT, amount INT) WITH ('connector' = 'print');
INSERT INTO printed SELECT id, amount FROM numbers;
`;

export const BATCH = `SET 'execution.runtime-mode' = 'batch';
CREATE TEMPORARY TABLE printed (n INT) WITH ('connector' = 'print');
INSERT INTO printed SELECT * FROM (VALUES (1), (2), (3)) AS t(n);
`;

export function sqlJob(console, name, sql, more = {}) {
  return {
    team: console.team.id,
    spec: { name, kind: "flink_sql", cluster: "sandbox", environment: console.environment.id, queue: "root.default", sql, resources: { job_manager_mb: 1024, task_manager_mb: 1024 }, ...more },
  };
}

/** The job's last run. */
export async function lastRun(console, job) {
  return (await console.call("GET", `/jobs/${job}`)).run;
}
