// Elements, icons and copying. Everything that comes from a job enters the
// document through text nodes or attributes that no browser parses as markup.

export const $ = (id) => document.getElementById(id);

// h builds an element: h('p', {class: 'x', on: {click: f}}, 'text', child…).
// A property that is null, undefined or false is left out; true is the empty string.
export function h(tag, props, ...children) {
  const el = document.createElement(tag);
  for (const [key, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === 'on') for (const [event, f] of Object.entries(value)) el.addEventListener(event, f);
    else el.setAttribute(key, value === true ? '' : value);
  }
  el.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return el;
}

// setText writes only what differs: an unchanged text node costs no layout.
export function setText(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

const shapes = {
  // Each phase has a shape of its own, so that none is told by colour alone.
  Queued: ['M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11', 'M8 5v3.2l2 1.3'],
  Running: ['M8 2.5a5.5 5.5 0 1 1-5.5 5.5'],
  Succeeded: ['M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11', 'M5.6 8.2l1.7 1.7 3.2-3.6'],
  Failed: ['M5.7 2.5h4.6l3.2 3.2v4.6l-3.2 3.2H5.7l-3.2-3.2V5.7z', 'M6.1 6.1l3.8 3.8M9.9 6.1l-3.8 3.8'],
  Canceled: ['M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11', 'M4.2 11.8l7.6-7.6'],
  Canceling: ['M8 2.5a5.5 5.5 0 1 1-5.5 5.5', 'M6.2 6.2h3.6v3.6H6.2z'],
  Suspended: ['M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11', 'M6.6 6v4M9.4 6v4'],
  back: ['M9.5 3.5L5 8l4.5 4.5'],
  close: ['M4 4l8 8M12 4l-8 8'],
  copy: ['M5.5 5.5h7v7h-7z', 'M10.5 5.5v-2h-7v7h2'],
};

export function icon(name) {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  for (const d of shapes[name] || []) {
    const path = document.createElementNS(ns, 'path');
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}

// say puts a sentence where screen readers announce it.
export function say(text) {
  const el = $('said');
  el.textContent = '';
  // A new text node in the next frame is announced even when the words repeat.
  requestAnimationFrame(() => { el.textContent = text; });
}

// copyButton copies what text() returns and says so in its own label.
export function copyButton(label, text) {
  const word = h('span', null, label);
  const button = h('button', { type: 'button', class: 'quiet copy' }, icon('copy'), word);
  button.addEventListener('click', async () => {
    const done = await copy(text());
    word.textContent = done ? 'Copied' : 'Select and copy by hand';
    say(word.textContent);
    setTimeout(() => { word.textContent = label; }, 1600);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Plain http on another host is no secure context and has no clipboard.
    const area = h('textarea', { class: 'sr', 'aria-hidden': 'true', tabindex: '-1' });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

// command shows a command line with a button that copies it.
export function command(line) {
  return h('div', { class: 'command' }, h('code', null, line), copyButton('Copy', () => line));
}

// oncePerFrame gathers calls: however many there are, f runs once a frame.
export function oncePerFrame(f) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => { due = false; f(); });
  };
}
