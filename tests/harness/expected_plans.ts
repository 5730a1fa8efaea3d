import type { PlanShape } from "./plan.js";

/** Whom the queries ask about: the account and the merchant with most rows, a purchase that was given back. */
export interface Busy {
  readonly account: number;
  readonly merchant: number;
  readonly purchase: number;
  readonly purchased_at: string;
}

const YEAR = Array.from({ length: 12 }, (_, i) => `2025_${String(i + 1).padStart(2, "0")}`);
const LEAF = '"payments"."txn_2025_06"';
export const LAST_ID = "9223372036854775807";

/** A query, how it must be run, and what must not go unnoticed: a statement before it, or a piece of it replaced. */
interface Expected {
  readonly query: string;
  readonly parameters: (busy: Busy) => readonly (string | number)[];
  readonly plan: Partial<PlanShape>;
  readonly spoilt: readonly (string | readonly [piece: string, by: string])[];
}

const withoutKey = (table: string) => `ALTER TABLE payments.${table} DROP CONSTRAINT ${table}_pkey CASCADE`;
const onlyIndexes = (indexes: readonly string[], leaves: readonly string[] = []) => ({
  leaves,
  indexes,
  seqScans: [],
});

export const SERVING: readonly Expected[] = [
  {
    query: "authorisation_lookup",
    parameters: (busy) => [busy.account, 1_234],
    plan: onlyIndexes(["account_pkey", "merchant_pkey", "terminal_pkey"]),
    spoilt: [withoutKey("account"), withoutKey("merchant"), withoutKey("terminal")],
  },
  {
    query: "account_statement",
    parameters: (busy) => [busy.account, "2025-04-01", LAST_ID],
    plan: onlyIndexes(["txn_account_idx"], YEAR.slice(0, 4)),
    spoilt: [
      "DROP INDEX payments.txn_account_idx",
      ["AND occurred_at <= $2", ""],
      ["account_id =", "0 + account_id ="],
    ],
  },
  {
    query: "merchant_day",
    parameters: (busy) => [busy.merchant, "2025-06-14"],
    plan: { ...onlyIndexes(["txn_merchant_idx"], ["2025_06"]), sortedRows: 0 },
    spoilt: [
      "DROP INDEX payments.txn_merchant_idx",
      ["occurred_at >= $2::date::timestamp AT TIME ZONE 'UTC'", "occurred_at::date >= $2::date"],
      ["ORDER BY occurred_at", "ORDER BY amount"],
    ],
  },
  {
    query: "refund_lookup",
    parameters: (busy) => [busy.purchase, busy.purchased_at],
    plan: onlyIndexes(["txn_original_idx"], YEAR.slice(8)),
    spoilt: ["DROP INDEX payments.txn_original_idx", ["occurred_at >= $2", "occurred_at - $2 >= '0'"]],
  },
  {
    query: "merchant_quarter",
    parameters: (busy) => [busy.merchant, "2025-04-01"],
    plan: onlyIndexes(["agg_merchant_day_pkey"]),
    spoilt: [withoutKey("agg_merchant_day"), ["merchant_id = $1", "0 + merchant_id = $1"]],
  },
  {
    query: "network_hours",
    parameters: () => ["2025-06-14"],
    plan: onlyIndexes(["agg_network_hour_pkey"]),
    spoilt: [withoutKey("agg_network_hour"), ["month = date_trunc", "month <> date_trunc"]],
  },
  {
    query: "top_merchants",
    parameters: () => ["2025-06-01", "EUR"],
    plan: onlyIndexes(["agg_merchant_day_pkey", "merchant_pkey"]),
    spoilt: [withoutKey("agg_merchant_day"), ["month = $1", "month + 0 = $1"]],
  },
  {
    query: "approval_rate",
    parameters: () => ["2025-06-01"],
    plan: onlyIndexes(["agg_network_hour_pkey"]),
    spoilt: [withoutKey("agg_network_hour"), ["month = $1", "month + 0 = $1"]],
  },
  {
    query: "fraud_share",
    parameters: () => ["2025-06-01"],
    plan: { leaves: [], indexes: ["agg_merchant_day_pkey"], seqScans: ["merchant"] },
    spoilt: [withoutKey("agg_merchant_day"), ["month = $1", "month + 0 = $1"]],
  },
];

const BY_LEAF = "SET LOCAL enable_partitionwise_aggregate = off";
export const INTEGRITY: readonly Expected[] = [
  {
    query: "integrity_counts",
    parameters: () => [],
    plan: { leaves: YEAR, byLeaf: true },
    spoilt: [BY_LEAF, ["GROUP BY tableoid", "GROUP BY tableoid, date_trunc('month', occurred_at)"]],
  },
  {
    query: "integrity_sums",
    parameters: () => [],
    plan: { leaves: YEAR, byLeaf: true },
    spoilt: [BY_LEAF],
  },
  {
    query: "integrity_duplicates",
    parameters: () => [],
    plan: { ...onlyIndexes(["txn_pkey"], YEAR), sortedRows: 0 },
    spoilt: [withoutKey("txn"), ["GROUP BY txn_id", "GROUP BY txn_id, currency"]],
  },
  {
    query: "verify_references",
    parameters: () => [],
    plan: { leaves: ["2025_06"], sortedRows: 0 },
    spoilt: [[`FROM ${LEAF}`, "FROM payments.txn"]],
  },
];
