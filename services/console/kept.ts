/** More are not asked for at a time, unless a single one is large. */
const MOST = 500;

interface Entry<T> {
  readonly value: Promise<T>;
  untilMs: number;
}

/** What was read once is told for a while to whoever asks; while it is being read all wait for that one reading. */
export class Kept<T> {
  readonly #keepMs: number;
  readonly #most: number;
  readonly #entries = new Map<string, Entry<T>>();

  /** @param most that are kept at a time */
  constructor(keepMs: number, most = MOST) {
    this.#keepMs = keepMs;
    this.#most = most;
  }

  /** What fails is told to those who wait, and kept for nobody. */
  of(key: string, read: () => Promise<T>): Promise<T> {
    const kept = this.#entries.get(key);
    if (kept !== undefined && performance.now() < kept.untilMs) {
      return kept.value;
    }
    const entry: Entry<T> = { value: read(), untilMs: Number.POSITIVE_INFINITY };
    this.#entries.delete(key);
    if (this.#entries.size >= this.#most) {
      this.#entries.clear();
    }
    this.#entries.set(key, entry);
    entry.value.then(
      () => {
        entry.untilMs = performance.now() + this.#keepMs;
      },
      () => {
        if (this.#entries.get(key) === entry) {
          this.#entries.delete(key);
        }
      },
    );
    return entry.value;
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }
}
