// One job: its state and why, what can be done about it, its log and its facts.

import { cancelJob, deleteJob, getJob, retryJob } from './api.js';
import { command, copyButton, h, icon, oncePerFrame, say, setText } from './dom.js';
import { absolute, ago, backingOff, duration, finished, phaseOf, shownPhase, ticking, titleOf, tookMs } from './format.js';
import { LogView } from './logview.js';

export class Detail {
  // closed is called when the person closes it; again with a job to run once more.
  constructor(el, { closed, again }) {
    Object.assign(this, { el, closed, again });
    this.draw = oncePerFrame(() => this.render());
    el.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape' || e.defaultPrevented) return;
      e.preventDefault();
      if (this.asking) this.ask('');
      else this.closed();
    });
  }

  async open(workspace, name, known) {
    this.close();
    Object.assign(this, { workspace, name, job: null, asking: '', busy: '', problem: '', deleted: false, blocked: [], explaining: 0 });
    this.control = new AbortController();
    this.el.hidden = false;
    this.skeleton();
    if (known) this.update(known);
    else await this.load(this.control.signal);
  }

  // load reads a job that is not among those listed.
  async load(signal) {
    setText(this.parts.title, this.name);
    try {
      const job = await getJob(this.workspace, this.name, signal);
      if (!signal.aborted) this.update(job);
    } catch (error) {
      if (signal.aborted) return;
      this.el.dataset.phase = '';
      const gone = error.status === 404;
      this.parts.callout.hidden = false;
      this.parts.callout.dataset.tone = 'bad';
      this.parts.callout.replaceChildren(
        h('b', null, gone ? 'There is no such job' : 'The job cannot be read'),
        h('p', null, error.message),
        h('p', null, gone ? `It may have been deleted, or live in another workspace than “${this.workspace}”.` : null,
          gone ? null : h('button', { type: 'button', on: { click: () => this.open(this.workspace, this.name) } }, 'Try again')));
      this.parts.body.hidden = true;
    }
  }

  // refresh reads the job again after changes may have gone by unseen.
  async refresh() {
    if (!this.job || this.deleted) return;
    const { signal } = this.control;
    try {
      const job = await getJob(this.workspace, this.name, signal);
      if (!signal.aborted) this.update(job);
    } catch (error) {
      if (!signal.aborted && error.status === 404) this.event('DELETED', this.job);
    }
  }

  close() {
    this.control?.abort();
    clearTimeout(this.explaining);
    this.log?.stop();
    this.log = null;
    this.job = null;
    this.name = '';
    this.el.hidden = true;
    this.el.replaceChildren();
  }

  // pause and resume give the log's connection back while the tab is hidden.
  pause() { this.log?.stop(); }

  resume() { this.log?.start(); }

  // event takes one watch event of any job.
  event(type, job) {
    if (!this.name) return;
    if (job.metadata.name !== this.name) return this.explainSoon(1500);
    if (type === 'DELETED') {
      if (this.job && this.job.metadata.uid !== job.metadata.uid) return;
      this.deleted = true;
      this.log?.stop();
      this.draw();
      say('The job was deleted');
      return;
    }
    this.update(job);
  }

  update(job) {
    const before = this.job && this.job.metadata.uid === job.metadata.uid ? this.job : null;
    if (before && Number(before.metadata.resourceVersion) > Number(job.metadata.resourceVersion)) return;
    if (!before) { // opened, or deleted and created again under its name
      this.deleted = false;
      this.log?.stop();
      this.log = new LogView(this.workspace, this.name);
      this.parts.log.replaceChildren(this.log.el);
    }
    this.job = job;
    this.log.jobChanged(finished(job));
    if (!before) this.log.start();
    if (before && shownPhase(before) !== shownPhase(job)) {
      this.asking = '';
      say(`${titleOf(job)}: ${shownPhase(job)}${finished(job) && job.status.message ? '. ' + job.status.message : ''}`);
    }
    this.explainSoon(before ? 1500 : 0);
    this.draw();
  }

  // explainSoon asks why a queued job waits. The server works that out when the job
  // is read; whatever happens to any job may change it, so events lead here, gathered.
  explainSoon(wait) {
    if (!this.job || phaseOf(this.job) !== 'Queued' || this.deleted || this.explaining) return;
    const { signal } = this.control;
    this.explaining = setTimeout(async () => {
      try {
        const job = await getJob(this.workspace, this.name, signal);
        if (signal.aborted) return;
        this.blocked = job.status?.blockedBy || [];
        this.draw();
      } catch { /* the feed says so when the server is away, or the job gone */ }
      finally { if (!signal.aborted) this.explaining = 0; }
    }, wait);
  }

  skeleton() {
    const p = (this.parts = {});
    p.title = h('h2', { id: 'detail-title', tabindex: '-1' });
    p.phase = h('span', { class: 'phase' });
    p.name = h('code');
    p.type = h('span', { class: 'type' });
    p.took = h('span', { class: 'took' });
    p.progress = h('progress', { max: '100', 'aria-label': 'Progress' });
    p.pct = h('span', { class: 'pct' });
    p.step = h('span', { class: 'step' });
    p.bar = h('div', { class: 'bar', hidden: true }, p.progress, p.pct, p.step);
    // A key held down must not answer the question that it raised.
    const once = (e) => { if (e.repeat) e.preventDefault(); };
    p.actions = h('div', { class: 'actions', on: { keydown: once } });
    p.problem = h('p', { class: 'notice error', role: 'alert', hidden: true });
    p.callout = h('div', { class: 'callout', hidden: true });
    p.log = h('div', { class: 'log-place' });
    p.facts = h('dl', { class: 'facts' });
    p.conditions = h('div');
    p.more = h('div');
    p.body = h('div', { class: 'body' }, p.log,
      h('section', null, h('h3', null, 'Facts'), p.facts),
      p.conditions, p.more);
    const close = h('button', { type: 'button', class: 'quiet square close', 'aria-label': 'Close the job', on: { click: () => this.closed() } },
      icon('back'), icon('close'));
    this.el.replaceChildren(
      h('header', { class: 'head' },
        h('div', { class: 'first' }, close, p.title, p.actions),
        p.second = h('div', { class: 'second', hidden: true }, p.phase, p.type, p.took, p.name),
        p.bar, p.problem, p.callout),
      p.body);
    this.shown = {};
  }

  // changed reports whether a part's value differs from what it last showed, so that
  // progress does not rebuild the tables a person may be selecting text in.
  changed(part, value) {
    const text = JSON.stringify(value);
    if (this.shown[part] === text) return false;
    this.shown[part] = text;
    return true;
  }

  render() {
    const { job, parts: p } = this;
    if (!job || this.el.hidden) return;
    const phase = this.deleted ? 'Deleted' : shownPhase(job);
    this.el.dataset.phase = phase;
    setText(p.title, titleOf(job));
    setText(p.name, job.metadata.name);
    setText(p.type, job.spec.type);
    if (this.changed('phase', phase)) p.phase.replaceChildren(icon(phase), phase);
    p.second.hidden = p.body.hidden = false;
    const s = job.status || {};
    const running = phaseOf(job) === 'Running' && !this.deleted;
    p.bar.hidden = !running;
    p.progress.value = s.pct || 0;
    setText(p.pct, (s.pct || 0) + ' %');
    setText(p.step, s.step || '');
    p.problem.hidden = !this.problem;
    setText(p.problem, this.problem);
    this.callout(job, s);
    this.actions(job);
    this.facts(job, s);
    this.conditions(s);
    this.rest(job, s);
    this.tick(Date.now());
  }

  callout(job, s) {
    const phase = phaseOf(job);
    const blocked = phase === 'Queued' && !this.deleted ? this.blocked : [];
    const value = [phase, s.reason, s.message, blocked, this.deleted];
    if (!this.changed('callout', value)) return;
    const el = this.parts.callout;
    const tone = this.deleted ? 'note' : { Failed: 'bad', Canceled: 'note', Queued: 'note' }[phase] || 'plain';
    el.dataset.tone = tone;
    const lines = [];
    if (this.deleted) lines.push(h('p', null, 'This job was deleted. What is shown here is its last state.'));
    if (blocked.length) lines.push(h('b', null, 'Waiting'), ...blocked.map((b) => h('p', null, b.message)));
    else if (s.message || (s.reason && !['Running', 'Succeeded'].includes(phase))) {
      lines.push(s.reason ? h('code', { class: 'reason' }, s.reason) : null, h('p', { class: 'message' }, s.message || ''));
    }
    el.replaceChildren(...lines.filter(Boolean));
    el.hidden = lines.length === 0;
  }

  actions(job) {
    const open = !finished(job);
    const waits = backingOff(job);
    const value = [this.asking, this.busy, open, !!job.spec.cancel, waits, this.deleted];
    if (!this.changed('actions', value)) return;
    const el = this.parts.actions;
    const hadFocus = el.contains(document.activeElement);
    const button = (label, run, kind) => h('button', { type: 'button', class: kind, disabled: !!this.busy, on: { click: run } }, label);
    const again = button('Run again…', () => this.again(this.job), 'quiet');
    let nodes;
    if (this.deleted) nodes = [again];
    else if (this.busy) nodes = [h('span', { class: 'asking' }, this.busy)];
    else if (this.asking === 'cancel') {
      nodes = [h('span', { class: 'asking', id: 'asking' }, 'Stop this job?'),
        button('Cancel the job', () => this.cancel(), 'danger'), button('Keep it', () => this.ask(''), '')];
    } else if (this.asking === 'delete') {
      nodes = [h('span', { class: 'asking', id: 'asking' }, 'Delete it with its log?'),
        button('Delete', () => this.remove(), 'danger'), button('Keep it', () => this.ask(''), '')];
    } else if (open) {
      nodes = job.spec.cancel ? [] : [waits ? button('Retry now', () => this.retry(), '') : null, button('Cancel…', () => this.ask('cancel'), '')];
    } else nodes = [again, button('Delete…', () => this.ask('delete'), '')];
    el.replaceChildren(...nodes.filter(Boolean));
    el.dataset.asking = this.asking;
    if (this.asking) el.querySelector('.danger').setAttribute('aria-describedby', 'asking');
    if (hadFocus) (el.querySelector('button') || this.parts.title).focus();
  }

  // ask shows the question before what cannot be taken back; '' puts it away.
  ask(what) {
    this.asking = what;
    this.problem = '';
    this.render();
  }

  async cancel() {
    await this.act('Canceling…', () => cancelJob(this.workspace, this.name));
  }

  async retry() {
    await this.act('Retrying…', () => retryJob(this.workspace, this.name));
  }

  async remove() {
    const done = await this.act('Deleting…', () => deleteJob(this.workspace, this.name));
    if (done) this.closed();
  }

  async act(busy, run) {
    const { name } = this;
    Object.assign(this, { busy, asking: '', problem: '' });
    this.render();
    say(busy); // what comes of it is said when the feed tells
    try {
      await run();
      return name === this.name;
    } catch (error) {
      if (name === this.name) this.problem = error.message;
      return false;
    } finally {
      if (name === this.name) {
        this.busy = '';
        this.render();
      }
    }
  }

  facts(job, s) {
    const m = job.metadata;
    const value = [m, s.startTime, s.completionTime, s.attempts, s.failures, s.interruptions, s.currentAttempt, job.spec.priority, job.spec.createdBy];
    if (!this.changed('facts', value)) return;
    const when = (t) => t && h('time', { datetime: t, 'data-ago': '' }, absolute(t));
    const counts = [s.failures ? s.failures + ' failed' : '', s.interruptions ? s.interruptions + ' interrupted' : ''].filter(Boolean).join(', ');
    const by = job.spec.createdBy;
    const rows = [
      ['Created', when(m.creationTimestamp)],
      ['By', by && (by.email || by.id)],
      ['Started', when(s.startTime)],
      ['Finished', when(s.completionTime)],
      ['Attempts', s.attempts ? s.attempts + (counts ? ` (${counts})` : '') : null],
      ['Worker', s.currentAttempt?.worker],
      ['Priority', job.spec.priority ? String(job.spec.priority) : null],
      ['Labels', m.labels && Object.entries(m.labels).map(([k, v]) => k + '=' + v).join(', ')],
      ['Workspace', m.namespace],
      ['UID', h('code', { class: 'uid' }, m.uid)],
    ];
    this.parts.facts.replaceChildren(...rows.filter(([, v]) => v).map(([k, v]) => h('div', null, h('dt', null, k), h('dd', null, v))));
  }

  conditions(s) {
    const list = s.conditions || [];
    if (!this.changed('conditions', list)) return;
    if (!list.length) return this.parts.conditions.replaceChildren();
    const head = h('tr', null, ...['Condition', 'Status', 'Reason', 'Since'].map((c) => h('th', { scope: 'col' }, c)));
    const rows = list.map((c) => h('tr', null,
      h('th', { scope: 'row' }, c.type), h('td', null, c.status), h('td', null, c.reason || ''),
      h('td', null, h('time', { datetime: c.lastTransitionTime, 'data-ago': '' }, absolute(c.lastTransitionTime)))));
    this.parts.conditions.replaceChildren(h('section', null, h('h3', null, 'Conditions'),
      h('table', null, h('thead', null, head), h('tbody', null, ...rows))));
  }

  rest(job, s) {
    const value = [job.spec, s.result, s.artifacts];
    if (!this.changed('rest', value)) return;
    const pretty = (v) => (typeof v === 'string' ? v : JSON.stringify(v, null, 2));
    const block = (title, text, open) => h('details', { class: 'block', open },
      h('summary', null, title), h('div', null, copyButton('Copy', () => text), h('pre', { tabindex: '0' }, text)));
    const { cancel, createdBy, ...spec } = job.spec;
    const manifest = JSON.stringify({ apiVersion: 'jobwright.dev/v1', kind: 'Job', metadata: { name: job.metadata.name, namespace: job.metadata.namespace }, spec }, null, 2);
    this.parts.more.replaceChildren(...[
      s.artifacts?.length ? h('section', null, h('h3', null, 'Artifacts'),
        h('ul', { class: 'artifacts' }, s.artifacts.map((a) => h('li', null, h('code', null, a.name), a.uri ? ' ' + a.uri : null)))) : null,
      s.result !== undefined && s.result !== null ? block('Result', pretty(s.result), true) : null,
      block('Manifest', manifest, false),
      h('section', null, h('h3', null, 'From a terminal'), command(`jobwright logs -f ${job.metadata.name} -n ${job.metadata.namespace}`)),
    ].filter(Boolean));
  }

  // tick moves relative times on.
  tick(now) {
    if (!this.job) return;
    const took = tookMs(this.job, now);
    setText(this.parts.took, finished(this.job) ? duration(took) : ticking(took));
    for (const el of this.el.querySelectorAll('time[data-ago]')) {
      el.title = absolute(el.dateTime);
      setText(el, ago(el.dateTime, now));
    }
  }
}
