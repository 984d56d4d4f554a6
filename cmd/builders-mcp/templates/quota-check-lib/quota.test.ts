// Run it with: npx tsx --test [[.LIB_DIR]]/quota.test.ts
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MemoryStore } from './memory';
import { PostgresStore } from './postgres';
import { check[[pascal .RESOURCE]], defaultQuota } from './quota';

const quota = { limit: 2, windowSeconds: 60 };
const now = new Date('2026-01-01T00:00:30Z');

test('what is within the limit is allowed, what exceeds it is not', async () => {
  const store = new MemoryStore();
  const answers: boolean[] = [];
  for (let i = 0; i < 3; i++) {
    answers.push((await check[[pascal .RESOURCE]](store, 'ada', { quota, now })).allowed);
  }
  assert.deepEqual(answers, [true, true, false]);
});

test('what was refused is not counted', async () => {
  const store = new MemoryStore();
  assert.equal((await check[[pascal .RESOURCE]](store, 'ada', { amount: 3, quota, now })).allowed, false);
  const { allowed, used, remaining } = await check[[pascal .RESOURCE]](store, 'ada', { amount: 2, quota, now });
  assert.deepEqual({ allowed, used, remaining }, { allowed: true, used: 2, remaining: 0 });
});

test('each key has a count of its own', async () => {
  const store = new MemoryStore();
  await check[[pascal .RESOURCE]](store, 'ada', { amount: 2, quota, now });
  assert.equal((await check[[pascal .RESOURCE]](store, 'grace', { quota, now })).used, 1);
});

test('the next window begins at zero', async () => {
  const store = new MemoryStore();
  await check[[pascal .RESOURCE]](store, 'ada', { amount: 2, quota, now });
  const later = await check[[pascal .RESOURCE]](store, 'ada', { quota, now: new Date('2026-01-01T00:01:00Z') });
  assert.equal(later.allowed, true);
  assert.equal(later.remaining, 1);
  assert.equal(later.resetAt.toISOString(), '2026-01-01T00:02:00.000Z');
});

test('the default quota is the one asked for', async () => {
  const { remaining } = await check[[pascal .RESOURCE]](new MemoryStore(), 'ada', { now });
  assert.equal(remaining, defaultQuota.limit - 1);
});

test('an amount that is no number of things is refused', async () => {
  for (const amount of [0, -1, 1.5, Number.NaN]) {
    await assert.rejects(check[[pascal .RESOURCE]](new MemoryStore(), 'ada', { amount, quota, now }), RangeError);
  }
});

test('the memory store forgets windows that are over', async () => {
  const store = new MemoryStore(1);
  await store.add('ada', 1, 1, 2);
  await store.add('grace', 2, 1, 2);
  assert.deepEqual(await store.add('ada', 2, 1, 2), { used: 1, added: true });
});

test('the PostgreSQL store passes its arguments on and reads the row', async () => {
  const asked: unknown[][] = [];
  const store = new PostgresStore({
    async query(_text, values) {
      asked.push(values);
      return { rows: [{ used: '7', added: true }] }; // drivers give a bigint as text
    },
  });
  assert.deepEqual(await store.add('ada', 3, 2, 10), { used: 7, added: true });
  assert.deepEqual(asked.flat(), ['ada', 3, 2, 10]);
});
