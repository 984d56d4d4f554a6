// The log of one job: followed while it may grow, bounded, written once a frame.

import { followLog, logAddress } from './api.js';
import { h, oncePerFrame, setText } from './dom.js';
import { backoff, pause } from './feed.js';
import { clock } from './format.js';

// maxLines is what the page keeps: more than anyone reads by scrolling, and little
// enough for a phone.
const maxLines = 5000;

// longest is how much of one line is shown; the server takes lines of 64 KiB.
const longest = 8192;

// Terminals' colours and cursor movements have no meaning here.
const escapes = /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;

const streamNames = { stderr: 'stderr', server: 'server', content: 'result', system: 'jobwright' };

export class LogView {
  constructor(workspace, name) {
    Object.assign(this, { workspace, name });
    this.offset = 0;
    this.pending = [];
    this.skipped = 0;
    this.count = 0;
    this.done = false;
    this.ended = false; // the job has ended
    this.following = true;
    this.flush = oncePerFrame(() => this.write());

    this.lines = h('div', { class: 'lines' });
    this.head = h('p', { class: 'dropped', hidden: true });
    this.box = h('div', { class: 'log', tabindex: '0', role: 'region', 'aria-label': 'Lines of the log' }, this.head, this.lines);
    this.stateText = h('span', { class: 'log-state' });
    this.toggle = h('button', { type: 'button', class: 'quiet toggle', 'aria-pressed': 'true' }, 'Follow');
    const wrap = h('button', { type: 'button', class: 'quiet toggle', 'aria-pressed': 'true' }, 'Wrap');
    const times = h('button', { type: 'button', class: 'quiet toggle', 'aria-pressed': 'false' }, 'Times');
    const raw = h('a', { class: 'button quiet', href: logAddress(workspace, name), target: '_blank', rel: 'noopener' }, 'Raw');
    this.el = h('section', { class: 'logs' },
      h('header', null, h('h3', null, 'Log'), this.stateText, h('div', { class: 'tools' }, this.toggle, wrap, times, raw)),
      this.box);
    this.box.classList.add('wrap');
    this.toggle.addEventListener('click', () => this.follow(!this.following));
    wrap.addEventListener('click', () => this.flip(wrap, 'wrap'));
    times.addEventListener('click', () => this.flip(times, 'times'));
    // Scrolling up means reading: the end stops pulling. Back at the end it resumes.
    this.box.addEventListener('scroll', () => {
      if (this.own) { this.own = false; return; }
      this.follow(this.atEnd(), true);
    });
  }

  flip(button, name) {
    const on = this.box.classList.toggle(name);
    button.setAttribute('aria-pressed', String(on));
    if (this.following) this.toEnd();
  }

  atEnd() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 24;
  }

  follow(on, quietly) {
    this.following = on;
    this.toggle.setAttribute('aria-pressed', String(on));
    if (on && !quietly) this.toEnd();
  }

  toEnd() {
    this.own = this.box.scrollTop + this.box.clientHeight < this.box.scrollHeight - 1;
    this.box.scrollTop = this.box.scrollHeight;
  }

  // start follows from where stop left off.
  start() {
    if (this.control || this.done) return;
    this.control = new AbortController();
    this.run(this.control.signal);
  }

  stop() {
    this.control?.abort();
    this.control = null;
  }

  // jobChanged hears of the job's phase: an end makes the next end of the stream
  // the last one.
  jobChanged(finished) {
    if (finished === this.ended) return;
    this.ended = finished;
    if (!finished && this.done) { // run again, or seen earlier than its log
      this.done = false;
      this.start();
    }
    this.wake?.();
    this.showState();
  }

  async run(signal) {
    let failures = 0;
    while (!signal.aborted) {
      const before = this.offset;
      const endedBefore = this.ended;
      try {
        const stream = followLog(this.workspace, this.name, {
          offset: this.offset, tail: maxLines, signal, opened: () => { this.trouble = ''; this.showState(); },
        });
        for await (const entry of stream) {
          this.offset = entry.offset;
          this.pending.push(entry);
          // A hidden tab draws no frames: what would be cut anyway goes now.
          if (this.pending.length > 2 * maxLines) this.skipped += this.pending.splice(0, maxLines).length;
          this.flush();
        }
        if (signal.aborted) return;
        if (endedBefore) break;
        failures = this.offset > before ? 0 : failures + 1;
        // The stream ended before the news that the job did: wait for it.
        await pause(backoff(failures), signal, (wake) => { this.wake = wake; });
      } catch (error) {
        if (signal.aborted) return;
        if (error.status === 404 && endedBefore) break; // nothing was ever written
        this.trouble = error.status === 404 ? '' : 'Reconnecting: ' + error.message;
        this.showState();
        await pause(backoff(failures++), signal, (wake) => { this.wake = wake; });
      }
    }
    if (signal.aborted) return;
    this.done = true;
    this.control = null;
    this.trouble = '';
    this.showState();
  }

  showState() {
    const empty = this.count + this.pending.length === 0;
    let words = this.trouble;
    if (!words && this.done) words = empty ? 'No output' : '';
    else if (!words && this.ended) words = empty ? 'Loading…' : '';
    else if (!words) words = empty ? 'Waiting for output…' : 'Live';
    setText(this.stateText, words);
    this.el.dataset.state = this.trouble ? 'trouble' : this.done ? 'done' : 'live';
    this.el.dataset.empty = String(empty);
    this.toggle.hidden = this.done;
  }

  write() {
    const batch = this.pending.splice(0);
    if (!batch.length) return;
    const cut = Math.max(0, batch.length - maxLines);
    const follow = this.following;
    const part = document.createDocumentFragment();
    for (const entry of batch.slice(cut)) part.append(this.line(entry));
    this.lines.append(part);
    this.count += batch.length - cut;
    let over = this.count - maxLines;
    this.skipped += cut + Math.max(0, over);
    for (; over > 0; over--, this.count--) this.lines.firstElementChild.remove();
    if (this.skipped) {
      this.head.hidden = false;
      setText(this.head, `${this.skipped.toLocaleString()} earlier lines are not shown here; Raw has all of them.`);
    }
    this.showState();
    if (follow) this.toEnd();
  }

  line({ time, stream, text }) {
    const tag = streamNames[stream];
    if (tag) this.box.classList.add('tagged');
    return h('div', { class: 'line', 'data-stream': stream },
      h('time', { datetime: time }, clock(time)),
      h('span', { class: 'stream' }, tag || ''),
      h('span', { class: 'text' }, shorten(text.replace(escapes, '')) || ' '));
  }
}

function shorten(text) {
  if (text.length <= longest) return text;
  return text.slice(0, longest) + ` … ${(text.length - longest).toLocaleString()} more characters; Raw has them`;
}
