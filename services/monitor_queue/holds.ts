import type { Delivery, Settled } from "../../lib/broker/delivery.js";

interface Held {
  readonly windowUuid: string;
  readonly seq: number;
}

/** What the monitor is told of the reports in our hands. */
export interface Snapshot {
  /** Some went back to the queue since the last snapshot that arrived. */
  readonly gave_back: boolean;
  readonly held: readonly (readonly [windowUuid: string, seq: number])[];
}

/** Which reports this process has in hand. */
export class Holds {
  readonly #held = new Map<Delivery, Held | undefined>();
  /** Those that the queue has no more. */
  readonly #settled = new WeakSet<Delivery>();
  /** How often some went back, and how often the monitor knows of. */
  #gaveBack = 0;
  #told = 0;

  /** @param what undefined: it is no report */
  add(delivery: Delivery, what: Held | undefined): void {
    this.#held.set(delivery, what);
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

  get size(): number {
    return this.#held.size;
  }

  /** @returns what is held now, and what to call once the monitor has taken it */
  snapshot(): { readonly snapshot: Snapshot; readonly arrived: () => void } {
    const gaveBack = this.#gaveBack;
    const held = [...this.#held.values()].flatMap((each) =>
      each === undefined ? [] : [[each.windowUuid, each.seq] as const],
    );
    return {
      snapshot: { gave_back: gaveBack > this.#told, held },
      arrived: () => {
        this.#told = Math.max(this.#told, gaveBack);
      },
    };
  }
}
