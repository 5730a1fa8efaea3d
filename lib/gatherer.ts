import { type Deferred, deferred } from "./timing.js";

export interface GathererOptions<Item, Result> {
  /** How long the first of a group waits for others, in milliseconds. */
  readonly waitMs: number;
  /** Items of a group at most. */
  readonly max: number;
  /** Groups at work at a time; while all are, the next one grows. */
  readonly atOnce: number;
  /** Resolves with a result for each item, in their order; what it throws each of them gets. */
  readonly work: (items: readonly Item[]) => Promise<readonly Result[]>;
}

/** Makes groups of what comes one by one from many callers at once, so that a group costs one statement and one commit. */
export class Gatherer<Item, Result> {
  readonly #options: GathererOptions<Item, Result>;
  #waiting: { readonly item: Item; readonly done: Deferred<Result> }[] = [];
  #clock: NodeJS.Timeout | undefined;
  #atWork = 0;
  /** What waits would be at work if there were room. */
  #overdue = false;

  constructor(options: GathererOptions<Item, Result>) {
    this.#options = options;
  }

  /** Resolves with the item's own result. */
  add(item: Item): Promise<Result> {
    const done = deferred<Result>();
    this.#waiting.push({ item, done });
    if (this.#waiting.length >= this.#options.max) {
      this.#begin();
    } else if (this.#waiting.length === 1) {
      this.#clock = setTimeout(() => this.#begin(), this.#options.waitMs);
    }
    return done.promise;
  }

  #begin(): void {
    clearTimeout(this.#clock);
    this.#overdue = this.#atWork >= this.#options.atOnce;
    if (this.#overdue) {
      return;
    }
    const group = this.#waiting.splice(0, this.#options.max);
    this.#atWork += 1;
    void this.#work(group).finally(() => {
      this.#atWork -= 1;
      if (this.#overdue) {
        this.#begin();
      }
    });
    if (this.#waiting.length > 0) {
      this.#begin(); // More came while there was no room than a group may have.
    }
  }

  async #work(group: readonly { readonly item: Item; readonly done: Deferred<Result> }[]): Promise<void> {
    try {
      const results = await this.#options.work(group.map(({ item }) => item));
      for (const [i, { done }] of group.entries()) {
        done.resolve(results[i] as Result);
      }
    } catch (error) {
      for (const { done } of group) {
        done.reject(error as Error);
      }
    }
  }
}
