import type { z } from "zod";
import * as actions from "../../console/src/contracts/actions.js";
import * as backups from "../../console/src/contracts/backups.js";
import * as campaigns from "../../console/src/contracts/campaigns.js";
import * as data from "../../console/src/contracts/data.js";
import * as events from "../../console/src/contracts/events.js";
import * as overviews from "../../console/src/contracts/overview.js";
import * as pagos from "../../console/src/contracts/pagos.js";
import * as payments from "../../console/src/contracts/payments.js";
import * as queues from "../../console/src/contracts/queues.js";
import * as reports from "../../console/src/contracts/reports.js";
import * as runs from "../../console/src/contracts/runs.js";
import * as sessions from "../../console/src/contracts/session.js";
import * as wallets from "../../console/src/contracts/wallets.js";
import * as windows from "../../console/src/contracts/windows.js";

/** Ids by what they name; each is another one, and all are longer than a number is exact. */
export const ID = {
  payment: "01977f3c-9a10-7d31-8c55-0242ac120002",
  wallet: "01977f3c-9a10-7d31-8c55-0242ac120003",
  pago: "01977f3c-9a10-7d31-8c55-0242ac120004",
  campaign: "01977f3c-9a10-7d31-8c55-0242ac120005",
  event: "01977f3c-9a10-7d31-8c55-0242ac120006",
  window: "01977f3c-9a10-7d31-8c55-0242ac120007",
  letter: "01977f3c-9a10-7d31-8c55-0242ac120008",
  action: "01977f3c-9a10-7d31-8c55-0242ac120009",
  mapping: "01977f3c-9a10-7d31-8c55-0242ac12000a",
  movement: "01977f3c-9a10-7d31-8c55-0242ac12000b",
  message: "01977f3c-9a10-7d31-8c55-0242ac12000c",
} as const;
const TRACE = "0af7651916cd43dd8448eb211c80319c";
/** As numbers these would be other ones: 9007199254740993 is 2^53 + 1. */
export const EXACT = { amount: "9007199254740993.10", shown: "9,007,199,254,740,993.10 USD" } as const;

const AT = "2026-11-27T00:53:15.123456Z";
const LATER = "2026-11-27T00:53:16.500000Z";
const as_of = "2026-11-27T00:53:20.000Z";

/** A list's page in its two forms. */
const listed = (...items: unknown[]) => ({
  full: { items, next: null, as_of },
  empty: { items: [], next: null, as_of },
});

const payment = {
  id: ID.payment,
  customer_id: "customer-123",
  reference: "order-1",
  amount: EXACT.amount,
  refunded: "0.00",
  currency: "USD",
  method: "credit_card",
  state: "APPROVED",
  awaiting: null,
  reason: null,
  trace_id: TRACE,
  created_at: AT,
  updated_at: LATER,
};
const recordedLetter = {
  queue: "wallet.dlq",
  consumer: "wallet-service-wallet-debit-requested-consumer",
  event: "wallet.debit.requested",
  message_id: ID.letter,
  code: "UNKNOWN_WALLET",
  last_code: "UNKNOWN_WALLET",
  attempts: 4,
  recorded_at: AT,
  done: null,
};
const wallet = {
  id: ID.wallet,
  user_id: "customer-123",
  currency: "USD",
  balance: "1000000.00",
  created_at: AT,
  updated_at: LATER,
  closed_at: null,
};
const pago = {
  id: ID.pago,
  id_afiliado: "afiliado-1",
  referencia_pago: "mayo-1",
  monto: "25.00",
  moneda: "EUR",
  estado: "EXITOSO",
  motivo: null,
  devuelto: true,
  trace_id: TRACE,
  created_at: AT,
  updated_at: LATER,
};
const campaign = {
  id: ID.campaign,
  name: "Autumn",
  state: "ACTIVE",
  currency: "USD",
  budget: "10000.00",
  spend: "2500.50",
  spent_share: 0.25005,
  impressions: 120_000,
  clicks: 3_400,
  conversions: 120,
  starts_at: AT,
  ends_at: null,
  created_at: AT,
  updated_at: LATER,
};
const event = {
  id: ID.event,
  provider: "stripe",
  source: "api",
  status: "APPROVED",
  method: "rule",
  confidence: 0.98,
  rule: "stripe.payment_intent",
  code: null,
  amount: "50.00",
  currency: "USD",
  amount_usd: "50.00",
  payment_ref: "pi_3",
  merchant: "Acme Corp",
  country: "US",
  occurred_at: AT,
  received_at: LATER,
};
const run = {
  run: "r7",
  state: "running",
  rows: 1_000_000,
  seed: 42,
  from: "2025-01-01",
  to: "2025-04-01",
  dirt_rate: 0.01,
  fraud_rate: 0.002,
  chunk_rows: 20_000,
  chunks: { total: 50, staged: 30, cleaned: 25 },
  months_done: 1,
  months_total: 3,
  accepted: 500_000,
  repaired: 2_500,
  rejected: 2_400,
  share: 0.5,
  elapsed_s: 12.5,
  rows_per_s: 40_000,
  eta_s: 13,
  idle_s: 0.4,
  created_at: AT,
  finished_at: null,
};
const action = {
  action_id: ID.action,
  kind: "letters.replay",
  subject: "wallet.dlq",
  state: "done",
  result: { replayed: 3 },
  failure: null,
  who: "operator",
  why: "the wallet is there now",
  at: AT,
  ended_at: LATER,
};
const mapping = {
  id: ID.mapping,
  rule: "learned.acme.1",
  provider: "acme",
  source: "api",
  format: "json",
  state: "candidate",
  votes: 2,
  confirmations: 7,
  waits_for: "the unit has no evidence",
  decided_by: null,
  created_at: AT,
  changed_at: LATER,
  mapping: { amount: "/amt", unit: "minor" },
};
const window = {
  id: ID.window,
  service: "payments-a",
  state: "ALERT",
  from: AT,
  to: "2026-11-27T00:55:15.000Z",
  deadline: "2026-11-27T00:55:45.000Z",
  interval_ms: 10_000,
  expected: 12,
  received: 9,
  late: 1,
  errors: 1,
  missing: 2,
  conflicts: 0,
  decided_at: LATER,
};
const queueItems = [
  { name: "etl_queue", module: "etl", kind: "work", messages: 12, consumers: 2 },
  { name: "etl_queue.dlq", module: "etl", kind: "dead_letters", messages: 0, consumers: 0 },
  {
    name: "wallet-service-wallet-debit-requested-consumer",
    module: "wallet",
    kind: "work",
    messages: 1_234,
    consumers: 1,
  },
  { name: "wallet.retry.2s", module: "wallet", kind: "retry", messages: 5, consumers: 0 },
  { name: "wallet.dlq", module: "wallet", kind: "dead_letters", messages: 3, consumers: 0 },
  {
    name: "fraud-service-payments-created-consumer",
    module: "fraud",
    kind: "work",
    messages: 7,
    consumers: 0,
  },
];
const letter = {
  id: ID.letter,
  code: "UNKNOWN_WALLET",
  reason: "No wallet of customer-9.",
  attempts: 4,
  event: "wallet.debit.requested",
  from_queue: "wallet-service-wallet-debit-requested-consumer",
  trace_id: TRACE,
  first_failed_at: AT,
  last_failed_at: LATER,
  bytes: 312,
  preview: '{"payment_id":"01977f3c-9a10-7d31-8c55-0242ac120002","amount":"10.00"}',
};
const server = { state: "up", since: AT, as_of, code: null };

export const overview = {
  sequence: 7,
  servers: { postgres: server, rabbitmq: server },
  queues: queueItems,
  payments_per_s: 201.4,
  rates: {
    payments_per_s: 201.4,
    approved_share: 0.9712,
    partner_events_per_s: 12,
    provider_events_per_s: 0,
    pagos_per_s: 3.5,
    window_s: 10,
  },
  lag: {
    pending_payments: 1_000,
    pending_more: true,
    pending_oldest_s: 2.5,
    outbox_events: 0,
    outbox_oldest_s: 0,
    open_pagos: 4,
    reports_parked: 0,
    reports_applied_at: AT,
  },
  runs: [
    { run: "r7", state: "running", rows: 1_000_000, share: 0.5, rows_per_s: 40_000, eta_s: 13, failures: 1 },
  ],
  workers: [{ id: "worker-1", started_at: AT, heartbeat_at: LATER, silent: false }],
  windows: { open: 3, pending: 0, unknown: 0, alerts_last_hour: 1 },
  services: [{ service: "payments-a", alerts: 1 }],
  backup: {
    last: { id: "b1", kind: "dump", state: "completed", finished_at: AT, bytes: "123456789" },
    drill: { backup_id: "b1", state: "passed", finished_at: AT, restore_ms: 4_200 },
  },
  audit: { finished_at: AT, differences: 0 },
  actions: [{ ...action, state: "running", result: null, ended_at: null }],
  alerts: [
    {
      code: "NO_CONSUMER",
      severity: "critical",
      text: "nobody takes the 7 message(s) in fraud-service-payments-created-consumer",
      link: { kind: "queue", id: "fraud-service-payments-created-consumer", label: "the queue" },
    },
    {
      code: "DEAD_LETTERS",
      severity: "warning",
      text: "3 dead letters in wallet.dlq",
      link: { kind: "queue", id: "wallet.dlq", label: "wallet.dlq" },
    },
  ],
  as_of,
};
/** Nothing told yet: both servers are not asked, so all that comes from them is null. */
const untold = { state: "unknown", since: AT, as_of: null, code: null };
const nothing = {
  ...overview,
  servers: { postgres: untold, rabbitmq: untold },
  ...{ queues: null, payments_per_s: null, rates: null, lag: null, runs: null, workers: null, windows: null },
  ...{ services: null, backup: null, audit: null, actions: null, alerts: [] },
};

const DAYS = Array.from({ length: 31 }, (_, day) => `2025-01-${String(day + 1).padStart(2, "0")}`);

interface Endpoint {
  readonly path: string;
  readonly schema: z.ZodType;
  /** With data of every kind. */
  readonly full: unknown;
  /** With none. */
  readonly empty: unknown;
}

/** What the fake server answers, by path; each answer fits its contract, or the tests do not begin. */
export const ENDPOINTS: readonly Endpoint[] = [
  {
    path: "me",
    schema: sessions.me,
    full: { role: "operator", name: "operator on this machine", password: false, version: "0.1.0", as_of },
    empty: { role: "operator", name: "operator on this machine", password: false, version: "0.1.0", as_of },
  },
  { path: "overview", schema: overviews.overview, full: overview, empty: nothing },
  {
    path: "overview/history",
    schema: overviews.overviewHistory,
    full: {
      points: Array.from({ length: 60 }, (_, second) => ({
        at: `2026-11-27T00:52:${String(second).padStart(2, "0")}.000Z`,
        payments_per_s: second === 30 ? null : 150 + second,
        partner_events_per_s: 12,
        provider_events_per_s: 0,
        queued: second * 20,
      })),
      as_of,
    },
    empty: { points: [], as_of },
  },
  {
    path: "runs",
    schema: runs.runList,
    ...listed(run, { ...run, run: "r6", state: "done", share: 1, eta_s: null }),
  },
  {
    path: "runs/r7",
    schema: runs.runDetail,
    full: {
      ...run,
      months: [
        {
          month: "2025-01",
          rows: 340_000,
          chunks_total: 17,
          chunks_done: 17,
          state: "done",
          finished_at: AT,
        },
        {
          month: "2025-02",
          rows: 320_000,
          chunks_total: 16,
          chunks_done: 8,
          state: "open",
          finished_at: null,
        },
        {
          month: "2025-03",
          rows: 340_000,
          chunks_total: 17,
          chunks_done: 0,
          state: "open",
          finished_at: null,
        },
      ],
      steps: [
        { step: "stage", rows_done: 600_000, busy_s: 3.1, rows_per_s: 193_548 },
        { step: "clean", rows_done: 500_000, busy_s: 0.2, rows_per_s: null },
      ],
      failures: [
        {
          step: "stage",
          chunk: 31,
          month: null,
          code: "CHUNK_CONFLICT",
          reason: "A row of another run.",
          attempts: 4,
          message_id: ID.letter,
          failed_at: LATER,
        },
      ],
      as_of,
    },
    empty: { ...run, months: [], steps: [], failures: [], as_of },
  },
  {
    path: "data/months",
    schema: data.months,
    full: {
      items: ["2025-01", "2025-02"].map((month, at) => ({
        month,
        rows: 340_000 - at * 20_000,
        bytes: "123456789",
        runs: ["r6"],
        published_at: AT,
      })),
      rows: 660_000,
      bytes: "246913578",
      as_of,
    },
    empty: { items: [], rows: 0, bytes: "0", as_of },
  },
  {
    path: "data/rollups",
    schema: data.rollups,
    full: {
      month: "2025-01",
      by: "day",
      groups: DAYS.map((group, day) => ({
        group,
        transactions: 10_000 + day * 100,
        approved: 9_000 + day * 90,
        fraud: 20,
        volume: ["USD", "EUR", "COP"].map((currency) => ({ currency, amount: EXACT.amount })),
      })),
      more: 0,
      sampled: null,
      as_of,
    },
    empty: { month: "2025-01", by: "day", groups: [], more: 0, sampled: null, as_of },
  },
  { path: "payments", schema: payments.paymentList, ...listed(payment) },
  {
    path: `payments/${ID.payment}`,
    schema: payments.paymentDetail,
    full: {
      payment,
      timeline: [
        {
          at: AT,
          state: "PENDING",
          awaiting: "check",
          event: "POST /payments",
          message_id: ID.message,
          trace_id: TRACE,
        },
        {
          at: LATER,
          state: "APPROVED",
          awaiting: null,
          event: "wallet.response",
          message_id: ID.letter,
          trace_id: TRACE,
        },
      ],
      decision: {
        outcome: "approved",
        reason: "success",
        wallet_id: ID.wallet,
        refunded: "0.00",
        decided_at: LATER,
      },
      movements: [{ id: ID.movement, kind: "debit", amount: EXACT.amount, currency: "USD", moved_at: LATER }],
      events: [{ id: ID.event, provider: "stripe", status: "APPROVED", received_at: LATER }],
      letters: [recordedLetter, { ...recordedLetter, message_id: null, done: "replay" }],
      links: [
        { kind: "wallet", id: ID.wallet, label: "USD of customer-123" },
        { kind: "queue", id: "wallet.dlq", label: "wallet.dlq" },
      ],
      as_of,
    },
    empty: {
      payment: { ...payment, state: "PENDING", awaiting: "check" },
      timeline: [],
      decision: null,
      movements: [],
      events: [],
      letters: [],
      links: [],
      as_of,
    },
  },
  { path: "wallets", schema: wallets.walletList, ...listed(wallet) },
  {
    path: `wallets/${ID.wallet}`,
    schema: wallets.walletDetail,
    full: { wallet, links: [{ kind: "payment", id: ID.payment, label: "the last payment" }], as_of },
    empty: { wallet: { ...wallet, balance: "0.00" }, links: [], as_of },
  },
  {
    path: `wallets/${ID.wallet}/movements`,
    schema: wallets.movementList,
    ...listed({
      id: ID.movement,
      kind: "debit",
      direction: "out",
      amount: "10.00",
      currency: "USD",
      payment_id: ID.payment,
      reference: null,
      moved_at: LATER,
    }),
  },
  { path: "pagos", schema: pagos.pagoList, ...listed(pago) },
  {
    path: `pagos/${ID.pago}`,
    schema: pagos.pagoDetail,
    full: {
      pago,
      gateway: { key: "key-1", id: "po_1", sent_at: AT, ended: true, takes: 1 },
      book: {
        paid: { gateway_id: "po_1", monto: "25.00", paid_at: AT },
        returned: { motivo: "account_closed", returned_at: LATER },
      },
      outbox: [{ message_id: ID.message, event: "payments.evt.returned", entered_at: LATER }],
      letters: [recordedLetter],
      links: [{ kind: "campaign", id: ID.campaign, label: "Autumn" }],
      as_of,
    },
    empty: {
      pago: { ...pago, devuelto: false, estado: "PENDIENTE" },
      gateway: null,
      book: { paid: null, returned: null },
      outbox: [],
      letters: [],
      links: [],
      as_of,
    },
  },
  { path: "campaigns", schema: campaigns.campaignList, ...listed(campaign) },
  {
    path: `campaigns/${ID.campaign}`,
    schema: campaigns.campaignDetail,
    full: {
      campaign,
      changes: [{ version: 2, state: "ACTIVE", budget: "10000.00", trace_id: TRACE, changed_at: LATER }],
      as_of,
    },
    empty: { campaign, changes: [], as_of },
  },
  {
    path: "reports",
    schema: reports.reports,
    full: {
      versions: [
        { version: "v1", active: true, url: "/api/reports/payments" },
        { version: "v2", active: false, url: "/api/reports/payments" },
      ],
      active: "v1",
      epoch: 3,
      generation: 2,
      position: "9007199254740993",
      applied_at: LATER,
      parked: 0,
      generations: [{ generation: 2, state: "live", position: "9007199254740993", changed_at: AT }],
      history: [{ epoch: 3, version: "v1", generation: 2, by: "operator", at: AT }],
      as_of,
    },
    empty: {
      versions: [{ version: "v1", active: true, url: "/api/reports/payments" }],
      active: "v1",
      epoch: 1,
      generation: 1,
      position: "0",
      applied_at: LATER,
      parked: 0,
      generations: [],
      history: [],
      as_of,
    },
  },
  {
    path: "events",
    schema: events.eventList,
    ...listed(event, {
      ...event,
      id: ID.message,
      status: "UNPROCESSED",
      code: "UNKNOWN_SHAPE",
      amount: null,
    }),
  },
  {
    path: `events/${ID.event}`,
    schema: events.eventDetail,
    full: {
      event,
      normalised: {
        detail: null,
        reason: "insufficient_funds",
        undoes: null,
        provider_event_id: "evt_1",
        fx_day: "2026-11-26",
        latency_ms: 12,
        attempts: 1,
        retry_at: null,
        repeats: ID.message,
        metadata: { customer: "cus_1" },
      },
      raw: {
        body_id: ID.message,
        encoding: "utf8",
        text: '{"id":"evt_1","amount":5000,"currency":"usd"}',
        bytes: 45,
        cut: false,
        hint: "stripe",
        place: 0,
      },
      provenance: [
        { field: "amount", pointer: "/amount", text: "5000" },
        { field: "country", pointer: "the merchant's row", text: null },
      ],
      payment_status: "APPROVED",
      former: [{ changed_at: AT, cause: "payments rules apply", status: "UNPROCESSED", rule: null }],
      links: [{ kind: "payment", id: ID.payment, label: "the payment" }],
      as_of,
    },
    empty: {
      event: { ...event, status: "UNPROCESSED", amount: null, currency: null },
      normalised: {
        ...{
          detail: "Nobody knows its shape.",
          reason: null,
          undoes: null,
          provider_event_id: null,
          fx_day: null,
        },
        ...{ latency_ms: 3, attempts: 0, retry_at: null, repeats: null, metadata: {} },
      },
      raw: null,
      provenance: [],
      payment_status: null,
      former: [],
      links: [],
      as_of,
    },
  },
  {
    path: "rules",
    schema: events.rules,
    full: {
      version: "12",
      digest: "sha256-1",
      items: [
        { rule: "stripe.payment_intent", provider: "stripe", format: "json", data: { amount: "/amount" } },
      ],
      as_of,
    },
    empty: { version: "0", digest: "none", items: [], as_of },
  },
  { path: "mappings", schema: events.mappingList, ...listed(mapping) },
  { path: "windows", schema: windows.windowList, ...listed(window) },
  {
    path: `windows/${ID.window}`,
    schema: windows.windowDetail,
    full: {
      window,
      slots: [
        { first: 1, last: 6, came: "ok", told: "sent" },
        { first: 7, last: 7, came: "error", told: "sent" },
        { first: 8, last: 9, came: "missing", told: "omitted" },
        { first: 10, last: 10, came: "late", told: "stalled" },
        { first: 11, last: 12, came: "waiting", told: null },
      ],
      compare: {
        ...{ expected: 12, sent: 10, omitted: 2, stalled: 0, unknown: 0, came: 10 },
        ...{ came_without_being_sent: 0, sent_without_coming: 0 },
      },
      as_of,
    },
    empty: { window: { ...window, late: null }, slots: null, compare: null, as_of },
  },
  {
    path: "queues",
    schema: queues.queues,
    full: { items: queueItems, as_of },
    empty: { items: null, as_of },
  },
  {
    path: "queues/wallet.dlq/letters",
    schema: queues.letterList,
    full: { items: [letter], next: null, as_of, total: 3, codes: [{ code: "UNKNOWN_WALLET", letters: 3 }] },
    empty: { items: [], next: null, as_of, total: 0, codes: [] },
  },
  {
    path: `queues/wallet.dlq/letters/${ID.letter}`,
    schema: queues.letterDetail,
    full: {
      letter,
      encoding: "utf8",
      body: letter.preview,
      cut: true,
      properties: { type: "wallet.debit.requested" },
      headers: { "x-attempts": 4 },
      as_of,
    },
    empty: {
      letter: { ...letter, from_queue: null },
      encoding: "utf8",
      body: "",
      cut: false,
      properties: {},
      headers: {},
      as_of,
    },
  },
  {
    path: "backups",
    schema: backups.backups,
    full: {
      backups: [
        {
          id: "b1",
          kind: "dump",
          state: "completed",
          started_at: AT,
          finished_at: LATER,
          bytes: "123456789",
          rows: 660_000,
          failure: null,
        },
        {
          id: "b0",
          kind: "base",
          state: "failed",
          started_at: AT,
          finished_at: LATER,
          bytes: null,
          rows: null,
          failure: "disk full",
        },
      ],
      drills: [
        {
          id: "d1",
          backup_id: "b1",
          place: "database",
          state: "passed",
          started_at: AT,
          finished_at: LATER,
          restore_ms: 4_200,
          verify_ms: 900,
          differences: 0,
          failure: null,
        },
      ],
      wal_archived_at: LATER,
      wal_failures: 0,
      as_of,
    },
    empty: { backups: [], drills: [], wal_archived_at: null, wal_failures: 0, as_of },
  },
  {
    path: "actions",
    schema: actions.actionList,
    ...listed(action, {
      ...action,
      action_id: ID.message,
      state: "failed",
      result: null,
      failure: { code: "BUSY", detail: "Somebody held it.", hint: null },
    }),
  },
];

/** Pages with their headings: each is opened with data, empty and with its server away. */
export const PAGES: readonly (readonly [hash: string, heading: string])[] = [
  ["#/", "Overview"],
  ["#/runs", "Runs"],
  ["#/runs/new", "Start a run"],
  ["#/runs/r7", "Run r7"],
  ["#/data", "Data"],
  ["#/payments", "Payments"],
  [`#/payments/${ID.payment}`, `Payment ${ID.payment}`],
  ["#/wallets", "Wallets"],
  [`#/wallets/${ID.wallet}`, `Wallet ${ID.wallet}`],
  ["#/payouts", "Payouts"],
  [`#/payouts/${ID.pago}`, `Payout ${ID.pago}`],
  ["#/campaigns", "Campaigns"],
  [`#/campaigns/${ID.campaign}`, "Campaign Autumn"],
  ["#/reports", "Reports"],
  ["#/events", "Events of providers"],
  [`#/events/${ID.event}`, `Event ${ID.event}`],
  ["#/rules", "Rules and mappings"],
  ["#/windows", "Windows of reports"],
  [`#/windows/${ID.window}`, `Window ${ID.window}`],
  ["#/queues", "Queues and dead letters"],
  ["#/queues/wallet.dlq", "Queue wallet.dlq"],
  [`#/queues/wallet.dlq/letters/${ID.letter}`, `Dead letter ${ID.letter}`],
  ["#/backups", "Backups"],
  ["#/actions", "Actions"],
];
