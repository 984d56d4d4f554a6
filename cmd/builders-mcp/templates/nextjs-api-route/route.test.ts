// Run it with: npx tsx --test [[.APP_DIR]]/api/[[.ROUTE_NAME]]/route.test.ts
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { GET, POST } from './route';

function post(body: string): Request {
  return new Request('http://localhost/api/[[.ROUTE_NAME]]', { method: 'POST', body });
}

test('GET says that the route is up', async () => {
  const response = await GET();
  assert.equal(response.status, 200);
  const body: { ok: boolean } = await response.json();
  assert.equal(body.ok, true);
});

test('POST greets, without the space around a name', async () => {
  const response = await POST(post('{"name":" Ada "}'));
  assert.equal(response.status, 200);
  const body: { message: string } = await response.json();
  assert.equal(body.message, 'hello, Ada');
});

test('POST refuses what is no JSON', async () => {
  assert.equal((await POST(post('{'))).status, 400);
});

test('POST refuses a body without a usable name, and says why', async () => {
  for (const [body, why] of [
    ['null', 'required'],
    ['{}', 'required'],
    ['{"name":7}', 'text'],
    ['{"name":"  "}', 'text'],
    [JSON.stringify({ name: 'x'.repeat(101) }), '100'],
  ] as const) {
    const response = await POST(post(body));
    assert.equal(response.status, 422, body);
    const { error }: { error: string } = await response.json();
    assert.match(error, new RegExp(why));
  }
});
