import type { Delivery, Settled } from "../../lib/broker/delivery.js";
import { type Errand, errandOf } from "./errand.js";

/** What the monitor is told of the reports in our hands. */
export interface Snapshot {
  /** Some went back to the queue since the last snapshot that arrived, or may have. */
  readonly gave_back: boolean;
  readonly held: readonly (readonly [windowUuid: string, seq: number])[];
}

/** Which deliveries this process has in hand, from the moment that they come, whether their turn has come or not. */
export class Holds {
  readonly #held = new Map<Delivery, Errand>();
  /** Those that the queue has no more. */
  readonly #settled = new WeakSet<Delivery>();
  /** How often some went back, and how often the monitor knows of. */
  #gaveBack = 0;
  #told = 0;
  #unreadUntilMs = Number.NEGATIVE_INFINITY;

  take(delivery: Delivery): void {
    this.#held.set(delivery, errandOf(delivery));
  }

  /** What it is about; of one that is in hand. */
  errandOf(delivery: Delivery): Errand {
    return this.#held.get(delivery) ?? errandOf(delivery);
  }

  settled({ delivery, outcome }: Settled): void {
    if (outcome.kind === "done" || outcome.kind === "reject") {
      this.#settled.add(delivery);
    }
  }

  /** It is in our hands no more: what is not settled is in the queue again, or a copy of it is. */
  over(delivery: Delivery): void {
    this.#held.delete(delivery);
    if (!this.#settled.has(delivery)) {
      this.#gaveBack += 1;
    }
  }

  /** For so long the broker may have reports sent to us that we will never read, and give them to others then. */
  leaveUnread(forMs: number): void {
    this.#unreadUntilMs = Math.max(this.#unreadUntilMs, performance.now() + forMs);
  }

  get size(): number {
    return this.#held.size;
  }

  /** @returns what is held now, and what to call once the monitor has taken it */
  snapshot(): { readonly snapshot: Snapshot; readonly arrived: () => void } {
    const gaveBack = this.#gaveBack;
    const held = [...this.#held.values()].flatMap((errand) =>
      errand.kind === "report" ? [[errand.report.window_uuid, errand.report.seq] as const] : [],
    );
    return {
      snapshot: { gave_back: gaveBack > this.#told || performance.now() < this.#unreadUntilMs, held },
      arrived: () => {
        this.#told = Math.max(this.#told, gaveBack);
      },
    };
  }
}
