/** How long an answer is given again: whoever asks again and again learns of a change half a second late at most. */
const KEPT_MS = 500;
/** Of a kilobyte each. */
const MAX_KEPT = 10_000;

interface Kept<Value> {
  readonly value: Promise<Value | undefined>;
  readonly untilMs: number;
}

/** Gives who asks for the same at once, or soon after, what the first was given. What is not there, and what failed, is asked anew. */
export class Recent<Value> {
  readonly #ask: (key: string) => Promise<Value | undefined>;
  readonly #kept = new Map<string, Kept<Value>>();

  /** @param ask where nothing is kept */
  constructor(ask: (key: string) => Promise<Value | undefined>) {
    this.#ask = ask;
  }

  get(key: string): Promise<Value | undefined> {
    const before = this.#kept.get(key);
    if (before !== undefined && performance.now() < before.untilMs) {
      return before.value;
    }
    const value = this.#ask(key);
    const kept = { value, untilMs: performance.now() + KEPT_MS };
    // A map is in the order of its entering: the first is the oldest.
    this.#kept.delete(key);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MAX_KEPT && oldest !== undefined) {
      this.#kept.delete(oldest);
    }
    this.#kept.set(key, kept);
    const forget = () => {
      if (this.#kept.get(key) === kept) {
        this.#kept.delete(key);
      }
    };
    value.then((found) => found ?? forget(), forget);
    return value;
  }
}
