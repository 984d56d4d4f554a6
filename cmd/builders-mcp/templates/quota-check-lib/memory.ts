import type { Count, Store } from './types';

// MemoryStore counts in this process: for tests, and for a single server. It keeps one
// window for each key, and forgets keys of windows that are over once there are many.
export class MemoryStore implements Store {
  private readonly counts = new Map<string, { window: number; used: number }>();

  constructor(private readonly maxKeys = 100_000) {}

  async add(key: string, window: number, amount: number, limit: number): Promise<Count> {
    const known = this.counts.get(key);
    const used = known?.window === window ? known.used : 0;
    if (used + amount > limit) {
      return { used, added: false };
    }
    if (!known && this.counts.size >= this.maxKeys) {
      this.forgetBefore(window);
    }
    this.counts.set(key, { window, used: used + amount });
    return { used: used + amount, added: true };
  }

  private forgetBefore(window: number): void {
    for (const [key, count] of this.counts) {
      if (count.window < window) {
        this.counts.delete(key);
      }
    }
  }
}
