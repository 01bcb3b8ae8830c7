// A list of ten thousand jobs that change: the real page, with the server's answers about jobs made here.
const LETTERS = "0123456789abcdefghjkmnpqrstvwxyz";
const WORDS = ["orders", "clicks", "payments", "risk", "inventory", "refunds", "sessions", "profile"];
const STATES = ["running", "restarting", "failed", "finished", "queued", "starting"];

function id(prefix, number) {
  let rest = "";
  for (let n = number, i = 0; i < 25; i += 1, n = Math.floor(n / 32)) rest = LETTERS[n % 32] + rest;
  return `${prefix}_0${rest}`;
}

function rows(count, like) {
  return Array.from({ length: count }, (_, i) => ({
    ...like,
    id: id("job", i + 1),
    name: `${WORDS[i % WORDS.length]}_${WORDS[(i >> 3) % WORDS.length]}_${i}`,
    queue: `root.team${i % 12}`,
    owner: i % 50 === 0 ? "lin" : `user${i % 40}`,
    changed_at: like.changed_at - i * 1000,
    run: like.run && { ...like.run, id: id("run", i + 1), state: STATES[i % STATES.length] },
  }));
}

/** Makes the context's pages show `count` jobs; `stir` lets them change. `like` is a row of the real server. */
export async function manyJobs(context, count, like) {
  const all = rows(count, like);
  const known = new Map(all.map((row) => [row.id, row]));
  const json = (route, body) => route.fulfill({ contentType: "application/json", body: JSON.stringify(body) });
  await context.route("**/fn/jobs", (route) => json(route, all));
  let turn = 0;
  await context.route("**/fn/job_rows", (route) => {
    const { ids } = route.request().postDataJSON();
    turn += 1;
    return json(route, ids.map((one, i) => {
      const row = known.get(one);
      return { ...row, run: row.run && { ...row.run, state: STATES[(i + turn) % STATES.length] } };
    }));
  });
  await context.addInitScript((ids) => {
    window.EventSource = class extends EventTarget {
      constructor() {
        super();
        setTimeout(() => this.onopen?.(), 50);
        // The list is read once more, as after each new connection.
        setTimeout(() => this.dispatchEvent(new MessageEvent("resync", { data: "" })), 100);
        let at = 0;
        setInterval(() => {
          for (let i = 0; i < (window.stirred ?? 0); i += 1, at = (at + 37) % ids.length) {
            const data = JSON.stringify({ topic: "job", id: ids[at], version: at });
            this.dispatchEvent(new MessageEvent("change", { data }));
          }
        }, 50);
      }
      close() {}
    };
  }, all.map((row) => row.id));
}

/** From now on so many of the jobs change each second. */
export function stir(page, perSecond) {
  return page.evaluate((each) => { window.stirred = each; }, Math.round(perSecond / 20));
}

/** Milliseconds from each of some inputs of the filter to the frame that shows its result. */
export function filterTimes(page, texts) {
  return page.evaluate(async (all) => {
    const input = document.querySelector("input.filter");
    const drawn = () => new Promise((next) => requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = next;
      port2.postMessage(0);
    }));
    const times = [];
    for (const text of all) {
      await drawn();
      const summary = document.querySelector("main .hd .mut").textContent;
      const start = performance.now();
      input.value = text;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      do await drawn(); while (document.querySelector("main .hd .mut").textContent === summary && performance.now() - start < 2000);
      times.push(performance.now() - start);
      await new Promise((next) => setTimeout(next, 200));
    }
    return times;
  }, texts);
}

/** Frames while the list scrolls for some seconds. */
export function scrollFrames(page, seconds) {
  return page.evaluate(async (millis) => {
    const box = document.querySelector(".grid.tall");
    const frames = [];
    let [last, down] = [performance.now(), true];
    const end = last + millis;
    await new Promise((done) => {
      const step = (now) => {
        frames.push(now - last);
        last = now;
        if (box.scrollTop + box.clientHeight >= box.scrollHeight - 1) down = false;
        box.scrollTop += down ? 97 : -97;
        if (now < end) requestAnimationFrame(step); else done();
      };
      requestAnimationFrame(step);
    });
    // The first frame belongs to the time before.
    return frames.slice(1);
  }, seconds * 1000);
}

/** The value that `share` of all lie below. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
