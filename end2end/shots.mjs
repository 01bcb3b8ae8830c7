// Pictures of the pages: both themes, two widths, two languages. `npm run shots`.
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { awake, launch, newPage } from "./lib/browser.mjs";
import { open, results, until } from "./lib/console.mjs";
import { BATCH, STREAM, lastRun, sqlJob } from "./lib/jobs.mjs";

const console_ = await open();
const browser = await launch();
try {
  const folder = path.join(results, "shots");
  await mkdir(folder, { recursive: true });
  const known = (await console_.call("GET", "/jobs?limit=500")).items;
  const make = async (name, sql) => known.find((row) => row.name === name) ?? console_.call("POST", "/jobs", sqlJob(console_, name, sql));
  // A console that was used before has them started already.
  const start = async (job) => ["running", "failed"].includes((await lastRun(console_, job.id))?.state) || console_.call("POST", `/jobs/${job.id}/runs`, {});
  const running = await make("orders_dedup_enrich", STREAM);
  await start(running);
  const failed = await make("clicks_sessionise", "INSERT INTO nowhere SELECT 1;");
  await start(failed);
  await make("daily_gmv_agg", BATCH);
  await make("订单汇总", BATCH);
  await console_.store("orders.jar", await readFile(process.env.PENSTOCK_TESTJOBS_JAR));
  await until("one runs and one has failed", async () =>
    (await lastRun(console_, running.id)).state === "running" && (await lastRun(console_, failed.id)).state === "failed", 150);

  // As an administrator, who sees every log and every button.
  const pages = [
    ["jobs", "/jobs"], ["jobs-nothing", "/jobs?q=nothing-like-it"],
    ["detail-failed", `/jobs/${failed.id}`], ["detail-running", `/jobs/${running.id}`], ["logs", `/jobs/${failed.id}/logs?at=error`],
    ["config", `/jobs/${running.id}/config`], ["runs", `/jobs/${failed.id}/runs`], ["editor", `/jobs/${running.id}/edit`],
    ["kinds", "/jobs/new"], ["new-sql", "/jobs/new?kind=flink_sql"], ["new-jar", "/jobs/new?kind=flink_jar"],
    ["new-spark-sql", "/jobs/new?kind=spark_sql"], ["new-spark-jar", "/jobs/new?kind=spark_jar"], ["new-pyspark", "/jobs/new?kind=pyspark"],
    ["artifacts", "/artifacts"], ["points", `/jobs/${running.id}/restore-points`], ["clusters", "/clusters"], ["cluster", "/clusters/sandbox"],
    ["cluster-new", "/clusters/new"], ["environments", "/environments"], ["tokens", "/tokens"], ["not-found", "/nowhere"],
  ];
  const admin = await browser.newContext();
  const first = await newPage(admin, console_.url);
  await first.goto(await console_.loginLink());
  await first.waitForURL(/\/jobs$/);
  await awake(first);
  const state = await admin.storageState();
  for (const theme of ["light", "dark"]) {
    for (const width of [1440, 390]) {
      for (const lang of ["en", "zh-CN"]) {
        const cookies = [{ name: "theme", value: theme, url: console_.url }, { name: "lang", value: lang, url: console_.url }];
        const look = `${theme}-${width}-${lang}`;
        const outside = await browser.newContext({ viewport: { width, height: 900 } });
        await outside.addCookies(cookies);
        const login = await outside.newPage();
        await login.goto(`${console_.url}/login`);
        await login.screenshot({ path: path.join(folder, `login-${look}.png`) });
        await outside.close();

        const context = await browser.newContext({ viewport: { width, height: 900 }, storageState: state });
        await context.addCookies(cookies);
        const page = await newPage(context, console_.url);
        const shot = (name) => page.screenshot({ path: path.join(folder, `${name}-${look}.png`) });
        for (const [name, at] of pages) {
          await page.goto(`${console_.url}${at}`);
          await awake(page);
          await page.waitForFunction(() => ![...document.querySelectorAll("main [aria-busy=true]")].some((part) => part.checkVisibility()));
          if (name === "cluster") {
            await page.locator("#check").click();
            await page.locator(".probes li").first().waitFor();
          }
          await shot(name);
        }
        // Below the first screen there is more of a form.
        await page.goto(`${console_.url}/jobs/new?kind=pyspark`);
        await awake(page);
        await page.locator("input[name=allocation]").last().check();
        await page.screenshot({ path: path.join(folder, `form-${look}.png`), fullPage: true });
        await page.goto(`${console_.url}/jobs/${running.id}`);
        await awake(page);
        await page.getByRole("button", { name: /^(Stop|停止)…/ }).click();
        await page.locator("#stop-now").waitFor();
        await shot("stop");
        await page.goto(`${console_.url}/jobs/new?kind=flink_jar`);
        await awake(page);
        await page.locator("#save").click();
        await page.locator("[aria-invalid=true]").first().waitFor();
        await shot("new-jar-errors");
        await page.goto(`${console_.url}/jobs`);
        await awake(page);
        await page.keyboard.press("Control+k");
        await page.getByRole("option").first().waitFor();
        await shot("palette");
        await page.keyboard.press("Escape");
        await page.keyboard.press("?");
        await page.locator("dialog[open] .keys").waitFor();
        await shot("help");
        await page.keyboard.press("Escape");
        await page.keyboard.press("j");
        await page.keyboard.press("x");
        await page.keyboard.press("j");
        await page.keyboard.press("x");
        await page.locator(".foot .btn.dng").click();
        await page.locator("#stop-many").waitFor();
        await shot("stop-many");
        await context.close();
      }
    }
  }
  await console_.call("POST", `/runs/${(await lastRun(console_, running.id)).id}/stop`, { mode: "cancel" });
  process.stdout.write(`${folder}\n`);
} finally {
  await browser.close();
  await console_.stop();
}
