// What a first visit to the jobs page costs: `node load.mjs <address> <one-time sign-in link>`, one JSON object on stdout.
import { chromium } from "playwright-core";

const [address, link] = process.argv.slice(2);
if (!address || !link) throw new Error("load.mjs <address> <sign-in link>");
const LOADS = 5;

const browser = await chromium.launch({
  executablePath: process.env.PENSTOCK_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});

/** Cookies of somebody signed in; each measured load starts with an empty cache and these. */
async function signedIn() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(link);
  await page.waitForURL(/\/jobs/);
  await page.waitForFunction(() => document.cookie.includes("tz="));
  const state = await context.storageState();
  await context.close();
  return state;
}

/** One cold load. Blocking time is what long tasks take beyond 50 ms each. */
async function load(storageState, slowdown) {
  const context = await browser.newContext({ storageState, viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: slowdown });
  await devtools.send("Network.enable");
  const types = new Map();
  const sum = { total: 0, code: 0, requests: 0 };
  devtools.on("Network.responseReceived", ({ requestId, type, response }) => {
    types.set(requestId, type === "Script" || response.mimeType === "application/wasm");
  });
  devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    sum.total += encodedDataLength;
    sum.requests += 1;
    if (types.get(requestId)) sum.code += encodedDataLength;
  });
  await page.addInitScript(() => {
    const seen = (globalThis.seen = { lcp: 0, shift: 0, blocked: 0, awake: 0 });
    const watch = (type, each) => new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true });
    watch("largest-contentful-paint", (entry) => { seen.lcp = entry.startTime; });
    watch("layout-shift", (entry) => { if (!entry.hadRecentInput) seen.shift += entry.value; });
    watch("longtask", (entry) => { seen.blocked += Math.max(0, entry.duration - 50); });
    // The live stream opens when the scripts have taken over.
    const look = () => {
      const mark = document.querySelector(".live");
      if (mark && mark.dataset.link !== "wait") seen.awake = performance.now();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto(`${address}/jobs`, { waitUntil: "load" });
  await page.waitForFunction(() => globalThis.seen.awake > 0, undefined, { timeout: 30_000 });
  // Entries of the observers come late; quiet for a second is the end of the load.
  await page.waitForTimeout(1000 * Math.min(slowdown, 2));
  const seen = await page.evaluate(() => ({ ...globalThis.seen, nodes: document.querySelectorAll("*").length }));
  await context.close();
  return { ...seen, ...sum };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const state = await signedIn();
const result = {};
for (const slowdown of [1, 4]) {
  const loads = [];
  for (let i = 0; i < LOADS; i += 1) loads.push(await load(state, slowdown));
  const of = (key) => median(loads.map((one) => one[key]));
  result[`x${slowdown}`] = {
    lcp_ms: Math.round(of("lcp")), blocking_ms: Math.round(of("blocked")), interactive_ms: Math.round(of("awake")),
    layout_shift: Number(of("shift").toFixed(4)), code_bytes: of("code"), total_bytes: of("total"), requests: of("requests"), nodes: of("nodes"),
  };
}
await browser.close();
console.log(JSON.stringify(result));
