import { codeOf } from "../../lib/errors.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { ReportsError } from "./errors.js";
import { type Difference, differencesOf, digestsOf } from "./store/content.js";
import {
  type Candidate,
  findCandidate,
  insertCandidate,
  lease,
  markShown,
  reach,
  release,
  retire,
  type Shown,
} from "./store/generation.js";
import { lockHead, readHead } from "./store/head.js";
import { project } from "./store/project.js";
import { enterSwitch, readServed } from "./store/switch.js";

/** A step takes some 50 ms: a killed rebuild has as little to do again, and the last one keeps events waiting no longer. */
const EVENTS_A_STEP = 1_000n;
const DIFFERENCES_SHOWN = 20;
/** An event changes so many lines at most: its payout, its affiliate, and in either model the day that it leaves and the one it enters. */
const LINES_AN_EVENT = 6n;

export interface RebuildOptions {
  readonly pool: Pool;
  /** Names this process; no two at a time have the same. */
  readonly rebuilder: string;
  /** Who asks for it, for the row of the switch. */
  readonly by: string;
  /** Swap although the two differ, if a call before has shown as many. */
  readonly acceptDifference: boolean;
  readonly signal: AbortSignal;
  /** Told after each step. */
  readonly onStep?: (at: { readonly position: bigint; readonly head: bigint }) => void;
}

export type Rebuilt =
  | {
      readonly kind: "swapped";
      readonly generation: number;
      readonly position: bigint;
      readonly digest: string;
      readonly epoch: number;
    }
  /** Both say what they say at one position; the rebuilt one stays beside. */
  | {
      readonly kind: "differs";
      readonly generation: number;
      readonly position: bigint;
      readonly differences: number;
      readonly first: readonly Difference[];
    }
  /** Told to end; the next call goes on from there. */
  | { readonly kind: "interrupted"; readonly generation: number };

/**
 * Makes the read model again from the archive, beside the one that is served, while events go on; goes on with what an earlier call
 * left. Once it has all events each new one goes into both, so both stand at one position whenever they are looked at; when they say the
 * same, the new one is served.
 *
 * @throws ReportsError REBUILD_IN_FLIGHT while another process is at it
 */
export async function rebuild(options: RebuildOptions): Promise<Rebuilt> {
  const { pool, rebuilder, signal } = options;
  const { generation, shown } = await persist(signal, () => take(pool, rebuilder));
  try {
    for (let state: Candidate["state"] = "building"; state === "building"; ) {
      state = (await persist(signal, () => step(options, generation))).state;
      if (signal.aborted) {
        return { kind: "interrupted", generation };
      }
    }
    return await compare(options, { generation, shown });
  } finally {
    await release(pool, generation, rebuilder).catch(() => undefined); // The lease ends by itself.
  }
}

/** Somebody held the head for longer than a statement waits, or a deadlock was resolved against us: nothing was done. */
const LOST: ReadonlySet<string | undefined> = new Set(["55P03", "40P01", "40001"]);

async function persist<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !LOST.has(codeOf(error))) {
        throw error;
      }
    }
  }
}

/** Throws away what a rebuild made and nobody serves. @throws ReportsError REBUILD_UNKNOWN, REBUILD_IN_FLIGHT */
export async function discard(pool: Pool, rebuilder: string): Promise<number> {
  return transaction(pool, async (tx) => {
    await lockHead(tx);
    const candidate = await findCandidate(tx);
    if (candidate === undefined) {
      throw new ReportsError("REBUILD_UNKNOWN", "there is no rebuilt report that could be discarded.");
    }
    if (!(await lease(tx, candidate.generation, rebuilder))) {
      throw inFlight(candidate.rebuilder);
    }
    await retire(tx, candidate.generation);
    return candidate.generation;
  });
}

const inFlight = (rebuilder: string | null) =>
  new ReportsError("REBUILD_IN_FLIGHT", `${rebuilder ?? "somebody else"} rebuilds the report.`, {
    hint: "Wait for it. If it was killed, another one may go on within 10 seconds.",
  });

/** The one there is, or a new one; the head's lock sees to it that there is one. */
async function take(pool: Pool, rebuilder: string): Promise<Candidate> {
  const found = await findCandidate(pool);
  const generation =
    found?.generation ??
    (await transaction(pool, async (tx) => {
      await lockHead(tx);
      return (await findCandidate(tx))?.generation ?? insertCandidate(tx);
    }));
  const candidate = await lease(pool, generation, rebuilder);
  if (candidate === undefined) {
    throw inFlight((await findCandidate(pool))?.rebuilder ?? null);
  }
  return candidate;
}

/**
 * Projects the next stretch. All up to the head is committed, so nothing in it is missing; the last stretch is projected under the head's
 * lock, and from then on events go into this generation too. The head is locked before the lease, as everybody does.
 */
async function step({ pool, rebuilder, onStep }: RebuildOptions, generation: number): Promise<Candidate> {
  return transaction(pool, async (tx) => {
    const seen = await readHead(tx);
    const before = await findCandidate(tx);
    const isLast = before?.state === "building" && seen - before.position <= EVENTS_A_STEP;
    const head = isLast ? await lockHead(tx) : seen;
    const candidate = await lease(tx, generation, rebuilder);
    if (candidate === undefined) {
      throw inFlight(before?.rebuilder ?? null);
    }
    const { state, position } = candidate;
    if (state === "live") {
      return candidate;
    }
    const upTo = isLast || head < position + EVENTS_A_STEP ? head : position + EVENTS_A_STEP;
    if (upTo > position) {
      await project(tx, { generations: [generation], after: position, upTo });
    }
    const after = { ...candidate, position: upTo, state: isLast ? ("live" as const) : state };
    await reach(tx, generation, after);
    onStep?.({ position: upTo, head });
    return after;
  });
}

async function compare(
  { pool, rebuilder, by, acceptDifference, signal }: RebuildOptions,
  { generation, shown }: Pick<Candidate, "generation" | "shown">,
): Promise<Rebuilt> {
  const { served, position, digests, found } = await transaction(pool, async (tx) => {
    await tx.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    // It looks at every row.
    await tx.query("SET LOCAL statement_timeout = 0");
    await tx.query("SET LOCAL enable_seqscan = on");
    const now = await readServed(tx);
    const both = await digestsOf(tx, [now.generation, generation]);
    const [a, b] = both;
    const equal = a?.digest === b?.digest && a?.lines === b?.lines;
    const ask = { served: now.generation, rebuilt: generation, limit: DIFFERENCES_SHOWN };
    return {
      ...{ served: now.generation, position: now.position, digests: both },
      found: equal ? undefined : await differencesOf(tx, ask),
    };
  });
  if (found !== undefined && !(acceptDifference && wasShown(shown, { differences: found.total, position }))) {
    await markShown(pool, generation, { differences: found.total, position });
    return { kind: "differs", generation, position, differences: found.total, first: found.first };
  }
  const epoch = await persist(signal, () => swap(pool, { served, generation, rebuilder, by }));
  return { kind: "swapped", generation, position, digest: digests[1]?.digest ?? "", epoch };
}

/** More than was shown can only be of events since; what else is new is to be looked at. */
const wasShown = (shown: Shown | null, now: Shown): boolean =>
  shown !== null &&
  BigInt(now.differences) <= BigInt(shown.differences) + LINES_AN_EVENT * (now.position - shown.position);

/** Both have had every event since they were compared. @returns the epoch */
function swap(
  pool: Pool,
  {
    served,
    generation,
    rebuilder,
    by,
  }: {
    readonly served: number;
    readonly generation: number;
    readonly rebuilder: string;
    readonly by: string;
  },
): Promise<number> {
  return transaction(pool, async (tx) => {
    await lockHead(tx);
    // Who compared for longer than its lease, or was frozen, may find that another one went on in its place and has swapped.
    if (!(await lease(tx, generation, rebuilder)) || (await readServed(tx)).generation !== served) {
      throw inFlight(null);
    }
    // Somebody may be switching the version right now.
    while (!(await enterSwitch(tx, { generation, by, traceId: null }))) {
      // Then this one is the next after that.
    }
    await retire(tx, served);
    return (await readServed(tx)).epoch;
  });
}
