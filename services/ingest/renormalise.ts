import { type Client, type Pool, type Queryable, transaction } from "../../lib/postgres/pool.js";
import { countedOf, type Key, type NewEvent, providerKeys, unpacked, withMerchant } from "./arrival.js";
import { type Change, changesOf, hasKeyOf, isSame, type Proposal } from "./changes.js";
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
import { takenOf } from "./store/text.js";

/** What bodies would come to now, against what they came to. Reads only. */
export async function foresee(
  db: Queryable,
  normaliser: Normaliser,
  bodyIds: readonly string[],
): Promise<readonly Change[]> {
  const proposals = await understandAgain(db, normaliser, bodyIds);
  const changes = changesOf(proposals, await eventsOf(db, bodyIds, { held: false }));
  const known = await findKnown(
    db,
    changes.flatMap(({ after }) => providerKeys(after)),
  );
  const told = new Set(known.keys());
  return changes.filter(({ before, after }) => {
    const [key] = providerKeys(after).map(keyText);
    const isToldAlready = key !== undefined && told.has(key);
    told.add(key ?? "");
    return before !== undefined || !isToldAlready;
  });
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
  const all: Change[] = [];
  for (let ids = bodyIds, repeating = false; ids.length > 0; repeating = true) {
    const proposals = await understandAgain(pool, normaliser, ids);
    const { changes, next } = await whileRacing(() =>
      transaction(pool, async (tx) => {
        const found = changesOf(proposals, await eventsOf(tx, ids, { held: true }), { repeating });
        return found.length === 0 ? { changes: found, next: [] } : apply(tx, found, cause);
      }),
    );
    all.push(...changes);
    ids = next;
  }
  return all;
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

interface Applied {
  readonly changes: readonly Change[];
  /** Bodies of events that repeat a changed one: whether they still do is to be seen. */
  readonly next: readonly string[];
}

async function apply(tx: Client, found: readonly Change[], cause: string): Promise<Applied> {
  const rekeyed = found.flatMap(({ before, after }) => (before && !hasKeyOf(after, before) ? [before] : []));
  await dropKeys(
    tx,
    rekeyed.flatMap((before) => providerKeys(before).map((key) => ({ ...key, id: before.id }))),
  );
  const firsts = await enterFirsts(tx, found);
  const changes = found.filter((change) => isChange(change, firsts.get(change) ?? null));
  const former = changes.flatMap(({ before }) => before ?? []);
  const existing = changes.flatMap((change) => changedOf(change, firsts.get(change)));
  const added = changes.filter(({ before }) => before === undefined).map(addedOf);
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
  const next = await bodiesRepeating(
    tx,
    rekeyed.map(({ id }) => id),
  );
  return { changes, next };
}

/** What another event tells already is no event of its own; one that was looked at because its first changed may be as it was. */
const isChange = ({ before, after }: Change, first: string | null): boolean =>
  before === undefined ? first === null : first !== before.repeats || !isSame(before, after);

function changedOf({ before, after }: Change, repeats: string | null = null): ChangedEvent[] {
  return before === undefined
    ? []
    : [{ id: before.id, receivedAt: before.receivedAt, taken: after, latencyMs: latencyOf(before), repeats }];
}

const addedOf = ({ id, place, body, after }: Change): NewEvent => ({
  ...{ id, place, bodyId: body.id, receivedAt: body.receivedAt, latencyMs: 0, taken: after, keys: [] },
});

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
