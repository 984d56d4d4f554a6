import type { Store } from './quota';

// MemoryStore counts in this process, for tests and for a single server.
export class MemoryStore implements Store {
  private readonly counts = new Map<string, { window: number; used: number }>();

  async add(key: string, window: number, amount: number, limit: number): Promise<{ used: number; added: boolean }> {
    const known = this.counts.get(key);
    const used = known && known.window === window ? known.used : 0;
    if (used + amount > limit) {
      return { used, added: false };
    }
    this.counts.set(key, { window, used: used + amount });
    return { used: used + amount, added: true };
  }
}
