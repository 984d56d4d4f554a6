// The jobs the page holds: the newest, bounded, in order.

export const pageSize = 200;

// newer orders by uid, downwards: uids are of version 7, so they sort by creation.
const newer = (a, b) => (a.metadata.uid < b.metadata.uid ? 1 : a.metadata.uid > b.metadata.uid ? -1 : 0);

const version = (job) => Number(job.metadata.resourceVersion || 0);

export class Model {
  constructor(changed) {
    this.changed = changed;
    this.clear();
  }

  clear() {
    this.jobs = new Map();
    this.cap = pageSize;
    this.loaded = false; // a first list has arrived
    this.token = ''; // continues the list
    this.beyond = 0; // how many the server has beyond the list; -1: some
    this.dropped = false; // rows fell off the end since the last list
    this.gone = new Set(); // uids seen deleted, so that a late page cannot bring them back
    this.sorted = null;
  }

  // replace takes a list in place of everything held.
  replace(items, meta) {
    this.jobs = new Map(items.map((job) => [job.metadata.name, job]));
    this.loaded = true;
    this.dropped = false;
    this.gone.clear();
    this.sorted = null;
    this.page(meta);
    this.changed();
  }

  // extend adds the list's next page.
  extend(items, meta) {
    for (const job of items) this.put(job);
    this.page(meta);
    this.changed();
  }

  page(meta) {
    this.token = meta.continue || '';
    this.beyond = this.token ? meta.remainingItemCount ?? -1 : 0;
  }

  put(job) {
    if (this.gone.has(job.metadata.uid)) return;
    const { name } = job.metadata;
    const held = this.jobs.get(name);
    // The watch and a page may deliver the same change in either order.
    if (held && held.metadata.uid === job.metadata.uid && version(held) > version(job)) return;
    if (!held && this.token && this.olderThanHeld(job)) return; // belongs to a page not loaded
    if (this.sorted && held && held.metadata.uid === job.metadata.uid) {
      this.sorted[this.sorted.indexOf(held)] = job;
    } else {
      this.sorted = null;
    }
    this.jobs.set(name, job);
    this.trim();
  }

  olderThanHeld(job) {
    const all = this.newestFirst();
    return all.length >= this.cap && newer(all.at(-1), job) < 0;
  }

  remove(job) {
    this.gone.add(job.metadata.uid);
    if (this.gone.size > 2000) this.gone.delete(this.gone.values().next().value);
    const held = this.jobs.get(job.metadata.name);
    if (held && held.metadata.uid === job.metadata.uid) {
      this.jobs.delete(job.metadata.name);
      this.sorted = null;
    }
  }

  // trim lets the oldest go once there are a tenth too many, so that a burst of new
  // jobs costs one sort now and then and not one each.
  trim() {
    if (this.jobs.size <= this.cap * 1.1) return;
    for (const job of this.newestFirst().splice(this.cap)) this.jobs.delete(job.metadata.name);
    this.dropped = true;
  }

  newestFirst() {
    this.sorted ||= [...this.jobs.values()].sort(newer);
    return this.sorted;
  }

  hasMore() {
    return this.token !== '' || this.dropped || this.jobs.size > this.cap;
  }
}
