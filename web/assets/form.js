// The form that creates a job.

import { createJob, parse } from './api.js';
import { $, h, say } from './dom.js';

const verbs = {
  up: 'Create and start, and wait until healthy.', down: 'Stop and remove containers and networks.',
  build: 'Build the images.', pull: 'Pull the images.', ps: 'List the containers.', logs: 'Print what the containers wrote.',
  restart: 'Restart the containers.', stop: 'Stop the containers, keep them.', start: 'Start stopped containers.',
  config: 'Check the file and print it as compose reads it.',
};

const words = (text) => text.split(/[\s,]+/).filter(Boolean);

export class Form {
  // closed is called when the dialog goes away; created with the new job's name.
  constructor({ model, workspace, closed, created }) {
    Object.assign(this, { model, workspace, closed, created });
    this.dialog = $('create');
    this.form = $('create-form');
    this.form.addEventListener('submit', (e) => { e.preventDefault(); this.submit(); });
    this.form.addEventListener('change', (e) => {
      if (e.target.name === 'type') this.show(e.target.value);
      if (e.target.name === 'verb') this.hint();
    });
    // A message stays until what it is about was changed.
    this.form.addEventListener('input', (e) => this.wrong(e.target, ''));
    this.form.addEventListener('keydown', (e) => {
      if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) this.form.requestSubmit();
    });
    // The Enter that opened the dialog must not also send it: its keypress, or its
    // repetition, arrives when the focus is already in here.
    this.form.addEventListener('keydown', (e) => {
      if (!e.repeat) this.typed = true;
    });
    this.form.addEventListener('keypress', (e) => {
      if (e.key === 'Enter' && !this.typed) e.preventDefault();
    });
    for (const id of ['create-close', 'create-cancel']) $(id).addEventListener('click', () => this.dialog.close());
    // The event comes after the fact: by then the dialog may be open again.
    this.dialog.addEventListener('close', () => { if (!this.dialog.open) this.closed(); });
    this.dialog.addEventListener('click', (e) => { if (e.target === this.dialog) this.dialog.close(); });
  }

  // offer adds the types that the page has no fields for: their payload is written as JSON.
  offer(types) {
    for (const { type, title, about, field } of types) {
      if (this.form.querySelector(`input[name=type][value="${CSS.escape(type)}"]`)) continue;
      const id = 'payload-' + type;
      this.form.querySelector('.kinds').append(h('label', null,
        h('input', { type: 'radio', name: 'type', value: type }), h('span', null, h('b', null, title), h('small', null, about))));
      $('create-error').before(h('div', { class: 'fields', 'data-type': type, 'data-field': field, hidden: true, inert: true },
        h('div', { class: 'field wide' },
          h('label', { for: id }, 'Payload ', h('span', { class: 'opt' }, 'JSON object')),
          h('textarea', { id, rows: 6, spellcheck: 'false', autocapitalize: 'none', autocomplete: 'off', 'aria-describedby': id + '-error' }),
          h('p', { class: 'wrong', id: id + '-error', hidden: true }))));
    }
  }

  get open() { return this.dialog.open; }

  // show opens the form, or switches its type.
  show(type) {
    const radio = this.form.querySelector(`input[name=type][value="${CSS.escape(type || '')}"]`) || this.form.elements.type[0];
    if (type) radio.checked = true;
    const now = this.form.elements.type.value;
    for (const part of this.form.querySelectorAll('.fields')) {
      part.hidden = part.dataset.type !== now;
      // Fields of the other types are out of the way of validation and of Tab.
      part.inert = part.hidden;
    }
    this.hint();
    $('create-error').hidden = true;
    $('create-workspace').textContent = this.workspace();
    if (this.dialog.open) return;
    this.suggest();
    this.typed = false;
    this.dialog.showModal();
    this.form.querySelector('input[name=type]:checked').focus();
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }

  hint() {
    $('deploy-verb-hint').textContent = verbs[$('deploy-verb').value];
  }

  // suggest offers what the jobs that are loaded have used.
  suggest() {
    const jobs = this.model.newestFirst();
    const fill = (id, pick) => $(id).replaceChildren(
      ...[...new Set(jobs.map(pick).filter(Boolean))].slice(0, 20).map((value) => h('option', { value })));
    fill('known-actions', (j) => j.spec.build?.action);
    fill('known-ids', (j) => j.spec.build?.id);
    fill('known-servers', (j) => j.spec.build?.server);
    fill('known-paths', (j) => j.spec.deploy?.composePath);
  }

  // fillFrom takes the fields of a job that is to run once more.
  fillFrom(job) {
    this.form.reset();
    const { build = {}, deploy = {}, apiCall = {} } = job.spec;
    const pretty = (v) => (v && Object.keys(v).length ? JSON.stringify(v, null, 2) : '');
    const values = {
      'build-action': build.action, 'build-id': build.id, 'build-server': build.server,
      'build-variables': pretty(build.variables), 'build-arguments': pretty(build.arguments),
      'deploy-verb': deploy.verb || 'up', 'deploy-path': deploy.composePath, 'deploy-project': deploy.projectName,
      'deploy-services': deploy.services?.join(' '), 'deploy-profiles': deploy.profiles?.join(' '), 'deploy-extra': deploy.extraArgs?.join(' '),
      'call-method': apiCall.method, 'call-url': apiCall.url,
      'call-body': typeof apiCall.body === 'string' ? apiCall.body : apiCall.body === undefined ? '' : JSON.stringify(apiCall.body, null, 2),
    };
    for (const [id, value] of Object.entries(values)) $(id).value = value || '';
    const written = $('payload-' + job.spec.type);
    if (written) {
      written.value = pretty(job.spec[written.closest('.fields').dataset.field]);
      this.base = null;
      return;
    }
    // What the form has no field for is kept as it was.
    this.base = { type: job.spec.type, payload: job.spec[{ build: 'build', deploy: 'deploy', api_call: 'apiCall' }[job.spec.type]] || {} };
    for (const more of this.form.querySelectorAll('details')) {
      more.open = [...more.querySelectorAll('input, textarea')].some((f) => f.value);
    }
  }

  // wrong marks a field with what is wrong about it; '' clears it.
  wrong(field, message) {
    const note = field.id && $(field.id + '-error');
    if (!note) return;
    note.textContent = message;
    note.hidden = !message;
    if (message) field.setAttribute('aria-invalid', 'true');
    else field.removeAttribute('aria-invalid');
  }

  // object reads a field that holds a JSON object; undefined when it is empty.
  object(id) {
    const text = $(id).value.trim();
    if (!text) return undefined;
    let value;
    try {
      value = parse(text);
    } catch (error) {
      throw { field: $(id), message: 'Not JSON: ' + error.message };
    }
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      throw { field: $(id), message: 'A JSON object is needed, like {"ROUTE_NAME": "health"}.' };
    }
    return value;
  }

  payload(type) {
    const value = (id) => $(id).value.trim() || undefined;
    const list = (id) => (words($(id).value).length ? words($(id).value) : undefined);
    if ($('payload-' + type)) return this.object('payload-' + type) || {};
    if (type === 'build') {
      if (!value('build-action')) throw { field: $('build-action'), message: 'Name the tool to call.' };
      return {
        server: value('build-server'), action: value('build-action'), id: value('build-id'),
        variables: this.object('build-variables'), arguments: this.object('build-arguments'),
      };
    }
    if (type === 'deploy') {
      const project = value('deploy-project');
      if (project && !/^[a-z0-9][a-z0-9_-]*$/.test(project)) {
        throw { field: $('deploy-project'), message: 'Lower-case letters, digits, - and _; the first a letter or digit.' };
      }
      return {
        verb: $('deploy-verb').value, composePath: value('deploy-path'), projectName: project,
        services: list('deploy-services'), profiles: list('deploy-profiles'), extraArgs: list('deploy-extra'),
      };
    }
    const url = value('call-url');
    const method = value('call-method');
    const text = value('call-body');
    if (!url && (method || text)) throw { field: $('call-url'), message: 'A method or body needs a URL; without one nothing is sent.' };
    if (url && !/^https?:\/\//.test(url)) throw { field: $('call-url'), message: 'Start with http:// or https://.' };
    let body = text;
    try {
      if (text) body = parse(text);
    } catch { /* not JSON: sent as its text */ }
    return { url, method, body };
  }

  // keyFor is the same until what is sent changes or was created: who tries again because
  // the answer got lost creates nothing twice.
  keyFor(type, payload) {
    const sent = JSON.stringify([this.workspace(), type, payload]);
    if (this.tried?.sent !== sent) this.tried = { sent, key: crypto.randomUUID?.() };
    return this.tried.key;
  }

  async submit() {
    if (this.sending) return;
    const type = this.form.elements.type.value;
    $('create-error').hidden = true;
    for (const field of this.form.querySelectorAll('[aria-invalid]')) this.wrong(field, '');
    let payload;
    try {
      payload = this.payload(type);
    } catch (error) {
      if (!error.field) throw error;
      const more = error.field.closest('details');
      if (more) more.open = true;
      this.wrong(error.field, error.message);
      error.field.focus();
      return;
    }
    if (this.base?.type === type) payload = { ...this.base.payload, ...payload };
    this.sending = true;
    $('create-submit').disabled = true;
    $('create-submit').textContent = 'Creating…';
    try {
      const { result } = await createJob(this.workspace(), type, payload, this.keyFor(type, payload));
      this.base = this.tried = null;
      this.form.reset();
      for (const more of this.form.querySelectorAll('details')) more.open = false;
      say('Job created');
      this.created(result.id);
    } catch (error) {
      $('create-error').textContent = error.message;
      $('create-error').hidden = false;
    } finally {
      this.sending = false;
      $('create-submit').disabled = false;
      $('create-submit').textContent = 'Create job';
    }
  }
}
