// The three kinds of Spark jobs: from the form to the end, on the real cluster, in both languages.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { awake, everyLook, launch, newPage, noComplaints, signIn } from "../lib/browser.mjs";
import { open, until } from "../lib/console.mjs";
import { lastRun } from "../lib/jobs.mjs";

const WORDS = {
  en: { running: "Running", finished: "Finished", cancelled: "Cancelled", config: "Configuration", logs: "Logs", driver: "Driver", stop: "Stop…", kill: /^Kill/ },
  "zh-CN": { running: "运行中", finished: "已完成", cancelled: "已取消", config: "配置", logs: "日志", driver: "驱动程序", stop: "停止…", kill: /^终止/ },
};
const stamp = Date.now().toString(36);
const chip = (page, word) => page.locator("main > .hd .st").filter({ hasText: word });
const jobOf = (page) => new URL(page.url()).pathname.split("/")[2];

let console_, browser;
before(async () => {
  console_ = await open();
  await console_.spark();
  browser = await launch();
});
after(async () => { await browser?.close(); await console_?.stop(); });

async function signedIn(lang) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
  await context.addCookies([{ name: "lang", value: lang, url: console_.url }]);
  const page = await newPage(context, console_.url);
  await signIn(page, console_, console_.user);
  return { context, page };
}

/** The form of a kind, with what every Spark job of these tests has. */
async function begin(page, kind, name) {
  await page.goto(`${console_.url}/jobs/new?kind=${kind}`);
  await awake(page);
  const environments = await page.locator("#f-environment option").allTextContents();
  assert.ok(environments.every((text) => /spark/i.test(text)), `offers ${environments.join(", ")}`);
  await page.locator("#f-name").fill(name);
  await page.locator("#f-driver-mb").fill("512");
  await page.locator("#f-executor-mb").fill("512");
  await page.locator("#f-executors").fill("1");
}

async function startAndFinish(page, words) {
  await page.locator("#save-start").click();
  await page.waitForURL(/\/jobs\/job_/);
  await chip(page, new RegExp(`${words.finished}|失败|Failed`)).waitFor({ timeout: 200_000 });
  const run = await lastRun(console_, jobOf(page));
  assert.equal(run.state, "finished", JSON.stringify(run.failure));
}

for (const [lang, words] of Object.entries(WORDS)) {
  test(`a Spark SQL script runs to its end (${lang})`, { timeout: 300_000 }, async () => {
    const { context, page } = await signedIn(lang);
    await begin(page, "spark_sql", `spark sql ${lang} ${stamp}`);
    await page.locator(".cm-content").waitFor();
    await page.locator(".cm-content").click();
    await page.keyboard.insertText("CREATE TEMPORARY VIEW n AS SELECT explode(sequence(1, 10)) AS n;\nSELECT sum(n) AS total FROM n;\n");
    await startAndFinish(page, words);
    // Nothing that Spark does not know is offered.
    assert.equal(await page.locator("#tab-restore-points").count(), 0);
    await page.locator("#tab-config").click();
    await page.getByText("512 MiB · 1 vcores").first().waitFor();
    noComplaints(page);
    await context.close();
  });

  test(`a PySpark program with dynamic executors is saved as typed and runs (${lang})`, { timeout: 300_000 }, async () => {
    const { context, page } = await signedIn(lang);
    await begin(page, "pyspark", `pyspark ${lang} ${stamp}`);
    const program = `import sys\nfrom pyspark.sql import SparkSession\nimport helper_${stamp}\nspark = SparkSession.builder.getOrCreate()\nassert sys.argv[1:] == ["two words"], sys.argv\nassert spark.range(5).count() == helper_${stamp}.FIVE\nspark.stop()\n`;
    await page.locator("#f-upload").setInputFiles({ name: `main_${stamp}.py`, mimeType: "text/x-python", buffer: Buffer.from(program) });
    await until("the program is chosen", async () => page.locator("#f-artifact").inputValue(), 30);
    await page.locator("#f-dep-upload").setInputFiles({ name: `helper_${stamp}.py`, mimeType: "text/x-python", buffer: Buffer.from("FIVE = 5\n") });
    await page.locator("fieldset .grow").filter({ hasText: `helper_${stamp}.py` }).waitFor();
    await page.locator("#add-arg").click();
    await page.locator("textarea[id^=arg-]").last().fill("two words");
    await page.locator("input[name=allocation][value=dynamic]").check();
    await page.locator("#f-min").fill("2");
    await page.locator("#f-max").fill("1");
    await page.locator("#save").click();
    // Refused where it was typed, and nothing is cleared.
    await page.locator("#f-max[aria-invalid=true]").waitFor();
    assert.equal(await page.locator("#f-name").inputValue(), `pyspark ${lang} ${stamp}`);
    await page.locator("#f-min").fill("1");
    await startAndFinish(page, words);
    const { spec } = await console_.call("GET", `/jobs/${jobOf(page)}`);
    assert.deepEqual([spec.spark.dynamic.min, spec.spark.dynamic.max, spec.spark.dynamic.shuffle_tracking], [1, 1, true]);
    assert.equal(spec.dependencies.length, 1);
    await page.goto(`${console_.url}/jobs/${jobOf(page)}/edit`);
    await awake(page);
    assert.equal(await page.locator("#f-max").inputValue(), "1");
    await page.locator("fieldset .grow").filter({ hasText: `helper_${stamp}.py` }).waitFor();
    noComplaints(page);
    await context.close();
  });

  test(`a Spark jar is killed, which is the only way and says so (${lang})`, { timeout: 300_000 }, async () => {
    const { context, page } = await signedIn(lang);
    await begin(page, "spark_jar", `spark jar ${lang} ${stamp}`);
    await page.locator("#f-upload").setInputFiles({ name: "spark-jobs.jar", mimeType: "application/java-archive", buffer: await readFile(process.env.PENSTOCK_SPARK_TESTJOBS_JAR) });
    await until("the jar is chosen", async () => page.locator("#f-artifact").inputValue(), 30);
    const classes = await page.locator("#f-class option").evaluateAll((all) => all.map((o) => o.value));
    const sleeper = classes.find((name) => /Slow$/.test(name));
    assert.ok(sleeper, `no class that waits among ${classes.join(" ")}`);
    await page.locator("#f-class").selectOption(sleeper);
    await page.locator("#add-arg").click();
    await page.locator("textarea[id^=arg-]").fill("600");
    await page.locator("#save-start").click();
    await page.waitForURL(/\/jobs\/job_/);
    await chip(page, words.running).waitFor({ timeout: 150_000 });
    assert.equal(await page.locator("#save-state").count(), 0);
    await page.locator("#tab-logs").click();
    await page.locator(".log.view .ln").first().waitFor({ timeout: 60_000 });
    await page.locator("main select option").filter({ hasText: words.driver }).first().waitFor({ state: "attached" });
    await page.getByRole("button", { name: words.stop }).click();
    await page.getByRole("radio", { name: words.kill }).waitFor();
    assert.equal(await page.locator("dialog[open] input[type=radio]").count(), 1);
    await page.locator("#stop-now").click();
    await chip(page, words.cancelled).waitFor({ timeout: 90_000 });
    noComplaints(page);
    await context.close();
  });
}

test("axe finds nothing on the forms and pages of Spark jobs", { timeout: 400_000 }, async () => {
  const { context, page } = await signedIn("en");
  const job = (await console_.call("GET", "/jobs?limit=500")).items.find((row) => row.kind === "pyspark");
  for (const address of [`/jobs/${job.id}`, `/jobs/${job.id}/config`, `/jobs/${job.id}/edit`]) {
    await page.setViewportSize({ width: 1440, height: 900 });
    await context.addCookies([{ name: "lang", value: "en", url: console_.url }]);
    await page.goto(`${console_.url}${address}`);
    await awake(page);
    await everyLook(page, address);
  }
  noComplaints(page);
  await context.close();
});
