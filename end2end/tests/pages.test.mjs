// Address, language, theme, keyboard, drafts, and the eyes of axe.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { awake, axe, everyLook, launch, newPage, noComplaints, noSidewaysScroll, signIn } from "../lib/browser.mjs";
import { open, until } from "../lib/console.mjs";
import { BATCH, STREAM, sqlJob } from "../lib/jobs.mjs";

let console_, browser, job;
before(async () => {
  console_ = await open();
  browser = await launch();
  // A console that was used before has them already.
  const known = (await console_.call("GET", "/jobs?limit=500")).items;
  const ensure = async (name, sql) => known.find((row) => row.name === name) ?? console_.call("POST", "/jobs", sqlJob(console_, name, sql));
  job = await ensure("orders_dedup", STREAM);
  await ensure("clicks_<script>alert(1)</script>", BATCH);
  await ensure("订单汇总", `-- </textarea><script>alert(1)</script>\n${BATCH}`);
});
after(async () => { await browser?.close(); await console_?.stop(); });

async function signedIn(options) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await newPage(context, console_.url);
  await signIn(page, console_, console_.user);
  return { context, page };
}

test("filter, view and order are in the address and Back restores them", async () => {
  const { context, page } = await signedIn();
  await page.goto(`${console_.url}/jobs`);
  await awake(page);
  const names = () => page.locator("tbody td.name a").allTextContents();
  await page.getByRole("button", { name: /^Mine/ }).click();
  await page.waitForURL(/view=mine/);
  await page.getByText("Nothing matches").waitFor();
  await page.goBack();
  await page.locator(`#row-${job.id}`).waitFor();
  await page.getByRole("button", { name: "Name", exact: true }).click();
  await page.waitForURL(/sort=name/);
  assert.deepEqual((await names()).slice(0, 2), ["clicks_<script>alert(1)</script>", "orders_dedup"]);
  await page.getByLabel("Filter the jobs").fill("orders kind:flink_sql");
  await page.waitForURL(/q=orders/);
  assert.deepEqual(await names(), ["orders_dedup"]);
  // A kind is a word of the filter too.
  const kind = page.getByLabel("Kind", { exact: true });
  assert.equal(await kind.inputValue(), "flink_sql");
  await kind.selectOption("spark_sql");
  await page.waitForURL(/kind%3Aspark_sql/);
  assert.deepEqual(await names(), []);
  await page.goBack();
  await page.waitForURL(/kind%3Aflink_sql/);
  const other = await newPage(context, console_.url);
  await other.goto(page.url());
  assert.deepEqual(await other.locator("tbody td.name a").allTextContents(), ["orders_dedup"]);
  await page.goBack();
  await page.waitForFunction(() => document.querySelectorAll("tbody td.name a").length > 1);
  noComplaints(page);
  noComplaints(other);
  await context.close();
});

test("language changes at once, keeps what is typed, and stays", async () => {
  const { context, page } = await signedIn();
  await page.goto(`${console_.url}/jobs/new?kind=flink_sql`);
  await awake(page);
  await page.getByLabel("Name", { exact: true }).fill("half a job");
  await page.getByRole("button", { name: "中文" }).click();
  await page.getByRole("heading", { level: 1, name: "新建 Flink SQL 作业" }).waitFor();
  assert.equal(await page.locator("#f-name").inputValue(), "half a job");
  assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "新建 Flink SQL 作业" }).waitFor();
  await awake(page);
  await page.locator("#save").click();
  await page.getByText(/不能为空|脚本为空/).first().waitFor();
  noComplaints(page);
  await context.close();
});

test("the theme is in the first byte of the next page", async () => {
  const { context, page } = await signedIn();
  await page.getByRole("button", { name: "Use dark theme" }).click();
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  const html = await (await context.request.get(`${console_.url}/jobs`)).text();
  assert.match(html, /data-theme="dark"/);
  noComplaints(page);
  await context.close();
});

test("ages begin on each page and go on", async () => {
  const { context, page } = await signedIn();
  const born = await console_.call("POST", "/jobs", sqlJob(console_, `aged_${Date.now().toString(36)}`, BATCH));
  const times = () => page.locator("main time").allTextContents();
  for (const address of [`/jobs/${born.id}`, `/jobs/${born.id}/config`, "/jobs", "/clusters", "/tokens", "/artifacts"]) {
    await page.goto(`${console_.url}${address}`);
    await awake(page);
    await until(`all times of ${address} are ages`, async () => (await times()).every((text) => /ago|in /.test(text.trim())), 5);
  }
  await page.goto(`${console_.url}/jobs/${born.id}`);
  await awake(page);
  const age = page.locator("main time").last();
  const first = await age.textContent();
  await until("the age has grown", async () => (await age.textContent()) !== first, 5);
  noComplaints(page);
  await context.close();
});

test("a file is uploaded once, found by name, and begins a job", async () => {
  const { context, page } = await signedIn();
  const name = `lesson_${Date.now().toString(36)}.py`;
  await page.goto(`${console_.url}/artifacts`);
  await awake(page);
  const file = { name, mimeType: "text/x-python", buffer: Buffer.from(`print("${name}")\n`) };
  await page.locator("#a-upload").setInputFiles(file);
  await page.getByText("Uploaded", { exact: true }).waitFor();
  const row = page.locator("#artifacts tbody tr").filter({ hasText: name });
  await row.getByText("v1").waitFor();
  await page.locator("#a-upload").setInputFiles(file);
  await page.getByText(/Already stored/).waitFor();
  assert.equal(await row.count(), 1);
  await page.locator("#a-upload").setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no program") });
  await page.locator("main .ban.e").waitFor();
  await page.getByLabel("Filter by name").fill(name);
  await page.waitForURL(/q=lesson/);
  assert.equal(await page.locator("#artifacts tbody tr").count(), 1);
  await page.reload();
  await awake(page);
  assert.equal(await page.locator("#artifacts tbody tr").count(), 1);
  await row.getByRole("link", { name: /PySpark/ }).click();
  await page.getByRole("heading", { level: 1, name: "New PySpark job" }).waitFor();
  await until("the file is chosen", async () => (await page.locator("#f-artifact option:checked").textContent()).includes(name), 10);
  noComplaints(page);
  await context.close();
});

test("a new job begins with its kind", async () => {
  const { context, page } = await signedIn();
  await page.goto(`${console_.url}/jobs`);
  await awake(page);
  await page.keyboard.press("n");
  await page.waitForURL(/\/jobs\/new$/);
  for (const [kind, heading] of [["flink_sql", "New Flink SQL job"], ["flink_jar", "New Flink jar job"], ["spark_sql", "New Spark SQL job"], ["spark_jar", "New Spark jar job"], ["pyspark", "New PySpark job"]]) {
    await page.locator(`.kinds a[href$="kind=${kind}"]`).click();
    await page.getByRole("heading", { level: 1, name: heading }).waitFor();
    // A part that comes as a module of its own is taken over as well when the page is loaded anew.
    await page.reload();
    await awake(page);
    await page.getByLabel("Name", { exact: true }).fill("x");
    assert.equal(await page.locator("#f-driver-mb").count(), /spark/.test(kind) ? 1 : 0, kind);
    assert.equal(await page.locator("#f-parallelism").count(), /flink/.test(kind) ? 1 : 0, kind);
    await page.goto(`${console_.url}/jobs/new`);
    await awake(page);
  }
  noComplaints(page);
  await context.close();
});

test("a draft survives a reload; a second editor's save is shown, not lost", async () => {
  const { context, page } = await signedIn();
  const mine = await console_.call("POST", "/jobs", sqlJob(console_, `edited_twice_${Date.now().toString(36)}`, BATCH));
  await page.goto(`${console_.url}/jobs/${mine.id}/edit`);
  await awake(page);
  await page.locator("#f-parallelism").fill("3");
  await page.getByText(/Draft kept in this browser/).waitFor();
  await page.reload();
  await page.getByText("This is your unsaved draft").waitFor();
  assert.equal(await page.locator("#f-parallelism").inputValue(), "3");
  const now = await console_.call("GET", `/jobs/${mine.id}`);
  await console_.call("PUT", `/jobs/${mine.id}`, { base_version: now.version, spec: { ...now.spec, name: "edited_by_other" } });
  await page.locator("#save").click();
  await page.getByText(/Somebody saved version 2/).first().waitFor();
  await page.getByText("edited_by_other").waitFor();
  await page.getByRole("button", { name: "Save yours on top" }).click();
  await page.waitForURL(new RegExp(`/jobs/${mine.id}$`));
  const saved = await console_.call("GET", `/jobs/${mine.id}`);
  assert.equal(saved.spec.resources.parallelism, 3);
  assert.equal(saved.version, 3);

  await page.goto(`${console_.url}/jobs/${mine.id}/config`);
  await awake(page);
  await page.getByRole("heading", { name: "Changed from v2" }).waitFor();
  const told = await page.locator("details[open] table.changes tbody tr").allTextContents();
  assert.ok(told.includes("resources.parallelism13"), told.join());
  await page.locator("summary", { hasText: "v1" }).click();
  await page.getByRole("button", { name: "Save as the newest version" }).last().click();
  await page.getByRole("heading", { name: "Changed from v3" }).waitFor();
  const restored = await console_.call("GET", `/jobs/${mine.id}`);
  assert.deepEqual([restored.version, restored.spec], [4, mine.spec]);
  noComplaints(page);
  await context.close();
});

test("everything can be done by keyboard", async () => {
  const { context, page } = await signedIn();
  await page.goto(`${console_.url}/jobs`);
  await awake(page);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Search or go to" }).waitFor();
  await page.keyboard.type("orders_dedup");
  await page.getByRole("option", { name: /orders_dedup / }).waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(new RegExp(job.id));
  await page.keyboard.press("g");
  await page.keyboard.press("j");
  await page.waitForURL(/\/jobs$/);
  await page.locator("tbody tr").first().waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.getByText("1 selected").waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  await page.keyboard.type("j");
  assert.equal(await page.getByLabel("Filter the jobs").inputValue(), "j");
  await page.goto(`${console_.url}/jobs/new?kind=flink_sql`);
  await awake(page);
  await page.locator(".cm-content").waitFor();
  await page.locator(".cm-content").focus();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  assert.ok(await page.evaluate(() => !document.activeElement.closest(".cm-editor")), "Escape and Tab leave the editor");
  noComplaints(page);
  await context.close();
});

test("a token is shown once and can be revoked", async () => {
  const { context, page } = await signedIn();
  await page.goto(`${console_.url}/tokens`);
  await awake(page);
  await page.getByLabel("Name", { exact: true }).fill("nightly");
  await page.getByRole("button", { name: "Create token" }).click();
  const secret = await page.locator("[data-secret]").textContent();
  assert.match(secret, /^pst_/);
  const me = () => fetch(`${console_.url}/api/v1/me`, { headers: { authorization: `Bearer ${secret}` } });
  assert.equal((await me()).status, 200);
  await page.reload();
  assert.ok(!(await page.content()).includes(secret));
  await awake(page);
  await page.getByRole("button", { name: "Revoke nightly" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByText("revoked", { exact: true }).waitFor();
  assert.equal((await me()).status, 401);
  noComplaints(page);
  await context.close();
});

test("axe finds nothing on any page, in both themes, widths and languages", { timeout: 600_000 }, async () => {
  const { context, page } = await signedIn({ reducedMotion: "reduce" });
  await console_.store("looked_at.py", "print('one file to list')");
  const pages = ["/jobs", "/jobs?q=nothing-like-it", "/jobs/new", "/jobs/new?kind=flink_sql", "/jobs/new?kind=flink_jar", "/jobs/new?kind=spark_sql",
    "/jobs/new?kind=spark_jar", "/jobs/new?kind=pyspark", "/artifacts", "/artifacts?q=nothing-like-it", `/jobs/${job.id}`, `/jobs/${job.id}/logs`,
    `/jobs/${job.id}/config`, `/jobs/${job.id}/runs`, `/jobs/${job.id}/restore-points`, `/jobs/${job.id}/edit`, "/clusters", "/clusters/new", "/clusters/sandbox", "/environments", "/tokens", "/nowhere"];
  const at = async (address) => {
    await page.setViewportSize({ width: 1440, height: 900 });
    await context.addCookies([{ name: "lang", value: "en", url: console_.url }]);
    await page.goto(`${console_.url}${address}`);
    await awake(page);
    await page.waitForFunction(() => ![...document.querySelectorAll("main [aria-busy=true]")].some((part) => part.checkVisibility()));
  };
  for (const address of pages) {
    await at(address);
    await everyLook(page, address);
  }

  await at(`/jobs/${job.id}`);
  await page.keyboard.press("Control+k");
  await page.getByRole("option", { name: /orders_dedup / }).waitFor();
  await everyLook(page, "palette");
  // A key pressed in the same instant as the one that closes the palette is heard.
  await Promise.all([page.keyboard.press("Escape"), page.keyboard.press("?")]);
  await page.locator("dialog[open] .keys").waitFor();
  await everyLook(page, "help");

  await at("/jobs");
  await page.locator("button.user").click();
  await page.locator("#user-menu:popover-open select").waitFor();
  await everyLook(page, "menu");

  await at("/jobs");
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.getByText("1 selected").waitFor();
  await everyLook(page, "selection");

  await at("/jobs/new?kind=flink_jar");
  await page.locator("#save").click();
  await page.locator("[aria-invalid=true]").first().waitFor();
  await everyLook(page, "form with errors");

  await at(`/jobs/${job.id}`);
  await page.locator("#delete").click();
  await page.locator("dialog[open]").waitFor();
  await everyLook(page, "dialog");
  noComplaints(page);
  await context.close();

  const outside = await browser.newContext({ reducedMotion: "reduce" });
  const login = await newPage(outside, console_.url);
  for (const [theme, width, lang] of [["light", 1440, "en"], ["dark", 390, "zh-CN"], ["dark", 1440, "en"], ["light", 320, "zh-CN"]]) {
    await outside.addCookies([{ name: "theme", value: theme, url: console_.url }, { name: "lang", value: lang, url: console_.url }]);
    await login.setViewportSize({ width, height: 900 });
    await login.goto(`${console_.url}/login`);
    await axe(login, `login ${theme} ${width} ${lang}`);
    await noSidewaysScroll(login, `login ${width} ${lang}`);
  }
  noComplaints(login);
  await outside.close();
});

test("axe finds nothing where state is kept, chosen and thrown away", { timeout: 600_000 }, async () => {
  const operator = { name: `keeper-${Date.now().toString(36)}`, password: "correct horse 8", teams: [{ team: "realtime", role: "operator" }] };
  await console_.call("POST", "/users", operator);
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
  const page = await newPage(context, console_.url);
  await signIn(page, console_, operator);
  const kept = await console_.call("POST", "/jobs", sqlJob(console_, `kept_${operator.name}`, STREAM));
  const run = await console_.call("POST", `/jobs/${kept.id}/runs`, {});
  const at = async (address) => {
    await page.setViewportSize({ width: 1440, height: 900 });
    await context.addCookies([{ name: "lang", value: "en", url: console_.url }]);
    await page.goto(`${console_.url}${address}`);
    await awake(page);
  };
  await at(`/jobs/${kept.id}`);
  await page.locator("main > .hd .st").filter({ hasText: "Running" }).waitFor({ timeout: 120_000 });
  await page.getByRole("button", { name: "Stop…" }).click();
  await page.locator("#deadline").fill("0");
  await page.locator("#stop-now").click();
  await page.locator("dialog[open] [role=alert]").waitFor();
  await everyLook(page, "stop");

  await at(`/jobs/${kept.id}`);
  await page.locator("#save-state").click();
  await page.locator("[data-operation=done]").waitFor({ timeout: 60_000 });
  await page.locator("#points tbody tr").waitFor();
  await everyLook(page, "restore points");
  await page.locator("#points button", { hasText: /Dispose|清理/ }).click();
  await page.locator("dialog[open]").waitFor();
  await everyLook(page, "dispose");

  await console_.call("POST", `/runs/${run.id}/stop`, { mode: "kill" });
  await until("the run has ended", async () => (await console_.call("GET", `/runs/${run.id}`)).ended_at);
  // As after "Save and start": the address asks the question.
  await at(`/jobs/${kept.id}?start`);
  await page.locator("#from-point").waitFor();
  for (const way of ["point", "path", "nothing"]) {
    await page.locator(`dialog[open] input[value=${way}]`).check();
    await everyLook(page, `start from ${way}`);
  }
  noComplaints(page);
  await context.close();
});
