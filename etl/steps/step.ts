import type { Logger } from "../../lib/observability/log.js";
import type { Pool } from "../../lib/postgres/pool.js";
import type { ChunkSource } from "../generate/source.js";
import type { OutMessage } from "../message.js";
import type { Reached } from "../point.js";

/** What a step may use. */
export interface StepContext {
  readonly pool: Pool;
  readonly source: Pick<ChunkSource, "stream">;
  readonly logger: Logger;
  /** Name of the worker, for the ledger. */
  readonly worker: string;
  readonly reached?: Reached | undefined;
  /** Told inside the transaction what it will have done; counted when the step has committed. */
  readonly report?: (facts: StepFacts) => void;
}

/** What a step did, in rows and bytes. */
export type StepFacts =
  | { readonly step: "stage"; readonly rows: number; readonly copyBytes: number }
  | {
      readonly step: "clean";
      readonly accepted: number;
      readonly repaired: number;
      /** Rejected rows by reason. */
      readonly reasons: Readonly<Record<string, number>>;
    };

/**
 * The rule all steps keep: do the work and write the ledger in one transaction, then return the messages that follow from
 * it. The caller publishes them, confirmed, and acks. A step that finds its ledger row done skips the work and returns what
 * still needs sending, so a message may come any number of times.
 */
export type Next = readonly OutMessage[];
