// Quota is how much is allowed: at most `limit` in each window of `windowSeconds`.
export interface Quota {
  limit: number;
  windowSeconds: number;
}

// Decision is what a check came to.
export interface Decision {
  allowed: boolean;
  // used is the count in this window, with what was just allowed.
  used: number;
  remaining: number;
  // resetAt is when the window ends and counting begins anew.
  resetAt: Date;
}

// Count is what a store says after it was asked to add.
export interface Count {
  used: number;
  added: boolean;
}

// Store counts. One call is atomic: of several at once, none sees or makes a count above
// the limit.
export interface Store {
  // add adds amount to the count of key in a window, unless that would exceed limit.
  add(key: string, window: number, amount: number, limit: number): Promise<Count>;
}
