// Requests to the API, errors in the server's own words, and streams of lines.

const group = '/apis/jobwright.dev/v1';

// A number that JavaScript would change, such as 12345678901234567890 or 1.0, is kept as it
// is written, where the browser can (Chromium 114, Firefox 135, Safari 18.4).
const asWritten = JSON.rawJSON && ((key, value, context) => (
  typeof value === 'number' && context && String(value) !== context.source ? JSON.rawJSON(context.source) : value));

// parse reads JSON so that JSON.stringify gives back what was read.
export const parse = (text) => JSON.parse(text, asWritten);

// Refusal is an answer that is not a success.
export class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

// refusal reads what the server said: a metav1.Status, the shape of /api/jobs, or
// whatever stands in front of it.
async function refusal(response) {
  const text = await response.text().catch(() => '');
  try {
    const body = JSON.parse(text);
    return new Refusal(response.status, body.reason || body.error || '', body.message || body.error || response.statusText);
  } catch {
    const head = text.trim().slice(0, 300);
    return new Refusal(response.status, '', head || 'HTTP ' + response.status + ' ' + response.statusText);
  }
}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...options });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Refusal(0, 'Unreachable', 'the server cannot be reached');
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

const json = async (path, options) => parse(await (await request(path, options)).text());

const jobs = (workspace) => group + '/namespaces/' + encodeURIComponent(workspace) + '/jobs';

const job = (workspace, name) => jobs(workspace) + '/' + encodeURIComponent(name);

// rememberWorkspace tells /api/jobs which workspace is meant. Every tab shares the
// cookie, so it is set again before each request that reads it.
export function rememberWorkspace(workspace) {
  document.cookie = 'active_workspace=' + encodeURIComponent(workspace) + '; Path=/; Max-Age=31536000; SameSite=Lax';
}

export function rememberedWorkspace() {
  const found = document.cookie.match(/(?:^|;\s*)active_workspace=([^;]*)/);
  try {
    return found ? decodeURIComponent(found[1]) : '';
  } catch {
    return '';
  }
}

// serverTrouble is why the server starts no job, or what its operator should know; empty
// when all is well, and when it does not answer, which the list tells.
export async function serverTrouble() {
  try {
    const response = await fetch('/readyz', { credentials: 'same-origin', cache: 'no-store' });
    const text = (await response.text()).trim().slice(0, 2000);
    if (!response.ok) return text.startsWith('not ready') ? text : '';
    return text.split('\n').filter((line) => line.startsWith('notice: ')).join('\n');
  } catch {
    return '';
  }
}

// listTypes lists the types of jobs that the server runs.
export const listTypes = async () => (await json('/api/types')).items;

export const listWorkspaces = () => json(group + '/workspaces');

export function listJobs(workspace, { limit, token, signal }) {
  const query = new URLSearchParams({ limit, order: 'newestFirst' });
  if (token) query.set('continue', token);
  return json(jobs(workspace) + '?' + query, { signal });
}

export const getJob = (workspace, name, signal) => json(job(workspace, name), { signal });

// createJob creates a job, and with the same key the same one however often it is called.
export function createJob(workspace, type, payload, key) {
  rememberWorkspace(workspace);
  const headers = { 'Content-Type': 'application/json' };
  if (key) headers['Idempotency-Key'] = key;
  return json('/api/jobs', { method: 'POST', headers, body: JSON.stringify({ type, payload }) });
}

export function cancelJob(workspace, name) {
  rememberWorkspace(workspace);
  return json('/api/jobs/' + encodeURIComponent(name), {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ action: 'cancel' }),
  });
}

// retryJob ends the back-off of a job that waits for its next attempt.
export const retryJob = (workspace, name) => json(job(workspace, name) + '/retry', { method: 'POST' });

export const deleteJob = (workspace, name) => json(job(workspace, name), { method: 'DELETE' });

// watchTimeout is how long one watch lasts before the server ends it and the page
// opens the next: a connection that died unseen is noticed at the latest then.
const watchTimeout = 240;

// watchJobs yields watch events from a version on.
export async function* watchJobs(workspace, version, { signal, opened }) {
  const query = new URLSearchParams({
    watch: 'true', resourceVersion: version, allowWatchBookmarks: 'true', timeoutSeconds: watchTimeout,
  });
  yield* lines(jobs(workspace) + '?' + query, { signal, opened, silence: (watchTimeout + 20) * 1000 });
}

// followLog yields {offset, time, stream, text} from an offset on; without one, the
// last `tail` lines first.
export async function* followLog(workspace, name, { offset, tail, signal, opened }) {
  const query = new URLSearchParams({ follow: 'true' });
  if (offset > 0) query.set('sinceOffset', offset);
  else query.set('tailLines', tail);
  const stream = lines(job(workspace, name) + '/log?' + query, { signal, opened, headers: { Accept: 'application/x-ndjson' } });
  for await (const entry of stream) if (!entry.end) yield entry; // the end's own line says only that it is one
}

export const logAddress = (workspace, name) => job(workspace, name) + '/log';

// lines yields one parsed JSON value a line. With silence (ms) it gives up on a
// stream that has been still for that long.
async function* lines(path, { signal, opened, silence, headers }) {
  const own = new AbortController();
  const stop = () => own.abort();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  let timer;
  const heard = () => {
    clearTimeout(timer);
    if (silence) timer = setTimeout(stop, silence);
  };
  try {
    heard();
    const response = await request(path, { signal: own.signal, headers });
    opened?.();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return; // a line without its end was cut off and will be sent again
      heard();
      const parts = (rest + value).split('\n');
      rest = parts.pop();
      for (const part of parts) if (part.trim()) yield parse(part);
    }
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof Refusal || error instanceof SyntaxError) throw error;
    throw new Refusal(0, 'Disconnected', 'the connection was lost');
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    own.abort();
  }
}
