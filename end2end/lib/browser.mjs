// Chromium as a person has it, and everything it complains about.
import { AxeBuilder } from "@axe-core/playwright";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export async function launch() {
  return chromium.launch({
    executablePath: process.env.PENSTOCK_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
}

/** A page that remembers each console error, page error, broken policy and request to another origin. */
export async function newPage(context, url) {
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    // A refused request is told by the page itself; the browser's own line about it is no fault.
    if (message.type() === "error" && !/Failed to load resource: the server responded with a status of 4/.test(message.text())) {
      complaints.push(message.text());
    }
    if (/content security policy/i.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(`page error: ${error.stack ?? error}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url())) complaints.push(`foreign request: ${request.url()}`);
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  page.complaints = complaints;
  return page;
}

/** Scripts have taken over. */
export async function awake(page) {
  await page.waitForFunction(() => document.cookie.includes("tz="));
  await page.waitForFunction(() => document.querySelector(".live")?.dataset.link !== "wait" || !document.querySelector(".live"));
}

export async function signIn(page, console, user) {
  await page.goto(`${console.url}/login`);
  await page.getByLabel(/User name|用户名/).fill(user.name);
  await page.getByLabel(/Password|密码/).fill(user.password);
  await page.locator("button[type=submit]").click();
  await page.waitForURL((at) => !at.pathname.startsWith("/login"));
  await awake(page);
}

/** Nothing to complain of for axe; `rules` are those it looks at, without them all. */
export async function axe(page, name, rules) {
  // Without frames there is nothing to gather, so the extra page of the usual mode is not needed.
  const builder = new AxeBuilder({ page }).setLegacyMode();
  const { violations } = await (rules ? builder.withRules(rules) : builder.withTags(TAGS)).analyze();
  const told = violations.map((v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} — ${(n.any[0] ?? n.all[0] ?? n.none[0])?.message ?? ""}`).join("; ")}`);
  assert.deepEqual(told, [], `axe on ${name}`);
}

/** Changes the theme, and waits until it is painted: axe must not meet half of each. */
async function wear(page, theme) {
  await page.evaluate(async (wanted) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    document.documentElement.dataset.theme = wanted;
    await frame();
    await frame();
    const passing = document.getAnimations().filter((each) => each.effect.getComputedTiming().iterations !== Infinity);
    await Promise.allSettled(passing.map((each) => each.finished));
  }, theme);
}

/**
 * The page as it stands, in both languages, widths and themes: axe, and no sideways scroll down to 320 px.
 * Nothing is loaded again, so whatever is open stays open.
 */
export async function everyLook(page, name) {
  for (const lang of ["en", "zh-CN"]) {
    await page.evaluate((wanted) => {
      if (document.documentElement.lang !== wanted) document.querySelector("header button[lang]").click();
    }, lang);
    await page.waitForFunction((wanted) => document.documentElement.lang === wanted, lang);
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      // Colours are all that a theme changes.
      const themes = lang === "en" ? ["light", "dark"] : ["dark", "light"];
      for (const [index, theme] of themes.entries()) {
        await wear(page, theme);
        await axe(page, `${name} ${theme} ${width} ${lang}`, index === 0 ? undefined : ["color-contrast"]);
      }
    }
    for (const width of [390, 320]) {
      await page.setViewportSize({ width, height: 900 });
      await noSidewaysScroll(page, `${name} ${width} ${lang}`);
    }
  }
}

export function noComplaints(page) {
  assert.deepEqual(page.complaints, []);
}

/** The page scrolls one way only. */
export async function noSidewaysScroll(page, name) {
  const { over, widest } = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const beyond = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1);
    return { over: document.documentElement.scrollWidth - width, widest: beyond.slice(0, 5).map((e) => `${e.tagName}.${e.getAttribute("class") ?? ""}`) };
  });
  assert.ok(over <= 0, `${name} is ${over} px too wide: ${widest.join(" ")}`);
}
