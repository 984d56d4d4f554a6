// Wiring: addresses, workspace, connection, keyboard.
//
//	#/jobs?phase=Failed&type=build&q=words
//	#/jobs/NAME?…
//	#/new, #/new/TYPE

import { listTypes, listWorkspaces, rememberedWorkspace, rememberWorkspace, serverTrouble } from './api.js';
import { Detail } from './detail.js';
import { $, h, oncePerFrame, say, setText } from './dom.js';
import { Feed } from './feed.js';
import { Form } from './form.js';
import { phaseOf, shownPhase, titleOf } from './format.js';
import { List } from './list.js';
import { Model } from './model.js';

// healthEvery is how often the server is asked whether it starts jobs.
const healthEvery = 10000;

// hiddenAfter is how long a hidden tab keeps its connections.
const hiddenAfter = 60000;

let workspace = rememberedWorkspace() || 'default';
rememberWorkspace(workspace);

let filter = { phase: '', type: '', q: '' };
let selected = '';
let feed = null;

const draw = oncePerFrame(() => { list.render(); title(); });
const model = new Model(draw);

const list = new List({ model, workspace: () => workspace, address: (name) => address(name), select, more });
const detail = new Detail($('detail'), {
  closed: () => { location.hash = address(''); },
  again: (job) => { form.fillFrom(job); location.hash = '#/new/' + job.spec.type; },
});
const form = new Form({
  model, workspace: () => workspace,
  closed: () => { if (location.hash.startsWith('#/new')) location.hash = address(selected); },
  created: (name) => { location.hash = address(name); },
});

// address is the hash of a job, or of the list, with the filter.
function address(name) {
  const query = new URLSearchParams(Object.entries(filter).filter(([, v]) => v)).toString();
  return '#/jobs' + (name ? '/' + encodeURIComponent(name) : '') + (query ? '?' + query : '');
}

// route shows what the address names.
function route() {
  const [path, query] = location.hash.slice(1).split('?', 2);
  const parts = path.split('/').filter(Boolean).map((p) => { try { return decodeURIComponent(p); } catch { return p; } });
  if (parts[0] === 'new') {
    form.show(parts[1]);
    return;
  }
  form.close();
  const wanted = Object.fromEntries(new URLSearchParams(query || ''));
  filter = { phase: wanted.phase || '', type: wanted.type || '', q: wanted.q || '' };
  list.setFilter(filter);
  open(parts[0] === 'jobs' && parts[1] ? parts[1] : '');
  draw();
}

function open(name) {
  if (name === selected && detail.name === name) return;
  const before = selected;
  selected = list.selected = name;
  document.body.classList.toggle('with-detail', !!name);
  if (name) {
    detail.open(workspace, name, model.jobs.get(name));
    $('detail-title').focus({ preventScroll: true });
  } else {
    detail.close();
    if (before) list.focusRow(before);
  }
}

// select changes the filter in place: typing must not fill the history.
function select(change) {
  filter = { ...filter, ...change };
  list.setFilter(filter);
  history.replaceState(null, '', address(selected));
  draw();
}

async function more() {
  $('more').disabled = true;
  try {
    await feed.more(new AbortController().signal);
  } catch (error) {
    trouble(error.message);
  } finally {
    $('more').disabled = false;
  }
}

function trouble(text) {
  $('list-error').hidden = !text;
  setText($('list-error'), text || '');
}

async function health() {
  const text = await serverTrouble();
  $('health').hidden = !text;
  setText($('health'), text && 'The server says: ' + text);
}

function connect() {
  feed?.stop();
  model.clear();
  trouble('');
  feed = new Feed({ workspace, model, state: linkState, event: (type, job) => detail.event(type, job), listed: () => detail.refresh() });
  feed.start();
  draw();
}

let countdown;
function linkState(state, error, wait) {
  clearInterval(countdown);
  const before = $('link').dataset.state;
  $('link').dataset.state = state === 'connecting' && before === 'waiting' ? 'waiting' : state;
  $('link-retry').hidden = state !== 'waiting';
  if (state === 'live') {
    if (before === 'waiting') {
      say('Connected again');
      detail.resume();
    }
    setText($('link-text'), 'Live');
    trouble('');
    health();
    loadTypes();
  } else if (state === 'connecting') {
    setText($('link-text'), before === 'waiting' ? 'Reconnecting…' : 'Connecting…');
  } else {
    const until = Date.now() + wait;
    const show = () => setText($('link-text'), `Reconnecting in ${Math.max(1, Math.ceil((until - Date.now()) / 1000))} s`);
    show();
    countdown = setInterval(show, 500);
    if (before !== 'waiting') say('Connection lost, reconnecting');
    trouble(model.loaded && error.status === 0 ? '' : 'The jobs cannot be read: ' + error.message);
  }
  $('link').title = error ? error.message : '';
}

function title() {
  const job = selected && (detail.job || model.jobs.get(selected));
  const running = model.newestFirst().filter((j) => phaseOf(j) === 'Running').length;
  document.title = job ? `${shownPhase(job)} · ${titleOf(job)} · Jobwright` : (running ? `(${running}) ` : '') + 'Jobs · Jobwright';
}

// loadTypes adds to the form and the filter what other types of jobs the server runs. Nobody
// misses those if it does not answer: it is asked again at the next connection.
async function loadTypes() {
  let types;
  try {
    types = await listTypes();
  } catch {
    return;
  }
  form.offer(types);
  list.offer(types);
  if (form.open && !form.typed) route(); // the address may name one of them
}

async function loadWorkspaces() {
  const names = new Map([[workspace, workspace]]);
  try {
    for (const { metadata, spec } of (await listWorkspaces()).items || []) names.set(metadata.name, spec?.displayName || metadata.name);
  } catch (error) {
    $('workspace').title = 'The workspaces cannot be listed: ' + error.message;
  }
  $('workspace').replaceChildren(...[...names].sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, label]) => h('option', { value: name }, label === name ? name : `${label} (${name})`)));
  $('workspace').value = workspace;
}

$('workspace').addEventListener('change', (e) => {
  workspace = e.target.value;
  rememberWorkspace(workspace);
  selected = '';
  detail.close();
  document.body.classList.remove('with-detail');
  location.hash = '#/jobs';
  say('Workspace ' + workspace);
  connect();
});

$('skip').addEventListener('click', (e) => {
  e.preventDefault(); // the hash is the page's address
  $('list').focus();
});

$('link-retry').addEventListener('click', () => feed.retryNow());
addEventListener('online', () => feed.retryNow());
addEventListener('hashchange', route);
// Pressed between Escape and the address's change, the link changes nothing by itself.
$('new').addEventListener('click', (e) => { if (location.hash === e.currentTarget.hash) route(); });

addEventListener('keydown', (e) => {
  if (e.key !== 'Escape' || e.defaultPrevented || form.open || !selected) return;
  if (e.target.matches?.('input, select, textarea')) return;
  location.hash = address('');
});

let rest;
document.addEventListener('visibilitychange', () => {
  clearTimeout(rest);
  if (document.hidden) {
    rest = setTimeout(() => { feed.stop(); detail.pause(); }, hiddenAfter);
  } else {
    feed.start();
    detail.resume();
    loadWorkspaces();
    health();
    draw();
  }
});

setInterval(() => {
  if (document.hidden) return;
  const now = Date.now();
  list.tick(now);
  detail.tick(now);
}, 1000);

setInterval(() => { if (!document.hidden) health(); }, healthEvery);

// A page kept for the back button must not keep its connections.
addEventListener('pagehide', () => { feed.stop(); detail.pause(); });
addEventListener('pageshow', (e) => { if (e.persisted) { feed.start(); detail.resume(); } });

list.setFilter(filter);
connect();
route();
loadWorkspaces();
