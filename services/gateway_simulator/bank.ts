import { chance } from "../../lib/domain/chance.js";
import type { Book, Payout, Status } from "./book.js";
import { payoutFate } from "./fate.js";
import type { Notices } from "./notices.js";

export interface BankOptions {
  readonly book: Book;
  readonly notices: Notices;
  readonly seed: number;
  readonly failureRate: number;
  readonly returnRate: number;
  readonly settleMs: number;
}

/** Money that came back did so after a while. */
const RETURN_AFTER = 5;

/** What happens to payouts after they were taken: paid or failed, and some come back. */
export class Bank {
  readonly #options: BankOptions;
  readonly #clocks = new Set<NodeJS.Timeout>();

  constructor(options: BankOptions) {
    this.#options = options;
  }

  /** Goes on where the process before ended: what is open, and what nobody has said that he heard of. */
  resume(): void {
    const { book } = this.#options;
    for (const payout of book.newestFirst()) {
      this.take(payout);
      if (payout.status !== "pending") {
        this.#tell(payout);
      }
    }
  }

  take(payout: Payout): void {
    const { seed, settleMs } = this.#options;
    const fate = payoutFate(this.#options, payout.id);
    const delayMs = settleMs * (0.5 + chance(seed, "settle", payout.id));
    if (payout.status === "pending") {
      this.#later(delayMs, () => {
        const code = fate.kind === "failed" ? fate.code : null;
        this.take(this.#change(payout, code === null ? "paid" : "failed", code));
      });
    } else if (payout.status === "paid" && fate.kind === "returned") {
      this.#later(RETURN_AFTER * delayMs, () => this.#change(payout, "failed", fate.code));
    }
  }

  stop(): void {
    for (const clock of this.#clocks) {
      clearTimeout(clock);
    }
  }

  #change({ id }: Payout, status: Status, failureCode: string | null): Payout {
    const changed = this.#options.book.change(id, { status, failureCode, changedAtMs: Date.now() });
    this.#tell(changed);
    return changed;
  }

  /** As Stripe promises, whoever has paid is told that it came back. */
  #tell(payout: Payout): void {
    const surely = payout.status === "failed" && payoutFate(this.#options, payout.id).kind === "returned";
    this.#options.notices.tell(payout, { surely });
  }

  #later(ms: number, work: () => void): void {
    const clock = setTimeout(() => {
      this.#clocks.delete(clock);
      work();
    }, ms);
    this.#clocks.add(clock);
  }
}
