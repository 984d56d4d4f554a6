// The rows: newest first, each an address that opens its job.

import { $, command, h, icon, setText } from './dom.js';
import { absolute, ago, duration, finished, matches, noteOf, phaseOf, phases, shownPhase, ticking, titleOf, tookMs } from './format.js';
import { pageSize } from './model.js';

export class List {
  // address turns a job's name into the hash that opens it; select changes the filter;
  // workspace names the one that is shown.
  constructor({ model, workspace, address, select, more }) {
    Object.assign(this, { model, workspace, address, select });
    this.filter = { phase: '', type: '', q: '' };
    this.selected = '';
    this.rows = new Map();
    this.template = $('row').content.firstElementChild;
    this.chips();
    $('filter-text').addEventListener('input', (e) => select({ q: e.target.value.trim() }));
    $('filter-type').addEventListener('change', (e) => select({ type: e.target.value }));
    $('filters').addEventListener('submit', (e) => e.preventDefault());
    $('more').addEventListener('click', more);
    $('rows').addEventListener('keydown', (e) => this.arrows(e));
  }

  // offer adds the types that the filter does not have.
  offer(types) {
    const filter = $('filter-type');
    for (const { type } of types) {
      if (![...filter.options].some((o) => o.value === type)) filter.append(h('option', { value: type }, type));
    }
    filter.value = this.filter.type;
  }

  chips() {
    this.counts = {};
    for (const phase of ['', ...phases]) {
      const count = h('span', { class: 'count' });
      const input = h('input', { type: 'radio', name: 'phase', value: phase, on: { change: () => this.select({ phase }) } });
      $('filter-phase').append(h('label', { class: 'chip', 'data-phase': phase }, input,
        h('span', null, phase ? icon(phase) : null, phase || 'All', count)));
      this.counts[phase] = { input, count };
    }
  }

  setFilter(filter) {
    this.filter = filter;
    if ($('filter-text').value.trim() !== filter.q) $('filter-text').value = filter.q;
    $('filter-type').value = filter.type;
    this.counts[phases.includes(filter.phase) ? filter.phase : ''].input.checked = true;
  }

  // arrows moves between rows; Home and End reach the ends.
  arrows(e) {
    const links = [...$('rows').querySelectorAll('a')];
    const at = links.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[e.key];
    if (at < 0 || to === undefined || e.altKey || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    links[Math.max(0, Math.min(links.length - 1, to))].focus();
  }

  focusRow(name) {
    (this.rows.get(name)?.link || $('rows').querySelector('a') || $('list')).focus();
  }

  render() {
    const all = this.model.newestFirst().slice(0, this.model.cap);
    const tally = { '': all.length };
    for (const job of all) tally[phaseOf(job)] = (tally[phaseOf(job)] || 0) + 1;
    for (const [phase, { count }] of Object.entries(this.counts)) setText(count, this.model.loaded ? String(tally[phase] || 0) : '');

    const shown = all.filter((job) => matches(job, this.filter));
    this.reorder(shown);
    this.empty(all, shown);
    this.moreBar(all);
    this.tick(Date.now());
  }

  reorder(shown) {
    const list = $('rows');
    const keep = new Set(shown.map((job) => job.metadata.uid));
    for (const [name, row] of this.rows) {
      if (keep.has(row.uid)) continue;
      const hadFocus = row.link === document.activeElement;
      const beside = row.el.nextElementSibling || row.el.previousElementSibling;
      row.el.remove();
      this.rows.delete(name);
      // A row that goes must not take the keyboard's place in the page with it.
      if (hadFocus) (beside?.querySelector('a') || $('list')).focus();
    }
    let at = list.firstElementChild;
    for (const job of shown) {
      const row = this.row(job);
      if (row.el === at) at = at.nextElementSibling;
      else list.insertBefore(row.el, at);
    }
  }

  row(job) {
    let row = this.rows.get(job.metadata.name);
    if (!row) {
      const el = this.template.cloneNode(true);
      const f = {};
      for (const part of el.querySelectorAll('[data-f]')) f[part.dataset.f] = part;
      row = { el, f, link: el.querySelector('a'), uid: job.metadata.uid, job: null };
      setText(f.name, job.metadata.name);
      row.el.dataset.name = job.metadata.name;
      this.rows.set(job.metadata.name, row);
    }
    const href = this.address(job.metadata.name);
    if (row.link.getAttribute('href') !== href) row.link.setAttribute('href', href);
    this.mark(row, job.metadata.name === this.selected);
    if (row.job !== job) this.fill(row, job);
    return row;
  }

  mark(row, selected) {
    if (selected) row.link.setAttribute('aria-current', 'true');
    else row.link.removeAttribute('aria-current');
  }

  fill(row, job) {
    const { f } = row;
    const phase = shownPhase(job);
    if (row.el.dataset.phase !== phase) {
      row.el.dataset.phase = phase;
      f.phase.replaceChildren(icon(phase), phase);
    }
    setText(f.title, titleOf(job));
    setText(f.type, job.spec?.type || '');
    const running = phaseOf(job) === 'Running';
    f.doing.hidden = !running && !noteOf(job);
    f.progress.hidden = f.pct.hidden = !running;
    if (running) {
      const pct = job.status?.pct || 0;
      f.progress.value = pct;
      setText(f.pct, pct + ' %');
    }
    setText(f.note, noteOf(job).split('\n', 1)[0]);
    f.note.title = noteOf(job).slice(0, 2000);
    f.age.dateTime = job.metadata.creationTimestamp || '';
    f.age.title = 'Created ' + absolute(job.metadata.creationTimestamp);
    row.uid = job.metadata.uid;
    row.job = job;
  }

  // tick moves the clock's words on; called once a second.
  tick(now) {
    for (const { f, job } of this.rows.values()) {
      setText(f.age, ago(job.metadata.creationTimestamp, now));
      const took = tookMs(job, now);
      setText(f.took, finished(job) ? duration(took) : ticking(took));
    }
  }

  moreBar(all) {
    $('more-bar').hidden = !this.model.hasMore();
    const filtered = this.filter.phase || this.filter.type || this.filter.q;
    const { beyond, dropped } = this.model;
    const rest = beyond > 0 && !dropped ? `, ${beyond.toLocaleString()} older` : '';
    setText($('more-text'), `${filtered ? 'Filtering' : 'Showing'} the newest ${all.length.toLocaleString()}${rest}`);
    setText($('more'), `Load ${pageSize} more`);
  }

  empty(all, shown) {
    const state = !this.model.loaded || shown.length ? '' : all.length ? 'filtered' : 'none';
    $('empty').hidden = state === '';
    const key = state + ' ' + this.workspace();
    if (key === this.emptyState) return;
    this.emptyState = key;
    if (state === 'filtered') {
      setText($('empty-title'), 'No job matches the filter');
      setText($('empty-text'), 'Only the jobs that are loaded are searched.');
      $('empty-do').replaceChildren(h('button', { type: 'button', on: { click: () => this.select({ phase: '', type: '', q: '' }) } }, 'Clear the filter'));
    } else if (state === 'none') {
      setText($('empty-title'), 'No jobs yet');
      setText($('empty-text'), 'Create one here, or from a terminal:');
      const where = this.workspace() === 'default' ? '' : ' -n ' + this.workspace();
      $('empty-do').replaceChildren(
        command('jobwright run build apply_builder --id nextjs-api-route --var ROUTE_NAME=health' + where),
        command('jobwright apply -f manifests/examples/build.yaml' + where),
        h('a', { class: 'button primary', href: '#/new' }, 'New job'));
    }
  }
}
