import type { Logger } from "../../lib/observability/log.js";
import type { Pool } from "../../lib/postgres/pool.js";
import type { ChunkSource } from "../generate/source.js";
import type { Message, OutMessage } from "../message.js";

/** What a step may use. */
export interface StepContext {
  readonly pool: Pool;
  readonly source: Pick<ChunkSource, "stream">;
  readonly logger: Logger;
  /** Name of the worker, for the ledger. */
  readonly worker: string;
  /** Called when a step has got to a named point; tests kill the process there. */
  readonly reached?: ((point: Point) => void | Promise<void>) | undefined;
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

type Kind = Message["kind"];

/** Points at which a death is most likely to show a gap between two things that belong together. */
export type Point =
  | "stage: before copy"
  | "stage: in copy"
  | "stage: after copy"
  | "clean: suspects judged"
  | "agg: rolled up"
  | "agg: month published"
  | `${Kind}: committed`
  | `${Kind}: published`;

/**
 * The rule all steps keep: do the work and write the ledger in one transaction, then return the messages that follow from
 * it. The caller publishes them, confirmed, and acks. A step that finds its ledger row done skips the work and returns what
 * still needs sending, so a message may come any number of times.
 */
export type Next = readonly OutMessage[];

/**
 * What a run's month is built in, see etl.create_builds: COPY goes to `rows`, which sorts it into `leaf` and `suspects`.
 * Run ids are checked where they come in, and again when a name is quoted.
 */
export function buildTables(
  runId: string,
  month: string,
): { readonly rows: string; readonly leaf: string; readonly suspects: string } {
  const rows = `staging.txn_${runId}_${month.slice(0, 4)}_${month.slice(5, 7)}`;
  return { rows, leaf: `${rows}_leaf`, suspects: `${rows}_suspect` };
}

/** The leaf of a month given as `YYYY-MM-01`; the same name as etl.leaf_name makes. */
export function leafTable(month: string): string {
  return `payments.txn_${month.slice(0, 4)}_${month.slice(5, 7)}`;
}
