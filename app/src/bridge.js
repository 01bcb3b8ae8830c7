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
/** Ends the task: the browser may draw or answer a key before the next one. */
export function pause() {
  return new Promise((next) => setTimeout(next));
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

// ---- upload: its code is fetched where a file was chosen
export function upload(file, team, tell) {
  let cancel;
  let gone = false;
  import("/vendor/upload.js").then(
    (module) => { if (!gone) cancel = module.upload(file, team, tell); },
    () => tell('{"network":true}'),
  );
  return () => { gone = true; cancel ? cancel() : tell('{"aborted":true}'); };
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
