import { closeSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { dirname } from "node:path";

export type Status = "pending" | "paid" | "failed";

/** What was paid out, as it stands. */
export interface Payout {
  readonly id: string;
  readonly amount: number;
  /** Lower case. */
  readonly currency: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Unix time in seconds. */
  readonly created: number;
  readonly status: Status;
  readonly failureCode: string | null;
  /** Unix time in milliseconds. */
  readonly changedAtMs: number;
}

/** What was answered to a key, once and for all. */
export interface KeptAnswer {
  readonly fingerprint: string;
  readonly status: number;
  /** Its body is the payout as it was then. */
  readonly payoutId?: string;
  /** Its body is this error. */
  readonly error?: { readonly type: string; readonly code?: string; readonly message: string };
}

type Line =
  | { readonly kind: "answered"; readonly key: string; readonly kept: KeptAnswer; readonly payout?: Payout }
  | { readonly kind: "changed"; readonly id: string; readonly change: Change }
  | { readonly kind: "told"; readonly eventId: string };

type Change = Pick<Payout, "status" | "failureCode" | "changedAtMs">;

/**
 * The simulator's own truth: a file to which each change is written before anybody hears of it. So it survives the process, whatever
 * ends it; what the process was writing just then nobody has heard of, and is cut off.
 */
export class Book {
  readonly #file: number;
  readonly #payouts = new Map<string, Payout>();
  /** In the order in which they were made. */
  readonly #ids: string[] = [];
  readonly #places = new Map<string, number>();
  readonly #answers = new Map<string, KeptAnswer>();
  readonly #told = new Set<string>();

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#file = openSync(path, "a+", 0o600);
    const text = readFileSync(path, "utf8");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole.length < text.length) {
      truncateSync(path, Buffer.byteLength(whole));
    }
    for (const line of whole.split("\n").filter((each) => each !== "")) {
      this.#apply(JSON.parse(line) as Line);
    }
  }

  answerTo(key: string): KeptAnswer | undefined {
    return this.#answers.get(key);
  }

  payout(id: string): Payout | undefined {
    return this.#payouts.get(id);
  }

  /** All, newest first, from a payout on. @param after not of the page before */
  *newestFirst(after?: string): Generator<Payout> {
    const from = after === undefined ? this.#ids.length : (this.#places.get(after) ?? 0);
    for (let place = from - 1; place >= 0; place--) {
      yield this.#payouts.get(this.#ids[place] as string) as Payout;
    }
  }

  /** Whether somebody has said that he has heard of it. */
  isTold(eventId: string): boolean {
    return this.#told.has(eventId);
  }

  answer(key: string, kept: KeptAnswer, payout?: Payout): void {
    this.#write({ kind: "answered", key, kept, ...(payout === undefined ? {} : { payout }) });
  }

  change(id: string, change: Change): Payout {
    this.#write({ kind: "changed", id, change });
    return this.#payouts.get(id) as Payout;
  }

  told(eventId: string): void {
    this.#write({ kind: "told", eventId });
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(line: Line): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
    this.#apply(line);
  }

  #apply(line: Line): void {
    switch (line.kind) {
      case "answered":
        this.#answers.set(line.key, line.kept);
        if (line.payout !== undefined) {
          this.#places.set(line.payout.id, this.#ids.length);
          this.#ids.push(line.payout.id);
          this.#payouts.set(line.payout.id, line.payout);
        }
        break;
      case "changed":
        this.#payouts.set(line.id, { ...(this.#payouts.get(line.id) as Payout), ...line.change });
        break;
      default:
        this.#told.add(line.eventId);
    }
  }
}
