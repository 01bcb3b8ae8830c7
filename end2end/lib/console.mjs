// A console to test against: the one at PENSTOCK_URL, or one started here on the sandbox.
import { execFile, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

export const results = process.env.PENSTOCK_RESULTS ?? fileURLToPath(new URL("../results", import.meta.url));

/** Polls until `probe` answers something true; fails with what it saw last. */
export async function until(what, probe, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  let last;
  for (;;) {
    try {
      last = await probe();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s; last: ${last?.stack ?? JSON.stringify(last)}`);
    await new Promise((next) => setTimeout(next, 200));
  }
}

function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run the suite with \`cargo xtask test\``);
  return value;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function startOwn() {
  const bin = needed("PENSTOCK_BIN");
  const dir = await mkdtemp(path.join(os.tmpdir(), "penstock-e2e-"));
  const [port, management] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  // The suite's own variables are no settings of the console.
  const outer = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PENSTOCK_")));
  const env = {
    ...outer,
    PENSTOCK_SERVER_DATA_DIR: path.join(dir, "data"),
    PENSTOCK_SERVER_LISTEN: `127.0.0.1:${port}`,
    PENSTOCK_SERVER_MANAGEMENT: `127.0.0.1:${management}`,
    PENSTOCK_SERVER_PUBLIC_URL: url,
    PENSTOCK_SERVER_SITE_DIR: needed("PENSTOCK_SITE"),
    PENSTOCK_SERVER_RUNNER_JAR: needed("PENSTOCK_RUNNER_JAR"),
    PENSTOCK_CLUSTERS_ALLOWED_DIRECTORIES: [needed("PENSTOCK_SANDBOX_CONF"), needed("PENSTOCK_SANDBOX_FLINK"), needed("PENSTOCK_SANDBOX_SPARK")].join(","),
  };
  await mkdir(results, { recursive: true });
  const log = createWriteStream(path.join(results, "console.log"));
  const child = spawn(bin, ["serve"], { env, cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const command = async (...args) => (await run(bin, args, { env, cwd: dir })).stdout.trim();
  await until("the console is ready", async () => {
    if (child.exitCode !== null) throw new Error(`the console ended; see ${path.join(results, "console.log")}`);
    return (await fetch(`http://127.0.0.1:${management}/readyz`)).ok;
  });
  const token = (await command("token", "create", "--user", "admin", "--name", "end2end")).match(/pst_\S+/)[0];
  return {
    url,
    token,
    // Each console owns its root on HDFS; one of an earlier test would be refused.
    root: `${process.env.PENSTOCK_SANDBOX_ROOT ?? "/penstock/end2end"}/${path.basename(dir)}`,
    // A fresh one each time: it signs in once.
    loginLink: async () => (await command("login-link")).match(/https?:\S+/)[0],
    async stop() {
      child.kill("SIGTERM");
      await Promise.race([ended, new Promise((next) => setTimeout(next, 10_000))]);
      if (child.exitCode === null) child.kill("SIGKILL");
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function given() {
  return {
    url: process.env.PENSTOCK_URL,
    token: needed("PENSTOCK_TOKEN"),
    root: process.env.PENSTOCK_SANDBOX_ROOT ?? "/penstock",
    loginLink: async () => needed("PENSTOCK_LOGIN_LINK"),
    async stop() {},
  };
}

/** REST with the administrator's token; `undefined` for an empty answer. */
export function rest(console) {
  return async (method, at, body) => {
    const response = await fetch(`${console.url}/api/v1${at}`, {
      method,
      headers: { authorization: `Bearer ${console.token}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${at}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  };
}

/** Stores a file as an artifact of the team; answers it. */
async function store(console, team, name, bytes) {
  const response = await fetch(`${console.url}/api/v1/artifacts?name=${encodeURIComponent(name)}&team=${team.id}`, {
    method: "POST", headers: { authorization: `Bearer ${console.token}`, "content-type": "application/octet-stream" }, body: bytes,
  });
  if (!response.ok) throw new Error(`storing ${name}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** A distribution as an environment that lies on the sandbox. */
async function placed(console, name, directory) {
  const call = rest(console);
  let environment = (await call("GET", "/environments")).items.find((one) => one.name === name);
  environment ??= await call("POST", "/environments", { name, directory });
  const there = async () => {
    const now = await call("GET", `/environments/${environment.id}`);
    const on = now.placements.find((p) => p.cluster_code === "sandbox");
    if (on?.failure) throw new Error(JSON.stringify(on.failure));
    return on?.snapshot === now.snapshot;
  };
  if (!(await there())) {
    await call("POST", `/environments/${environment.id}/place`, { cluster: "sandbox" });
    await until(`${name} is placed`, there, 240);
  }
  return environment;
}

/** A team, a user with a password, the sandbox as a cluster, and Flink placed on it. */
async function prepare(console) {
  const call = rest(console);
  const items = async (at) => (await call("GET", at)).items;
  let team = (await items("/teams")).find((t) => t.name === "realtime");
  team ??= await call("POST", "/teams", { name: "realtime" });
  const user = { name: "lin", password: "correct horse 8", teams: [{ team: "realtime", role: "developer" }] };
  if (!(await items("/users")).some((u) => u.name === user.name)) await call("POST", "/users", user);
  if (!(await items("/clusters")).some((c) => c.code === "sandbox")) {
    await call("POST", "/clusters", {
      code: "sandbox", name: "Sandbox", directory: needed("PENSTOCK_SANDBOX_CONF"), hdfs_root: console.root, identity: "simple",
      service_user: "penstock", grants: [{ team: team.id, hadoop_user: process.env.PENSTOCK_SANDBOX_TEAM_USER ?? "team_a", queues: ["root.default", "root.adhoc"] }],
    });
  }
  const environment = await placed(console, "flink-2.3.0", needed("PENSTOCK_SANDBOX_FLINK"));
  return { team, user, environment };
}

export async function open() {
  const console = process.env.PENSTOCK_URL ? given() : await startOwn();
  try {
    const prepared = await prepare(console);
    return { ...console, call: rest(console), store: (name, bytes) => store(console, prepared.team, name, bytes),
      // Only some tests need it, and it is large.
      spark: () => placed(console, "spark-4", needed("PENSTOCK_SANDBOX_SPARK")), ...prepared };
  } catch (error) {
    await console.stop();
    throw error;
  }
}
