import assert from 'node:assert/strict';
import { test } from 'node:test';

import { GET, POST } from './route';

function post(body: string): Request {
  return new Request('http://localhost/api/[[.ROUTE_NAME]]', { method: 'POST', body });
}

test('GET says that the route is up', async () => {
  const response = await GET();
  assert.equal(response.status, 200);
});

test('POST greets', async () => {
  const response = await POST(post('{"name":" Ada "}'));
  assert.equal(response.status, 200);
  const body: { message: string } = await response.json();
  assert.equal(body.message, 'hello, Ada');
});

test('POST refuses what is no JSON and what has no name', async () => {
  assert.equal((await POST(post('{'))).status, 400);
  assert.equal((await POST(post('{}'))).status, 422);
  assert.equal((await POST(post('{"name":""}'))).status, 422);
});
