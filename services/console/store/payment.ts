import { LAST_ID } from "../../../lib/domain/ids.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Payment } from "../contracts/payments.js";
import { type Walked, walk } from "./walk.js";

export interface PaymentRow {
  readonly id: string;
  readonly customerId: string;
  readonly reference: string | null;
  readonly amount: bigint;
  readonly refunded: bigint;
  readonly currency: string;
  readonly method: string;
  readonly state: Payment["state"];
  readonly awaiting: Payment["awaiting"];
  readonly reason: string | null;
  /** With dashes. */
  readonly traceUuid: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const COLUMNS = `payment_id AS id, customer_id AS "customerId", reference, amount, refunded, currency, method, state, awaiting, reason,
  trace_id AS "traceUuid", created_at AS "createdAt", updated_at AS "updatedAt"`;

export interface PaymentFilter {
  readonly id?: string | undefined;
  readonly reference?: string | undefined;
  readonly customer?: string | undefined;
  readonly state?: Payment["state"] | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** The id where the page before ended. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Newest first. */
export const listPayments = (
  db: Queryable,
  { id, customer, reference, state, from, to, before = LAST_ID, limit }: PaymentFilter,
): Promise<Walked<PaymentRow>> =>
  walk<PaymentRow>(db, {
    ...{ view: "saga.console_payment", columns: COLUMNS, id: "payment_id", before, limit },
    led: [
      id === undefined ? undefined : [(place) => `payment_id = ${place}`, id],
      customer === undefined ? undefined : [(place) => `customer_id = ${place}`, customer],
      from === undefined ? undefined : [(place) => `payment_id >= ops.uuid_floor(${place})`, from],
      to === undefined ? undefined : [(place) => `payment_id < ops.uuid_floor(${place})`, to],
    ],
    filters: { state, reference },
  });

export async function findPayment(db: Queryable, id: string): Promise<PaymentRow | undefined> {
  const { rows } = await db.query<PaymentRow>({
    name: "console_payment",
    text: `SELECT ${COLUMNS} FROM saga.console_payment WHERE payment_id = $1`,
    values: [id],
  });
  return rows[0];
}

export interface StepRow {
  readonly takenAt: Date;
  readonly state: Payment["state"];
  readonly awaiting: string | null;
  readonly event: string;
  readonly messageId: string;
  readonly traceUuid: string;
}

/** Oldest first. */
export async function stepsOf(db: Queryable, id: string): Promise<readonly StepRow[]> {
  const { rows } = await db.query<StepRow>({
    name: "console_steps",
    text: `SELECT taken_at AS "takenAt", state, awaiting, event, message_id AS "messageId", trace_id AS "traceUuid"
           FROM saga.console_step WHERE payment_id = $1 ORDER BY taken_at, message_id LIMIT 1000`,
    values: [id],
  });
  return rows;
}

export interface DecisionRow {
  readonly outcome: "approved" | "declined" | "cancelled";
  readonly reason: string;
  readonly walletId: string | null;
  readonly currency: string | null;
  readonly refunded: bigint;
  readonly decidedAt: Date;
}

export async function findDecision(db: Queryable, id: string): Promise<DecisionRow | undefined> {
  const { rows } = await db.query<DecisionRow>({
    name: "console_decision",
    text: `SELECT outcome, reason, wallet_id AS "walletId", currency, refunded, decided_at AS "decidedAt"
           FROM wallet.console_decision WHERE payment_id = $1`,
    values: [id],
  });
  return rows[0];
}

export interface CausedMovementRow {
  readonly id: string;
  readonly kind: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly movedAt: Date;
}

/** A payment's debit and refunds, oldest first. */
export async function movementsBy(db: Queryable, id: string): Promise<readonly CausedMovementRow[]> {
  const { rows } = await db.query<CausedMovementRow>({
    name: "console_caused",
    text: `SELECT movement_id AS id, kind, amount, currency, moved_at AS "movedAt"
           FROM wallet.console_movement WHERE cause_id = $1 ORDER BY moved_at, movement_id LIMIT 1000`,
    values: [id],
  });
  return rows;
}
