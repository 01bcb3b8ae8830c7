// Uploads a file in parts: in parallel, each tried again, taken up where it stopped.

// A private window may refuse storage; then an upload that broke off begins anew.
function stored(key) {
  try { return localStorage.getItem(key) ?? undefined; } catch { return undefined; }
}
function store(key, text) {
  try { text === undefined ? localStorage.removeItem(key) : localStorage.setItem(key, text); } catch { /* full or refused */ }
}

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
