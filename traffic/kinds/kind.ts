import type { Pool } from "../../lib/postgres/pool.js";
import type { WebhookKeys } from "../../lib/webhook/source_keys.js";
import type { Outcome } from "../load/outcome.js";
import type { Target } from "../load/target.js";
import type { TrafficSpec } from "../spec.js";

/** What a kind is told of the run that it is part of. */
export interface Run {
  readonly trafficId: number;
  readonly spec: TrafficSpec;
  readonly target: Target;
  /** Where wallets are looked at and filled. */
  readonly wallets: Target;
  /** Where campaigns are made. */
  readonly campaigns: Target;
  /** Partners who sign what they tell; undefined where nobody signs. */
  readonly keys: WebhookKeys | undefined;
  /** How many requests of the kind there will be. */
  readonly requests: number;
}

/** A kind of traffic. A new one is a file here and a line in kinds.ts. */
export interface Kind {
  readonly name: string;
  /** @throws TrafficError TARGET_UNPREPARED when the target lacks what the requests build on. */
  readonly prepare: (run: Run) => Promise<Source>;
}

/** The requests of a kind in a run, each a pure function of the spec and its number. */
export interface Source {
  /** The bytes of request `n`, the first is 0. Asked again it gives the same, also to the target: it takes effect once. */
  readonly request: (n: number) => string;
  /** Enters what must come of the requests, and how each was answered: `outcomes[n]`. */
  readonly enterKey: (pool: Pool, outcomes: readonly Outcome[]) => Promise<void>;
}
