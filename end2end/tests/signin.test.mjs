// Signing in and out.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { awake, launch, newPage, noComplaints, signIn } from "../lib/browser.mjs";
import { open } from "../lib/console.mjs";

let console_, browser;
before(async () => { console_ = await open(); browser = await launch(); });
after(async () => { await browser?.close(); await console_?.stop(); });

test("the first-login link signs in, once, and leaves the address", async () => {
  const context = await browser.newContext();
  const page = await newPage(context, console_.url);
  const link = await console_.loginLink();
  await page.goto(link);
  await page.waitForURL(/\/jobs$/);
  await awake(page);
  assert.equal(await page.evaluate(() => location.hash), "");
  await page.getByRole("button", { name: /admin/ }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(/\/login/);
  await page.goto(link);
  await page.getByText(/has been used or has expired/).waitFor();
  noComplaints(page);
  await context.close();
});

test("a wrong password is told, a page asked for is returned to", async () => {
  const context = await browser.newContext();
  const page = await newPage(context, console_.url);
  await page.goto(`${console_.url}/clusters?x=1`);
  await page.waitForURL(/\/login\?next=/);
  await page.getByLabel("User name").fill("lin");
  await page.getByLabel("Password").fill("not the one");
  await page.locator("button[type=submit]").click();
  await page.getByText("Name or password is not right.").waitFor();
  await page.getByLabel("User name").fill(console_.user.name);
  await page.getByLabel("Password").fill(console_.user.password);
  await page.locator("button[type=submit]").click();
  await page.waitForURL(/\/clusters\?x=1$/);
  noComplaints(page);
  await context.close();
});

test("without scripts one can sign in and read", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${console_.url}/login`);
  await page.getByLabel("User name").fill(console_.user.name);
  await page.getByLabel("Password").fill(console_.user.password);
  await page.locator("button[type=submit]").click();
  await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
  await page.goto(`${console_.url}/clusters`);
  await page.getByRole("link", { name: "Sandbox" }).waitFor();
  await context.close();
});

test("an unknown page and an unknown job are told with the right status", async () => {
  const context = await browser.newContext();
  const page = await newPage(context, console_.url);
  await signIn(page, console_, console_.user);
  const unknown = "job_00000000000000000000000000";
  for (const at of ["/nothing/here", `/jobs/${unknown}`, `/jobs/${unknown}/edit`, "/clusters/none", "/jobs/rubbish", "/jobs/rubbish/logs", "/jobs/rubbish/edit"]) {
    const response = await page.goto(`${console_.url}${at}`);
    assert.equal(response.status(), 404, at);
    await page.getByRole("heading", { level: 1, name: "Not found" }).waitFor();
  }
  noComplaints(page);
  await context.close();
});
