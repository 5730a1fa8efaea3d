import { groupedBy } from "../../../lib/grouped.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { StatusCategory } from "../domain/normalised.js";
import { currentState, type StateEvent } from "../domain/state.js";
import type { Taken } from "./text.js";

/** A payment of a provider, '' where nobody knows whose. */
export interface PaymentName {
  readonly provider: string;
  readonly paymentRef: string;
}

/** An event of a payment. */
type Told = StateEvent & PaymentName;

/** The payment that an event is about, if it says. */
export const paymentOf = ({ provider, paymentRef, status, undoes, amount, occurredAt }: Taken): Told[] =>
  paymentRef === null ? [] : [{ provider: provider ?? "", paymentRef, status, undoes, amount, occurredAt }];

/** A provider has no line's end. */
const nameText = ({ provider, paymentRef }: PaymentName): string => `${provider}\n${paymentRef}`;

/**
 * Has payments stand as their events say, whatever the order in which those came: of one that is new these events are all, of others
 * all are read, once the payment is held. So two transactions with events of one payment come one after the other.
 *
 * @param told events that were entered
 */
export async function addToPayments(tx: Queryable, told: readonly Told[]): Promise<void> {
  const groups = groupedBy(told, nameText);
  const states = [...groups.values()].map(stateOf).sort(byName);
  const { rows } = await tx.query<PaymentName & { isNew: boolean }>({
    name: "ingest_add_payments",
    text: `INSERT INTO ingest.payment AS p (provider, payment_ref, status, events)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[]) ORDER BY 1, 2
           ON CONFLICT (provider, payment_ref) DO UPDATE SET changed_at = now()
           RETURNING provider, payment_ref AS "paymentRef", xmax = 0 AS "isNew"`,
    values: stateColumns(states),
  });
  await settlePayments(
    tx,
    rows.filter(({ isNew }) => !isNew),
  );
}

/** The same for payments whose events have changed; what has none left is no payment. */
export async function changePayments(tx: Queryable, names: readonly PaymentName[]): Promise<void> {
  const held = [...new Map(names.map((name) => [nameText(name), name])).values()].sort(byName);
  await tx.query({
    name: "ingest_hold_payments",
    text: `INSERT INTO ingest.payment (provider, payment_ref, status, events)
           SELECT provider, payment_ref, 'PENDING', 1 FROM unnest($1::text[], $2::text[]) AS a (provider, payment_ref) ORDER BY 1, 2
           ON CONFLICT (provider, payment_ref) DO UPDATE SET changed_at = now()`,
    values: nameColumns(held),
  });
  await settlePayments(tx, held);
}

/** @param names of payments whose rows this transaction holds */
async function settlePayments(tx: Queryable, names: readonly PaymentName[]): Promise<void> {
  if (names.length === 0) {
    return;
  }
  const { rows } = await tx.query<Told>({
    name: "ingest_payment_events",
    text: `SELECT a.provider, a.payment_ref AS "paymentRef", e.status, e.undoes, e.amount::text, e.occurred_at AS "occurredAt"
           FROM unnest($1::text[], $2::text[]) AS a (provider, payment_ref)
           JOIN ingest.event e ON e.payment_ref = a.payment_ref AND coalesce(e.provider, '') = a.provider AND e.repeats IS NULL`,
    values: nameColumns(names),
  });
  const groups = groupedBy(rows, nameText);
  await tx.query({
    name: "ingest_settle_payments",
    text: `UPDATE ingest.payment p SET status = a.status, events = a.events
           FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[]) AS a (provider, payment_ref, status, events)
           WHERE p.provider = a.provider AND p.payment_ref = a.payment_ref`,
    values: stateColumns([...groups.values()].map(stateOf)),
  });
  const gone = names.filter((name) => !groups.has(nameText(name)));
  if (gone.length > 0) {
    await tx.query({
      name: "ingest_forget_payments",
      text: `DELETE FROM ingest.payment p USING unnest($1::text[], $2::text[]) AS a (provider, payment_ref)
             WHERE p.provider = a.provider AND p.payment_ref = a.payment_ref`,
      values: nameColumns(gone),
    });
  }
}

interface State extends PaymentName {
  readonly status: StatusCategory;
  readonly events: number;
}

/** @param told events of one payment. Sorted, so that of two at one time the same one decides, whichever came first. */
function stateOf(told: readonly Told[]): State {
  const { provider, paymentRef } = told[0] as Told;
  const sorted = told.toSorted(
    (a, b) => timeOf(a) - timeOf(b) || (a.status < b.status ? -1 : Number(a.status > b.status)),
  );
  return { provider, paymentRef, status: currentState(sorted), events: told.length };
}

const timeOf = ({ occurredAt }: Told): number => occurredAt?.getTime() ?? 0;

const byName = (a: PaymentName, b: PaymentName): number => (nameText(a) < nameText(b) ? -1 : 1);

const nameColumns = (names: readonly PaymentName[]): unknown[] => [
  names.map(({ provider }) => provider),
  names.map(({ paymentRef }) => paymentRef),
];

const stateColumns = (states: readonly State[]): unknown[] => [
  ...nameColumns(states),
  states.map(({ status }) => status),
  states.map(({ events }) => events),
];
