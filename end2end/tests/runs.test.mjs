// Both kinds of job, from the form to the end, on the real cluster.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { awake, launch, newPage, noComplaints, signIn } from "../lib/browser.mjs";
import { open, until } from "../lib/console.mjs";
import { BATCH, STREAM, lastRun, sqlJob } from "../lib/jobs.mjs";

const chip = (page, word) => page.locator("main > .hd .st").filter({ hasText: word });
// Names are unique on a console that was used before.
const stamp = Date.now().toString(36);
const jobOf = (page) => new URL(page.url()).pathname.split("/")[2];

let console_, browser, context, page;
before(async () => {
  console_ = await open();
  browser = await launch();
  context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  page = await newPage(context, console_.url);
  await signIn(page, console_, console_.user);
});

/** Somebody new of the team in another role. */
let people = 0;
async function signedInAs(role) {
  people += 1;
  const user = { name: `${role}-${people}-${stamp}`, password: "correct horse 8", teams: [{ team: "realtime", role }] };
  await console_.call("POST", "/users", user);
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await newPage(context, console_.url);
  await signIn(page, console_, user);
  return { context, page };
}
after(async () => { await browser?.close(); await console_?.stop(); });

test("a SQL stream is written, started, watched, read and cancelled", { timeout: 240_000 }, async () => {
  await page.goto(`${console_.url}/jobs/new?kind=flink_sql`);
  await awake(page);
  await page.locator(".cm-content").waitFor();
  await page.getByLabel("Name", { exact: true }).fill(`stream of numbers ${stamp}`);
  await page.locator(".cm-content").click();
  await page.keyboard.insertText(STREAM);
  await page.getByLabel("TaskManager memory").fill("1024");
  await page.locator("#save-start").click();
  await page.waitForURL(/\/jobs\/job_/);
  await chip(page, "Running").waitFor({ timeout: 120_000 });
  const run = await lastRun(console_, jobOf(page));
  assert.equal(run.state, "running");
  assert.equal(run.tasks_running, run.tasks_total);
  await page.getByText("Timeline").waitFor();

  await page.getByRole("tab", { name: "Logs" }).click();
  await page.locator(".log.view .ln").first().waitFor({ timeout: 60_000 });
  await page.getByLabel("Search the log").fill("switched from");
  await page.keyboard.press("Enter");
  await page.locator(".log.view mark").first().waitFor({ timeout: 30_000 });

  await page.getByRole("button", { name: "Stop…" }).click();
  await page.getByRole("radio", { name: /^Cancel/ }).check();
  await page.locator("#stop-now").click();
  await chip(page, "Cancelled").waitFor({ timeout: 90_000 });
  await page.getByRole("tab", { name: "Runs" }).click();
  await page.locator("table .st").filter({ hasText: "Cancelled" }).waitFor();
  noComplaints(page);
});

test("a jar is uploaded, its class chosen, odd arguments arrive unchanged", { timeout: 240_000, skip: !process.env.PENSTOCK_TESTJOBS_JAR && "needs PENSTOCK_TESTJOBS_JAR" }, async () => {
  const odd = ["two words", "quote\"s 'and' $HOME `id`", "line\nbreak", "", "{{X}} <LOG_DIR>", "naïve 数据"];
  await page.goto(`${console_.url}/jobs/new?kind=flink_jar`);
  await awake(page);
  await page.getByLabel("Name", { exact: true }).fill(`echo of arguments ${stamp}`);
  await page.locator("#f-upload").setInputFiles(process.env.PENSTOCK_TESTJOBS_JAR);
  await page.getByText(/^\s*(Uploaded|Already stored)/).waitFor({ timeout: 60_000 });
  const echo = await page.locator("#f-class option").evaluateAll((all) => all.map((o) => o.value).find((v) => v.endsWith("EchoArgs")));
  await page.locator("#f-class").selectOption(echo);
  for (const [i, arg] of odd.entries()) {
    await page.locator("#add-arg").click();
    await page.getByLabel(`Argument ${i + 1}`, { exact: true }).fill(arg);
  }
  await page.locator("#save-start").click();
  await page.waitForURL(/\/jobs\/job_/);
  const job = await console_.call("GET", `/jobs/${jobOf(page)}`);
  assert.deepEqual(job.spec.args, odd);
  await page.locator("main > .hd .st").filter({ hasText: /Finished|Failed/ }).waitFor({ timeout: 150_000 });
  await chip(page, "Finished").waitFor();
  noComplaints(page);
});

test("a script that the engine refuses ends in a clear sentence with a way to the log", { timeout: 180_000 }, async () => {
  const job = await console_.call("POST", "/jobs", sqlJob(console_, `no such table ${stamp}`, "INSERT INTO nowhere SELECT 1;"));
  await page.goto(`${console_.url}/jobs/${job.id}`);
  await awake(page);
  await page.locator("#start").click();
  await chip(page, "Failed").waitFor({ timeout: 120_000 });
  const banner = page.locator(".ban.e");
  await banner.waitFor();
  await page.locator("#changes summary").click();
  await page.locator("#changes").getByText("No earlier run of this job worked").waitFor();
  await banner.getByRole("link").click();
  await page.locator(".log.view .ln.at").waitFor({ timeout: 60_000 });
  noComplaints(page);
});

test("a stream is saved, stopped with its state, goes on from it, and does not begin empty by a click", { timeout: 420_000 }, async () => {
  // Savepoints are an operator's.
  const operator = await signedInAs("operator");
  const { page } = operator;
  const job = await console_.call("POST", "/jobs", sqlJob(console_, `goes on ${stamp}`, STREAM, { conf: { "execution.checkpointing.interval": "2s" } }));
  await page.goto(`${console_.url}/jobs/${job.id}/restore-points`);
  await awake(page);
  await page.getByText("No restore point yet").waitFor();
  await page.locator("#start").click();
  await chip(page, "Running").waitFor({ timeout: 120_000 });
  assert.equal(await page.locator("dialog[open]").count(), 0, "nothing to restore, nothing to ask");

  await page.locator("#save-state").click();
  const rows = page.locator("#points tbody tr");
  await rows.filter({ hasText: "Savepoint" }).waitFor({ timeout: 60_000 });
  await page.locator("[data-operation=done]").waitFor();

  await page.getByRole("button", { name: "Stop…" }).click();
  assert.ok(await page.getByRole("radio", { name: /^With savepoint/ }).isChecked());
  await page.locator("#deadline").fill("soon");
  await page.locator("#stop-now").click();
  await page.getByRole("dialog").getByRole("alert").waitFor();
  await page.locator("#deadline").fill("120");
  await page.locator("#stop-now").click();
  await chip(page, /Finished|Cancelled/).waitFor({ timeout: 90_000 });
  await until("both savepoints are listed", async () => (await rows.filter({ hasText: "Savepoint" }).count()) === 2, 60);
  const points = (await console_.call("GET", `/jobs/${job.id}/restore-points`)).items;
  const newest = points.find((point) => point.preselected);

  await page.locator("#start").click();
  const dialog = page.getByRole("dialog");
  await dialog.locator("#from-point").waitFor();
  assert.equal(await dialog.locator("#from-point").inputValue(), newest.id);
  await dialog.getByRole("radio", { name: /^A path on HDFS/ }).check();
  await dialog.locator("#from-path").fill("/nowhere/at/all");
  await dialog.locator("#start-now").click();
  await dialog.getByRole("alert").waitFor();
  assert.equal(await dialog.locator("#from-path").inputValue(), "/nowhere/at/all", "what was typed stays");
  await dialog.getByRole("radio", { name: /^Without state/ }).check();
  assert.ok(await dialog.locator("#start-now").isDisabled(), "the name must be typed");
  await dialog.locator("#from-confirm").fill(job.spec.name);
  assert.ok(await dialog.locator("#start-now").isEnabled());
  await dialog.getByRole("radio", { name: /^A restore point/ }).check();
  await dialog.locator("#start-now").click();
  await chip(page, "Running").waitFor({ timeout: 120_000 });
  assert.equal((await lastRun(console_, job.id)).restored_from.point, newest.id);
  await rows.getByText("in use").waitFor();

  await page.getByRole("button", { name: "Stop…" }).click();
  await page.getByRole("radio", { name: /^Kill/ }).check();
  await page.locator("#stop-now").click();
  await chip(page, "Cancelled").waitFor({ timeout: 90_000 });
  const oldest = rows.filter({ hasText: "Savepoint" }).last();
  await oldest.getByRole("button", { name: "Dispose…" }).click();
  await page.locator("#dispose-now").click();
  await oldest.getByText("Disposed").waitFor();
  noComplaints(page);
  await operator.context.close();
});

test("a change is on screen within a second of its being known", { timeout: 240_000 }, async () => {
  const job = await console_.call("POST", "/jobs", sqlJob(console_, `watched-${stamp}`, BATCH));
  const list = await newPage(context, console_.url);
  await list.goto(`${console_.url}/jobs?q=watched-${stamp}`);
  await awake(list);
  await list.locator(`#row-${job.id}`).waitFor();
  await list.evaluate((id) => {
    window.seen = [];
    const row = document.getElementById(`row-${id}`);
    const look = () => {
      const word = row.querySelector(".st")?.textContent;
      if (word && seen.at(-1)?.word !== word) seen.push({ word, at: Date.now() });
    };
    new MutationObserver(look).observe(row, { subtree: true, childList: true, characterData: true });
  }, job.id);
  const run = await console_.call("POST", `/jobs/${job.id}/runs`, {});
  await until("the run has ended", async () => (await console_.call("GET", `/runs/${run.id}`)).ended_at, 150);
  const words = { queued: "Queued", starting: "Starting", finished: "Finished" };
  const events = (await console_.call("GET", `/runs/${run.id}/events`)).filter((event) => words[event.to]);
  assert.ok(events.some((event) => event.to === "finished"), JSON.stringify(events));
  await new Promise((next) => setTimeout(next, 1000));
  const seen = await list.evaluate(() => window.seen);
  const last = events.at(-1);
  const shown = seen.find((entry) => entry.word.includes(words[last.to]));
  assert.ok(shown, `never shown: ${JSON.stringify(seen)}`);
  assert.ok(shown.at - last.at <= 1000, `${last.to} was shown ${shown.at - last.at} ms after it was known`);
  noComplaints(list);
  await list.close();
});

test("several jobs are stopped together only when their number was typed", { timeout: 240_000 }, async () => {
  const names = ["first", "second"].map((which) => `together-${stamp}-${which}`);
  const jobs = await Promise.all(names.map((name) => console_.call("POST", "/jobs", sqlJob(console_, name, STREAM))));
  for (const job of jobs) await console_.call("POST", `/jobs/${job.id}/runs`, {});
  // Somebody else has started them: stopping them is an operator's.
  const operator = await signedInAs("operator");
  const list = operator.page;
  await list.goto(`${console_.url}/jobs?q=together-${stamp}`);
  await awake(list);
  for (const job of jobs) await list.locator(`#row-${job.id} input`).check();
  const ask = list.locator(".foot .btn.dng");
  await ask.click();
  const dialog = list.getByRole("dialog", { name: "Stop 2 jobs" });
  for (const name of names) await dialog.getByText(name).waitFor();
  assert.equal(await list.evaluate(() => document.activeElement.textContent), "Keep running");
  const stop = dialog.locator("#stop-many");
  assert.ok(await stop.isDisabled());
  await dialog.getByLabel(/To confirm/).fill("3");
  assert.ok(await stop.isDisabled());
  await dialog.getByRole("radio", { name: /^Kill/ }).check();
  await dialog.getByLabel(/To confirm/).fill("2");
  await stop.click();
  await list.getByText("Stop requested for 2").waitFor();
  for (const job of jobs) {
    await until("the run has ended", async () => (await lastRun(console_, job.id)).ended_at, 90);
    await list.locator(`#row-${job.id} .st`).filter({ hasText: "Cancelled" }).waitFor();
  }
  await ask.click();
  await list.getByText("None of the selected jobs runs").waitFor();
  noComplaints(list);
  await operator.context.close();
});
