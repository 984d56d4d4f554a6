// The stream of changes: list, watch from the list's version, list again when that
// version has expired, wait with back-off when the server is away.

import { listJobs, watchJobs } from './api.js';
import { pageSize } from './model.js';

const firstWait = 500;
const longestWait = 15000;

// pause ends after ms, when woken, or when the signal aborts.
export function pause(ms, signal, wake) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    wake?.(end);
  });
}

// backoff doubles from half a second to fifteen, with jitter so that the tabs of a
// whole team do not come back in step.
export function backoff(failures) {
  const bound = Math.min(longestWait, firstWait * 2 ** failures);
  return bound / 2 + (Math.random() * bound) / 2;
}

export class Feed {
  // state is called with 'connecting', 'live', or 'waiting' and the error and ms;
  // event with each change; listed when everything was read anew, so that changes
  // may have gone by without an event.
  constructor({ workspace, model, state, event, listed }) {
    Object.assign(this, { workspace, model, state, event, listed });
    this.version = '';
    this.control = null;
  }

  // start goes on where stop left off.
  start() {
    if (this.control) return;
    this.control = new AbortController();
    this.run(this.control.signal);
  }

  stop() {
    this.control?.abort();
    this.control = null;
  }

  retryNow() {
    this.wake?.();
  }

  async run(signal) {
    let failures = 0;
    this.state('connecting');
    while (!signal.aborted) {
      const opened = Date.now();
      try {
        if (!this.version) await this.list(signal);
        await this.watch(signal, () => { this.state('live'); });
        // The server ends a watch now and then; one that ends at once is a fault.
        if (Date.now() - opened > 2000) failures = 0;
        else await pause(backoff(failures++), signal);
      } catch (error) {
        if (signal.aborted) return;
        if (Date.now() - opened > 5000) failures = 0;
        if (error.status === 410) {
          this.version = '';
          // Listing again at once is right the first time, not in a loop.
          if (failures++ > 0) await pause(backoff(failures), signal);
          continue;
        }
        const wait = backoff(failures++);
        this.state('waiting', error, wait);
        await pause(wait, signal, (wake) => { this.wake = wake; });
        if (!signal.aborted) this.state('connecting');
      }
    }
  }

  // list reads as many pages as the model holds.
  async list(signal) {
    const items = [];
    let meta = {};
    let version = '';
    do {
      const page = await listJobs(this.workspace, { limit: pageSize, token: meta.continue, signal });
      items.push(...(page.items || []));
      meta = page.metadata;
      // Watching from the first page's version misses nothing of the later ones.
      version ||= meta.resourceVersion;
    } while (meta.continue && items.length < this.model.cap);
    this.model.replace(items, meta);
    this.version = version;
    this.listed();
  }

  async watch(signal, opened) {
    for await (const { type, object } of watchJobs(this.workspace, this.version, { signal, opened })) {
      if (signal.aborted) return;
      if (type === 'ERROR') throw Object.assign(new Error(object.message), { status: object.code });
      this.version = object.metadata.resourceVersion;
      if (type === 'BOOKMARK') continue;
      if (type === 'DELETED') this.model.remove(object);
      else this.model.put(object);
      this.model.changed();
      this.event(type, object);
    }
  }

  // more makes room for another page and loads it.
  async more(signal) {
    this.model.cap += pageSize;
    // Rows that fell off the end lie before the token; only a new list has them.
    if (this.model.dropped || !this.model.token) return this.list(signal);
    try {
      const page = await listJobs(this.workspace, { limit: pageSize, token: this.model.token, signal });
      this.model.extend(page.items || [], page.metadata);
    } catch (error) {
      if (error.status !== 410) throw error;
      await this.list(signal);
    }
  }
}
