import { type Retention, serviceRetention } from "../../lib/runtime/retention.js";

/** No movement can go: the audit sums all of them. */
export const WALLET_RETENTION: readonly Retention[] = [
  { table: "wallet.wallet", keep: "for ever", why: "Movements refer to it; a closed one stays too." },
  { table: "wallet.movement", keep: "for ever", why: "Balances are their sums." },
  {
    table: "wallet.decision",
    keep: "for ever",
    why: "It keeps a payment from being debited twice.",
  },
  {
    table: "wallet.reference",
    keep: "for ever",
    why: "It keeps a credit or withdrawal from being made twice.",
  },
  { table: "wallet.seeding", keep: "for ever", why: "The answer key of seeded wallets." },
  ...serviceRetention("wallet"),
];
