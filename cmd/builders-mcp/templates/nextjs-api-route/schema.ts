// What the route /api/[[.ROUTE_NAME]] takes and answers.

export interface [[pascal .ROUTE_NAME]]Input {
  name: string;
}

export interface [[pascal .ROUTE_NAME]]Answer {
  ok: true;
  message: string;
  time: string;
}

export interface Refusal {
  ok: false;
  error: string;
}

export type Parsed = { ok: true; input: [[pascal .ROUTE_NAME]]Input } | Refusal;

const maxName = 100;

// parse checks an unknown value; it returns the input or says what is wrong with it.
export function parse(value: unknown): Parsed {
  if (typeof value !== 'object' || value === null || !('name' in value)) {
    return { ok: false, error: 'name: required' };
  }
  if (typeof value.name !== 'string' || value.name.trim() === '') {
    return { ok: false, error: 'name: must be a text that is not empty' };
  }
  const name = value.name.trim();
  if (name.length > maxName) {
    return { ok: false, error: `name: at most ${maxName} characters, got ${name.length}` };
  }
  return { ok: true, input: { name } };
}
