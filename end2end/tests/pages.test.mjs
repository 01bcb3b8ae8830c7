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
  await page.getByRole("heading", { level: 1, name: "新建 SQL 作业" }).waitFor();
  assert.equal(await page.locator("#f-name").inputValue(), "half a job");
  assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "新建 SQL 作业" }).waitFor();
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
  await page.getByRole("combobox").waitFor();
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
  const pages = ["/jobs", "/jobs?q=nothing-like-it", "/jobs/new?kind=flink_sql", "/jobs/new?kind=flink_jar", `/jobs/${job.id}`, `/jobs/${job.id}/logs`,
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
  await page.locator("#user-menu:popover-open").waitFor();
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
