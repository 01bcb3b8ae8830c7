// Pictures of the pages: both themes, two widths, two languages. `npm run shots`.
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { awake, launch, newPage, signIn } from "./lib/browser.mjs";
import { open, results, until } from "./lib/console.mjs";
import { BATCH, STREAM, lastRun, sqlJob } from "./lib/jobs.mjs";

const console_ = await open();
const browser = await launch();
try {
  const folder = path.join(results, "shots");
  await mkdir(folder, { recursive: true });
  const make = (name, sql) => console_.call("POST", "/jobs", sqlJob(console_, name, sql));
  const start = (job) => console_.call("POST", `/jobs/${job.id}/runs`, {});
  const running = await make("orders_dedup_enrich", STREAM);
  await start(running);
  const failed = await make("clicks_sessionise", "INSERT INTO nowhere SELECT 1;");
  await start(failed);
  await make("daily_gmv_agg", BATCH);
  await make("订单汇总", BATCH);
  await until("one runs and one has failed", async () =>
    (await lastRun(console_, running.id)).state === "running" && (await lastRun(console_, failed.id)).state === "failed", 150);

  const pages = [
    ["jobs", "/jobs"], ["detail-failed", `/jobs/${failed.id}`], ["detail-running", `/jobs/${running.id}`], ["logs", `/jobs/${failed.id}/logs?at=error`],
    ["editor", `/jobs/${running.id}/edit`], ["jar", "/jobs/new?kind=flink_jar"], ["cluster", "/clusters/sandbox"], ["environments", "/environments"],
  ];
  for (const theme of ["light", "dark"]) {
    for (const width of [1440, 390]) {
      for (const lang of ["en", "zh-CN"]) {
        const context = await browser.newContext({ viewport: { width, height: 900 } });
        await context.addCookies([{ name: "theme", value: theme, url: console_.url }, { name: "lang", value: lang, url: console_.url }]);
        const page = await newPage(context, console_.url);
        await page.goto(`${console_.url}/login`);
        await page.screenshot({ path: path.join(folder, `login-${theme}-${width}-${lang}.png`) });
        await signIn(page, console_, console_.user);
        for (const [name, at] of pages) {
          await page.goto(`${console_.url}${at}`);
          await awake(page);
          await page.waitForLoadState("networkidle").catch(() => {});
          await page.screenshot({ path: path.join(folder, `${name}-${theme}-${width}-${lang}.png`) });
        }
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
