import { newId } from "../../lib/domain/ids.js";
import { type Pool, type Queryable, transaction } from "../../lib/postgres/pool.js";
import {
  countedOf,
  type Key,
  type NewEvent,
  providerKeys,
  type StoredBody,
  unpacked,
  withMerchant,
} from "./arrival.js";
import type { Normaliser } from "./normaliser.js";
import { whileRacing } from "./racing.js";
import { firstRetryAt } from "./retry.js";
import { enterEvents, enterKeys, findKnown, keyText } from "./store/new_event.js";
import { changePayments, paymentOf } from "./store/payment.js";
import { count, uncount } from "./store/roll_up.js";
import {
  bodiesRepeating,
  type ChangedEvent,
  changeEvents,
  dropKeys,
  eventsOf,
  type FormerEvent,
  findBodies,
} from "./store/stored_event.js";
import { type Taken, takenOf } from "./store/text.js";

/** An event that is taken for something else than before; of a body in which more are found than before some are new. */
export interface Change {
  readonly id: string;
  readonly body: StoredBody;
  readonly place: number;
  readonly before: FormerEvent | undefined;
  readonly after: Taken;
}

interface Proposal {
  readonly body: StoredBody;
  readonly taken: readonly Taken[];
}

/** What bodies would come to now, against what they came to. Reads only. */
export async function foresee(
  db: Queryable,
  normaliser: Normaliser,
  bodyIds: readonly string[],
): Promise<readonly Change[]> {
  const proposals = await understandAgain(db, normaliser, bodyIds);
  return changesOf(proposals, await eventsOf(db, bodyIds, { held: false }));
}

/**
 * Understands bodies once more and has their events, keys, payments and roll-ups say so, one transaction. What an event was taken
 * for is kept, with the cause. Events that were found to repeat a changed one are looked at after it.
 *
 * @returns what changed
 */
export async function renormalise(
  pool: Pool,
  normaliser: Normaliser,
  bodyIds: readonly string[],
  cause: string,
): Promise<readonly Change[]> {
  const proposals = await understandAgain(pool, normaliser, bodyIds);
  const { changes, repeating } = await whileRacing(() =>
    transaction(pool, async (tx) => {
      const made = changesOf(proposals, await eventsOf(tx, bodyIds, { held: true }));
      return { changes: made, repeating: made.length === 0 ? [] : await apply(tx, made, cause) };
    }),
  );
  return repeating.length === 0
    ? changes
    : [...changes, ...(await renormalise(pool, normaliser, repeating, cause))];
}

async function understandAgain(
  db: Queryable,
  { normalise }: Normaliser,
  bodyIds: readonly string[],
): Promise<readonly Proposal[]> {
  const bodies = await findBodies(db, bodyIds);
  const normalised = await normalise(
    bodies.map((body) => ({
      raw: unpacked(body),
      source: body.source,
      hint: body.hint ?? undefined,
      receivedAt: body.receivedAt,
    })),
  );
  return bodies.map((body, i) => ({
    body,
    taken: (normalised[i] ?? []).map((each) => takenOf(withMerchant(each, body.merchant))),
  }));
}

/** Of a place that is not found any more nothing is said: its event stays as it was. */
function changesOf(proposals: readonly Proposal[], events: readonly FormerEvent[]): readonly Change[] {
  const former = new Map(events.map((event) => [placeText(event), event]));
  return proposals.flatMap(({ body, taken }) =>
    taken.flatMap((after, place): Change[] => {
      const before = former.get(placeText({ bodyId: body.id, place }));
      // The first place has no event where that was a repeat when it came.
      const isNew =
        before === undefined && place > 0 && !former.has(placeText({ bodyId: body.id, place: 1 }));
      return (before === undefined ? isNew : !isSame(before, after))
        ? [{ id: before?.id ?? newId(), body, place, before, after }]
        : [];
    }),
  );
}

const placeText = ({ bodyId, place }: { readonly bodyId: string; readonly place: number }) =>
  `${bodyId} ${place}`;

function isSame(before: FormerEvent, after: Taken): boolean {
  return (
    comparable(before) === comparable(after) &&
    before.amountUsd === before.amountUsdNow &&
    before.fxDay === before.fxDayNow
  );
}

/** jsonb keeps no order of names. */
function comparable({ metadata, provenance, ...taken }: Taken): string {
  const names = Object.keys(COMPARED) as (keyof typeof COMPARED)[];
  return JSON.stringify([...names.map((name) => plain(taken[name])), sorted(metadata), sorted(provenance)]);
}

const COMPARED = {
  ...{ provider: 1, rule: 1, method: 1, confidence: 1, status: 1, code: 1, detail: 1, reason: 1, undoes: 1 },
  ...{ amount: 1, amountMinor: 1, currency: 1, merchant: 1, country: 1, occurredAt: 1 },
  ...{ providerEventId: 1, paymentRef: 1, dedupKey: 1 },
} satisfies Record<keyof Omit<Taken, "metadata" | "provenance">, 1>;

const plain = (value: unknown) => (typeof value === "bigint" ? String(value) : value);

const sorted = (json: string): string =>
  JSON.stringify(JSON.parse(json), (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

/** @returns bodies of events that repeat a changed one: whether they still do is to be seen */
async function apply(tx: Queryable, changes: readonly Change[], cause: string): Promise<readonly string[]> {
  const former = changes.flatMap(({ before }) => before ?? []);
  const rekeyed = changes.flatMap(({ before, after }) =>
    before && !hasKeyOf(after, before) ? [before] : [],
  );
  await dropKeys(
    tx,
    rekeyed.flatMap((before) => providerKeys(before).map((key) => ({ ...key, id: before.id }))),
  );
  const firsts = await enterFirsts(tx, changes);
  const existing = changes.flatMap((change) => changedOf(change, firsts.get(change)));
  // What another event tells already is no event of its own.
  const added = changes
    .filter((change) => change.before === undefined && firsts.get(change) === null)
    .map(addedOf);
  await changeEvents(tx, existing, { former, cause });
  await enterEvents(
    tx,
    added.map((event) => ({ ...event, retryAt: firstRetryAt(event) })),
  );
  await changePayments(tx, [...former, ...changes.map(({ after }) => after)].flatMap(paymentOf));
  const counting = [...existing.filter(({ repeats }) => repeats === null), ...added];
  await count(tx, counting.map(countedOf));
  await uncount(
    tx,
    former.filter(({ repeats }) => repeats === null).map((event) => countedOf({ ...event, taken: event })),
  );
  return bodiesRepeating(
    tx,
    rekeyed.map(({ id }) => id),
  );
}

function changedOf({ before, after }: Change, repeats: string | null = null): ChangedEvent[] {
  return before === undefined
    ? []
    : [{ id: before.id, receivedAt: before.receivedAt, taken: after, latencyMs: latencyOf(before), repeats }];
}

const addedOf = ({ id, place, body, after }: Change): NewEvent => ({
  ...{ id, place, bodyId: body.id, receivedAt: body.receivedAt, latencyMs: 0, taken: after, keys: [] },
});

const hasKeyOf = (a: Taken, b: Taken) => a.provider === b.provider && a.dedupKey === b.dedupKey;

/** How long it took counts from its arrival only while a model was being asked: a rule that comes later was no delay. */
const latencyOf = ({ code, latencyMs, receivedAt }: FormerEvent): number =>
  code === "AI_PENDING" ? Math.min(Date.now() - receivedAt.getTime(), 2 ** 31 - 1) : latencyMs;

/** Enters the keys that are free. @returns the event that told the same first; null: this one */
async function enterFirsts(
  tx: Queryable,
  changes: readonly Change[],
): Promise<ReadonlyMap<Change, string | null>> {
  const known = await findKnown(
    tx,
    changes.flatMap(({ after }) => providerKeys(after)),
  );
  const owners = new Map([...known].map(([text, { id }]) => [text, id]));
  const firsts = new Map<Change, string | null>();
  const entered: (Key & { readonly id: string })[] = [];
  for (const change of changes) {
    const [key] = providerKeys(change.after);
    const owner = key === undefined ? change.id : owners.get(keyText(key));
    if (key !== undefined && owner === undefined) {
      owners.set(keyText(key), change.id);
      entered.push({ ...key, id: change.id });
    }
    firsts.set(change, owner === undefined || owner === change.id ? null : owner);
  }
  await enterKeys(tx, entered);
  return firsts;
}
