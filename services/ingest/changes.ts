import { newId } from "../../lib/domain/ids.js";
import { groupedBy } from "../../lib/grouped.js";
import { providerKeys, type StoredBody } from "./arrival.js";
import { keyText } from "./store/new_event.js";
import type { FormerEvent } from "./store/stored_event.js";
import type { Taken } from "./store/text.js";

/** An event that is taken for something else than before; of a body in which more are found than before some are new. */
export interface Change {
  readonly id: string;
  readonly body: StoredBody;
  readonly place: number;
  readonly before: FormerEvent | undefined;
  readonly after: Taken;
}

export interface Proposal {
  readonly body: StoredBody;
  readonly taken: readonly Taken[];
}

/**
 * What bodies come to, against what they came to. An event is the one that had its key; those without are told by their order. Of one
 * that is not found any more nothing is said: it stays as it was. A new one has a place of its own, above all that there are.
 *
 * @param repeating whether events that repeat another one are looked at in any case: their first may not be that any more
 */
export function changesOf(
  proposals: readonly Proposal[],
  events: readonly FormerEvent[],
  { repeating = false }: { readonly repeating?: boolean } = {},
): readonly Change[] {
  const inOrder = [...events].sort((a, b) => a.place - b.place);
  const formerOf = groupedBy(inOrder, ({ bodyId }) => bodyId);
  return proposals.flatMap(({ body, taken }) => {
    const former = formerOf.get(body.id) ?? [];
    const matched = matchedWith(former, taken);
    // The place of the first is its body's alone, also where that was a repeat when it came.
    let place = former.at(-1)?.place ?? 0;
    return taken.flatMap((after): Change[] => {
      const before = matched.get(after);
      if (before === undefined) {
        place += 1;
        return [{ id: newId(), body, place, before, after }];
      }
      return isSame(before, after) && !(repeating && before.repeats !== null)
        ? []
        : [{ id: before.id, body, place: before.place, before, after }];
    });
  });
}

/** By their keys, then by their places, then in the order in which they are left. */
function matchedWith(
  former: readonly FormerEvent[],
  taken: readonly Taken[],
): ReadonlyMap<Taken, FormerEvent> {
  const matched = new Map<Taken, FormerEvent>();
  const free = new Set(former);
  const match = (after: Taken, before: FormerEvent | undefined) => {
    if (before !== undefined && !matched.has(after) && free.delete(before)) {
      matched.set(after, before);
    }
  };
  const byKey = new Map(former.map((event) => [keysText(event), event]));
  for (const after of taken.filter(({ dedupKey }) => dedupKey !== null)) {
    match(after, byKey.get(keysText(after)));
  }
  const byPlace = new Map(former.map((event) => [event.place, event]));
  for (const [place, after] of taken.entries()) {
    match(after, byPlace.get(place));
  }
  const left = [...free].values();
  for (const after of taken.filter((each) => !matched.has(each))) {
    match(after, left.next().value);
  }
  return matched;
}

const keysText = (taken: Taken): string => providerKeys(taken).map(keyText).join();

export const hasKeyOf = (a: Taken, b: Taken): boolean =>
  a.provider === b.provider && a.dedupKey === b.dedupKey;

/** Whether an event is taken for what it was, at the rate that it had. */
export function isSame(before: FormerEvent, after: Taken): boolean {
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
