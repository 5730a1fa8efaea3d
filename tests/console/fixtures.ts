import type { Endpoint } from "./fixtures/common.js";
import { EXACT, ID } from "./fixtures/common.js";
import { HISTORY } from "./fixtures/history.js";
import { MONEY } from "./fixtures/money.js";
import { OPERATIONS } from "./fixtures/operations.js";
import { OVERVIEW, overview } from "./fixtures/overview.js";
import { PARTNERS } from "./fixtures/partners.js";
import { PROVIDERS } from "./fixtures/providers.js";

export { EXACT, ID, overview };

/** What the fake server answers, by path; each answer fits its contract, or the tests do not begin. */
export const ENDPOINTS: readonly Endpoint[] = [
  ...OVERVIEW,
  ...HISTORY,
  ...MONEY,
  ...PARTNERS,
  ...PROVIDERS,
  ...OPERATIONS,
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
