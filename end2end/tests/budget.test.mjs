// What the pages may cost: the limits are those at which somebody would notice, not the aims.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { awake, launch, newPage, noComplaints, signIn } from "../lib/browser.mjs";
import { open } from "../lib/console.mjs";
import { BATCH, sqlJob } from "../lib/jobs.mjs";
import { filterTimes, manyJobs, quantile, scrollFrames, stir } from "../lib/many.mjs";

let console_, browser, state, job;
before(async () => {
  console_ = await open();
  browser = await launch();
  job = await console_.call("POST", "/jobs", sqlJob(console_, `counted_${Date.now().toString(36)}`, BATCH));
  const context = await browser.newContext();
  await signIn(await newPage(context, console_.url), console_, console_.user);
  state = await context.storageState();
  await context.close();
});
after(async () => { await browser?.close(); await console_?.stop(); });

test("the list of jobs loads its own code only, shifts nothing and then is quiet", { timeout: 120_000 }, async (t) => {
  const context = await browser.newContext({ storageState: state, viewport: { width: 1440, height: 900 } });
  const page = await newPage(context, console_.url);
  await page.addInitScript(() => {
    window.shift = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => { if (!entry.hadRecentInput) window.shift += entry.value; }))
      .observe({ type: "layout-shift", buffered: true });
  });
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${console_.url}/jobs`);
  await awake(page);
  await page.waitForLoadState("networkidle");
  const code = asked.filter((at) => /\.(wasm|js)$/.test(at)).map((at) => at.replace(/.*\//, ""));
  assert.deepEqual(code.filter((name) => /^(split|chunk)_/.test(name) || name.startsWith("editor")), [], "modules of other pages");
  assert.deepEqual(asked.filter((at) => at.endsWith(".woff2")), ["/vendor/inter.woff2"]);
  assert.ok(await page.evaluate(() => window.shift) <= 0.05, "layout shift");
  const before = asked.length;
  await page.waitForTimeout(20_000);
  t.diagnostic(`${asked.length - before} requests in 20 s`);
  assert.ok(asked.length - before <= 2, `an idle list asked for ${asked.slice(before).join(" ")}`);
  noComplaints(page);
  await context.close();
});

test("ten thousand jobs filter and scroll at once while they change", { timeout: 120_000 }, async (t) => {
  const context = await browser.newContext({ storageState: state, viewport: { width: 1440, height: 900 } });
  const like = (await (await context.request.get(`${console_.url}/fn/jobs`)).json()).find((row) => row.id === job.id);
  await manyJobs(context, 10_000, like);
  const page = await newPage(context, console_.url);
  await page.goto(`${console_.url}/jobs`);
  await awake(page);
  await page.waitForFunction(() => document.querySelector("table[role=grid]").getAttribute("aria-rowcount") === "10001");
  const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
  const times = await filterTimes(page, ["o", "or", "orders", "", "p", "pay", "payments_risk", "user7", "queue:root.team3", "", "owner:me", "clicks", ""]);
  await stir(page, 200);
  const frames = await scrollFrames(page, 3);
  const [filter, scroll] = [quantile(times, 0.95), quantile(frames, 0.99)];
  t.diagnostic(`${nodes} nodes, filter p95 ${filter.toFixed(1)} ms, scroll p99 ${scroll.toFixed(1)} ms of ${frames.length} frames`);
  assert.ok(nodes <= 2500, `${nodes} nodes`);
  // Of a busy machine the middle still says what the page costs; the ends say what else runs.
  assert.ok(quantile(times, 0.5) <= 100, `the filter took ${times.map(Math.round).join(" ")} ms`);
  assert.ok(quantile(frames, 0.5) <= 25, `frames took ${quantile(frames, 0.5)} ms`);
  noComplaints(page);
  await context.close();
});

test("the palette opens and answers a key at once", async (t) => {
  const context = await browser.newContext({ storageState: state });
  const page = await newPage(context, console_.url);
  await page.goto(`${console_.url}/jobs`);
  await awake(page);
  // Its code comes with the first use.
  await page.keyboard.press("Control+k");
  await page.getByRole("option", { name: job.name ?? job.spec.name }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("combobox", { name: "Search or go to" }).waitFor({ state: "hidden" });
  const { open: opened, key } = await page.evaluate(async () => {
    const drawn = () => new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
    const until = async (probe) => { const start = performance.now(); do await drawn(); while (!probe() && performance.now() - start < 2000); return performance.now() - start; };
    dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true, bubbles: true }));
    const open = await until(() => document.querySelector("dialog.palette").open);
    const input = document.querySelector("dialog.palette input");
    const options = () => document.querySelectorAll("dialog.palette [role=option]").length;
    const before = options();
    input.value = "counted";
    input.dispatchEvent(new Event("input", { bubbles: true }));
    return { open, key: await until(() => options() !== before) };
  });
  t.diagnostic(`open ${opened.toFixed(1)} ms, key ${key.toFixed(1)} ms`);
  assert.ok(opened <= 100, `opening took ${opened} ms`);
  assert.ok(key <= 100, `a key took ${key} ms`);
  noComplaints(page);
  await context.close();
});
