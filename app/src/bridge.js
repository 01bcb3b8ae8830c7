// What the pages need of the browser and WASM has no short way to. Loaded with the first page, so it stays small.

// ---- storage; a private window may refuse it, and a draft is no reason to fail
export function stored(key) {
  try { return localStorage.getItem(key) ?? undefined; } catch { return undefined; }
}
export function store(key, text) {
  try { text === undefined ? localStorage.removeItem(key) : localStorage.setItem(key, text); } catch { /* full or refused */ }
}
export function setCookie(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${encodeURIComponent(value)}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}
export function timeZone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}
/** Minutes east of UTC at an instant, in the reader's own zone. */
export function zoneOffset(millis) {
  return -new Date(millis).getTimezoneOffset();
}
export async function copyText(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch { /* plain http or refused */ }
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
export function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}
export async function fileText(file) {
  return file.text();
}
/** Sends a form field in a body, never in the address; the answer's own redirect is followed. */
export function postSecret(action, name, value, next) {
  history.replaceState(null, "", location.pathname + location.search);
  const form = document.createElement("form");
  form.method = "post";
  form.action = action;
  for (const [key, text] of [[name, value], ["next", next]]) {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = key;
    input.value = text;
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}
export function postForm(action) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = action;
  document.body.append(form);
  form.submit();
}

// ---- live stream: one per browser, held by the tab that has the lock
const BATCH_MS = 250;
let stopStream = () => {};

export function live(onBatch, onState) {
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("penstock-live") : undefined;
  let leader = false;
  let state = "connecting";
  let queue = [];
  let timer;
  const flush = () => {
    timer = undefined;
    const batch = queue;
    queue = [];
    if (batch.length) onBatch(JSON.stringify(batch.includes("resync") ? ["resync"] : batch));
  };
  const take = (message) => {
    queue.push(message);
    timer ??= setTimeout(flush, BATCH_MS);
  };
  const tell = (next) => { state = next; onState(next); };
  const share = (message) => channel?.postMessage(message);

  const open = () => {
    let wait = 1000;
    let source;
    let retry;
    const connect = () => {
      source = new EventSource("/events");
      source.onopen = () => {
        wait = 1000;
        tell("on");
        share({ state: "on" });
      };
      source.addEventListener("change", (message) => {
        let event;
        try { event = JSON.parse(message.data); } catch { event = "resync"; }
        take(event);
        share({ event });
      });
      // The server says so on each connection: what happened while away is not replayed.
      source.addEventListener("resync", () => { take("resync"); share({ event: "resync" }); });
      source.addEventListener("end", () => { tell("ended"); share({ state: "ended" }); });
      source.onerror = () => {
        source.close();
        tell("paused");
        share({ state: "paused" });
        retry = setTimeout(connect, wait + Math.random() * 500);
        wait = Math.min(wait * 2, 30000);
      };
    };
    connect();
    stopStream = () => { clearTimeout(retry); source?.close(); };
  };
  if (channel) {
    channel.onmessage = ({ data }) => {
      if (data.ask) { if (leader) share({ state }); return; }
      if (leader) return;
      if (data.state) tell(data.state);
      if (data.event) take(data.event);
    };
  }
  if (channel && navigator.locks) {
    share({ ask: true });
    navigator.locks.request("penstock-live", () => {
      leader = true;
      open();
      return new Promise(() => {});
    });
  } else {
    open();
  }
  addEventListener("pagehide", () => stopStream());
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}

// ---- upload: parts in parallel, each tried again, taken up where it stopped
const PARALLEL = 3;
const TRIES = 5;
const HASH_UP_TO = 256 * 1024 * 1024;

async function problem(response) {
  try { return { problem: await response.json() }; } catch { return { status: response.status }; }
}
async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) throw await problem(response);
  return response.status === 204 ? undefined : response.json();
}
async function digest(file) {
  if (!crypto.subtle || file.size > HASH_UP_TO) return undefined;
  const hash = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(hash), (b) => b.toString(16).padStart(2, "0")).join("");
}
function sendPart(path, blob, onSent, aborts) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    aborts.add(request);
    request.open("PUT", path);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.onprogress = (event) => onSent(event.loaded);
    request.onload = () => {
      aborts.delete(request);
      if (request.status < 300) return resolve();
      let body;
      try { body = { problem: JSON.parse(request.responseText) }; } catch { body = {}; }
      reject({ ...body, status: request.status });
    };
    request.onerror = () => { aborts.delete(request); reject({ network: true }); };
    request.onabort = () => { aborts.delete(request); reject({ aborted: true }); };
    request.send(blob);
  });
}

/** Uploads `file`; `tell` gets JSON {stage, sent, size} and at the end {artifact} or {problem|network|aborted}. */
export function upload(file, team, tell) {
  const aborts = new Set();
  let aborted = false;
  const say = (message) => tell(JSON.stringify(message));
  const note = `penstock.upload:${file.name}:${file.size}:${file.lastModified}`;
  const run = async () => {
    say({ stage: "hashing", sent: 0, size: file.size });
    const sha256 = await digest(file);
    let ticket;
    const known = stored(note);
    if (known) ticket = await call("GET", `/api/v1/uploads/${encodeURIComponent(known)}`).catch(() => undefined);
    ticket ??= await call("POST", "/api/v1/uploads", { name: file.name, size: file.size, sha256, team });
    if (ticket.state === "known") return say({ artifact: ticket.artifact, known: true });
    store(note, ticket.id);
    const have = new Set(ticket.received);
    const size = (n) => Math.min(ticket.part_size, file.size - n * ticket.part_size);
    const sent = new Map([...have].map((n) => [n, size(n)]));
    const progress = () => say({ stage: "sending", sent: [...sent.values()].reduce((a, b) => a + b, 0), size: file.size });
    const missing = Array.from({ length: ticket.parts }, (_, i) => i).filter((n) => !have.has(n));
    progress();
    const worker = async () => {
      for (let n = missing.shift(); n !== undefined; n = missing.shift()) {
        for (let attempt = 1; ; attempt++) {
          if (aborted) throw { aborted: true };
          try {
            const from = n * ticket.part_size;
            await sendPart(`/api/v1/uploads/${ticket.id}/parts/${n}`, file.slice(from, from + size(n)),
              (bytes) => { sent.set(n, Math.max(sent.get(n) ?? 0, Math.min(bytes, size(n)))); progress(); }, aborts);
            sent.set(n, size(n));
            progress();
            break;
          } catch (error) {
            const refused = error.status >= 400 && error.status < 500 && error.status !== 429;
            if (error.aborted || refused || attempt === TRIES) throw error;
            await new Promise((next) => setTimeout(next, 300 * 2 ** attempt));
          }
        }
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    say({ stage: "checking", sent: file.size, size: file.size });
    const artifact = await call("POST", `/api/v1/uploads/${ticket.id}/complete`);
    store(note, undefined);
    say({ artifact });
  };
  run().catch((error) => {
    // What the server refused for good must not be taken up again.
    if (error.problem) store(note, undefined);
    say(error.problem || error.aborted ? error : { network: true });
  });
  return () => { aborted = true; for (const request of aborts) request.abort(); };
}

// ---- code editor: a large bundle, fetched only where one is shown
export function mountEditor(host, area, label, chinese, onText) {
  const nonce = document.querySelector("script[nonce]")?.nonce ?? "";
  let editor;
  let gone = false;
  let pending = [];
  import("/vendor/editor.js").then((module) => {
    if (gone) return;
    editor = module.mount({ host, text: area.value, label, chinese, nonce, onText });
    area.hidden = true;
    for (const act of pending) act(editor);
    pending = [];
  }, () => { /* the text area stays and works */ });
  const later = (act) => (editor ? act(editor) : pending.push(act));
  return {
    setText: (text) => later((e) => e.setText(text)),
    setProblem: (line, message) => later((e) => e.setProblem(line, message)),
    focus: () => later((e) => e.focus()),
    destroy: () => { gone = true; editor?.destroy(); },
  };
}
