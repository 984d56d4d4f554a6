// Quotas on [[.RESOURCE]]: at most `limit` in each window of `windowSeconds`, for each key.

export interface Quota {
  limit: number;
  windowSeconds: number;
}

export interface Decision {
  allowed: boolean;
  used: number;
  remaining: number;
  resetAt: Date;
}

// Store counts; add must be atomic for one key and window.
export interface Store {
  // add adds amount to the count of a window, unless that would exceed limit. It
  // returns the count after the call and whether the amount was added.
  add(key: string, window: number, amount: number, limit: number): Promise<{ used: number; added: boolean }>;
}

export const defaultQuota: Quota = { limit: [[.LIMIT]], windowSeconds: [[.WINDOW_SECONDS]] };

// checkQuota counts `amount` [[.RESOURCE]] of `key` and says whether they are allowed.
export async function checkQuota(
  store: Store,
  key: string,
  amount = 1,
  quota: Quota = defaultQuota,
  now: Date = new Date(),
): Promise<Decision> {
  if (!Number.isInteger(amount) || amount < 1) {
    throw new RangeError(`amount is ${amount}, must be a whole number of at least 1`);
  }
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
