import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MemoryStore } from './memory';
import { checkQuota } from './quota';

const quota = { limit: 2, windowSeconds: 60 };
const now = new Date('2026-01-01T00:00:30Z');

test('what is within the limit is allowed, what exceeds it is not', async () => {
  const store = new MemoryStore();
  const answers: boolean[] = [];
  for (let i = 0; i < 3; i++) {
    answers.push((await checkQuota(store, 'ada', 1, quota, now)).allowed);
  }
  assert.deepEqual(answers, [true, true, false]);
});

test('the next window begins at zero', async () => {
  const store = new MemoryStore();
  await checkQuota(store, 'ada', 2, quota, now);
  const later = await checkQuota(store, 'ada', 1, quota, new Date('2026-01-01T00:01:00Z'));
  assert.equal(later.allowed, true);
  assert.equal(later.remaining, 1);
  assert.equal(later.resetAt.toISOString(), '2026-01-01T00:02:00.000Z');
});

test('an amount that is no number is refused', async () => {
  await assert.rejects(checkQuota(new MemoryStore(), 'ada', 0, quota, now), RangeError);
});
