import type { Decision, Quota, Store } from './types';

export type { Count, Decision, Quota, Store } from './types';

export const defaultQuota: Quota = { limit: [[.LIMIT]], windowSeconds: [[.WINDOW_SECONDS]] };

export interface CheckOptions {
  // amount is how many [[.RESOURCE]] are asked for. Default: 1.
  amount?: number;
  quota?: Quota;
  now?: Date;
}

function wholeNumber(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`${name} is ${value}, must be a whole number of at least 1`);
  }
}

// check[[pascal .RESOURCE]] counts [[.RESOURCE]] of `key`, and says whether they are allowed. What is not
// allowed is not counted.
export async function check[[pascal .RESOURCE]](store: Store, key: string, options: CheckOptions = {}): Promise<Decision> {
  const { amount = 1, quota = defaultQuota, now = new Date() } = options;
  wholeNumber('amount', amount);
  wholeNumber('quota.limit', quota.limit);
  wholeNumber('quota.windowSeconds', quota.windowSeconds);
  const length = quota.windowSeconds * 1000;
  const window = Math.floor(now.getTime() / length);
  const { used, added } = await store.add(key, window, amount, quota.limit);
  return {
    allowed: added,
    used,
    remaining: Math.max(quota.limit - used, 0),
    resetAt: new Date((window + 1) * length),
  };
}
