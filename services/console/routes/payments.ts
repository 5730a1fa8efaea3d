import { z } from "zod";
import { hexOf, isUuid } from "../../../lib/domain/ids.js";
import { formatAmount } from "../../../lib/domain/money.js";
import { keyset } from "../../../lib/http/page.js";
import type { Link } from "../contracts/common.js";
import { type Payment, paymentDetail, paymentList, paymentQuery } from "../contracts/payments.js";
import { known } from "../errors.js";
import { eventsNaming } from "../store/event.js";
import { bodyOfLetter, lettersOf } from "../store/letter.js";
import {
  type CausedMovementRow,
  type DecisionRow,
  findDecision,
  findPayment,
  listPayments,
  movementsBy,
  type PaymentRow,
  type StepRow,
  stepsOf,
} from "../store/payment.js";
import type { Resources } from "./resources.js";
import { look } from "./route.js";

const pages = keyset("console payments", { id: z.uuid() });

export const getPayments = (resources: Resources) =>
  look(resources, {
    path: "/payments",
    summary: "Payments, newest first",
    request: { query: paymentQuery.extend({ cursor: pages.query.cursor }) },
    answer: paymentList,
    handle: async ({ query: { cursor, ...filter } }) => {
      if (filter.id !== undefined && !isUuid(filter.id)) {
        return { items: [], next: null };
      }
      const { rows, next } = await listPayments(resources.reads, { ...filter, before: cursor?.id });
      return {
        items: rows.map(bodyOf),
        next: next === undefined ? null : pages.cursorAt({ id: String(next) }),
      };
    },
  });

export const getPayment = (resources: Resources) =>
  look(resources, {
    path: "/payments/:id",
    summary: "A payment, and all that belongs to it",
    request: { params: z.object({ id: z.uuid().toLowerCase() }) },
    answer: paymentDetail,
    handle: async ({ params: { id } }) => {
      const { pool } = resources;
      const payment = known(await findPayment(pool, id), `payment ${id}`);
      // A refund is asked for later, by a request with a trace of its own.
      const steps = await stepsOf(pool, id);
      const traces = new Set([payment, ...steps].map(({ traceUuid }) => traceUuid));
      const [decision, movements, events, letters] = await Promise.all([
        findDecision(pool, id),
        movementsBy(pool, id),
        eventsNaming(pool, id),
        lettersOf(pool, [...traces]),
      ]);
      return {
        payment: bodyOf(payment),
        timeline: steps.map(stepOf),
        decision: decision === undefined ? null : decisionOf(decision),
        movements: movements.map(movementOf),
        events: events.map(({ id: event, provider, status, receivedAt }) => ({
          ...{ id: event, provider, status },
          received_at: receivedAt.toISOString(),
        })),
        letters: letters.map(bodyOfLetter),
        links: [
          ...(decision?.walletId == null ? [] : [linkTo("wallet", decision.walletId)]),
          ...events.map((event) => linkTo("event", event.id)),
          ...[...new Set(letters.map(({ queue }) => queue))].map((queue) => linkTo("queue", queue)),
        ],
      };
    },
  });

const linkTo = (kind: Link["kind"], id: string): Link => ({
  ...{ kind, id },
  label: isUuid(id) ? `${kind} ${id.slice(0, 8)}` : id,
});

const bodyOf = (row: PaymentRow): Payment => ({
  id: row.id,
  customer_id: row.customerId,
  reference: row.reference,
  amount: formatAmount(row.amount, row.currency),
  refunded: formatAmount(row.refunded, row.currency),
  currency: row.currency,
  method: row.method,
  state: row.state,
  awaiting: row.awaiting,
  reason: row.reason,
  trace_id: hexOf(row.traceUuid),
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});

const stepOf = (row: StepRow) => ({
  at: row.takenAt.toISOString(),
  state: row.state,
  awaiting: row.awaiting,
  event: row.event,
  message_id: row.messageId,
  trace_id: hexOf(row.traceUuid),
});

const decisionOf = (row: DecisionRow) => ({
  outcome: row.outcome,
  reason: row.reason,
  wallet_id: row.walletId,
  refunded: row.currency === null ? null : formatAmount(row.refunded, row.currency),
  decided_at: row.decidedAt.toISOString(),
});

const movementOf = (row: CausedMovementRow) => ({
  id: row.id,
  kind: row.kind,
  amount: formatAmount(row.amount, row.currency),
  currency: row.currency,
  moved_at: row.movedAt.toISOString(),
});
