// What a job is called and how times are written. Functions of values.

export const phases = ['Queued', 'Running', 'Succeeded', 'Failed', 'Canceled'];

export const phaseOf = (job) => job.status?.phase || 'Queued';

export const finished = (job) => ['Succeeded', 'Failed', 'Canceled'].includes(phaseOf(job));

// shownPhase is the phase with the two states that its conditions add.
export function shownPhase(job) {
  const phase = phaseOf(job);
  if (finished(job)) return phase;
  if (job.spec?.cancel) return 'Canceling';
  if (phase === 'Queued' && job.spec?.suspend) return 'Suspended';
  return phase;
}

// titleOf says in a few words what the job does.
export function titleOf(job) {
  const spec = job.spec || {};
  const words = [];
  if (spec.type === 'build' && spec.build) {
    words.push(spec.build.action, spec.build.id);
  } else if (spec.type === 'deploy' && spec.deploy) {
    const d = spec.deploy;
    words.push('compose ' + d.verb, d.services?.length ? d.services.join(' ') : d.projectName || d.composePath);
  } else if (spec.apiCall?.url) {
    words.push(spec.apiCall.method || (spec.apiCall.body === undefined ? 'GET' : 'POST'), spec.apiCall.url.replace(/^https?:\/\//, ''));
  } else if (!spec.type || spec.type === 'api_call') {
    words.push('tracking record');
  } else {
    words.push(spec.type, ...Object.values(spec[spec.type] || {}).filter((v) => typeof v !== 'object').slice(0, 3).map(String));
  }
  return words.filter(Boolean).join(' ');
}

const ms = (time) => (time ? Date.parse(time) : NaN);

// tookMs is how long the job ran, or has been running; NaN before it started.
export function tookMs(job, now) {
  const start = ms(job.status?.startTime);
  const end = ms(job.status?.completionTime);
  if (Number.isNaN(end)) return phaseOf(job) === 'Running' ? Math.max(0, now - start) : NaN;
  return Math.max(0, end - start);
}

const two = (n) => String(n).padStart(2, '0');

export function duration(span) {
  if (!Number.isFinite(span)) return '';
  if (span < 1000) return Math.round(span) + ' ms';
  const s = Math.floor(span / 1000);
  if (s < 10) return (Math.floor(span / 100) / 10).toFixed(1) + ' s';
  if (s < 60) return s + ' s';
  if (s < 3600) return Math.floor(s / 60) + ' m ' + two(s % 60) + ' s';
  if (s < 86400) return Math.floor(s / 3600) + ' h ' + two(Math.floor(s / 60) % 60) + ' m';
  return Math.floor(s / 86400) + ' d ' + (Math.floor(s / 3600) % 24) + ' h';
}

// running durations tick in whole seconds: tenths that jump by one look broken.
export function ticking(span) {
  if (!Number.isFinite(span)) return '';
  return duration(Math.floor(span / 1000) * 1000).replace(/^0 ms$/, '0 s').replace('.0', '');
}

export function ago(time, now) {
  const s = Math.floor((now - ms(time)) / 1000);
  if (Number.isNaN(s)) return '';
  if (s < 2) return 'now';
  if (s < 60) return s + ' s ago';
  if (s < 3600) return Math.floor(s / 60) + ' m ago';
  if (s < 86400) return Math.floor(s / 3600) + ' h ago';
  if (s < 30 * 86400) return Math.floor(s / 86400) + ' d ago';
  return new Date(time).toLocaleDateString(undefined, { year: 'numeric', month: 'short', day: 'numeric' });
}

const absoluteFormat = new Intl.DateTimeFormat(undefined, {
  year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short',
});

export function absolute(time) {
  return Number.isNaN(ms(time)) ? '' : absoluteFormat.format(new Date(time));
}

export function clock(time) {
  const d = new Date(time);
  if (Number.isNaN(d.getTime())) return '';
  return two(d.getHours()) + ':' + two(d.getMinutes()) + ':' + two(d.getSeconds()) + '.' + String(d.getMilliseconds()).padStart(3, '0');
}

// backingOff reports whether the job waits for its next attempt after a failed one.
export function backingOff(job) {
  return phaseOf(job) === 'Queued' && !job.spec.suspend && Date.parse(job.status?.nextAttemptTime) > Date.now();
}

// noteOf is the one line a row has room for beside the progress.
export function noteOf(job) {
  const s = job.status || {};
  switch (phaseOf(job)) {
    case 'Running': return s.step || '';
    case 'Queued': return s.message || '';
    case 'Succeeded': return '';
    default: return s.message || s.reason || '';
  }
}

// matches reports whether the job passes the filter; text is searched word by word.
export function matches(job, filter) {
  if (filter.phase && phaseOf(job) !== filter.phase) return false;
  if (filter.type && job.spec?.type !== filter.type) return false;
  if (!filter.q) return true;
  const s = job.status || {};
  const labels = Object.entries(job.metadata.labels || {}).map(([k, v]) => k + '=' + v);
  const hay = [job.metadata.name, titleOf(job), job.spec?.type, s.step, s.reason, s.message, ...labels].join(' ').toLowerCase();
  return filter.q.toLowerCase().split(/\s+/).every((word) => hay.includes(word));
}
