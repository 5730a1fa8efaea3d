import type { z } from "zod";
import * as actions from "../../services/console/contracts/actions.js";
import * as queues from "../../services/console/contracts/queues.js";
import * as reports from "../../services/console/contracts/reports.js";
import * as runs from "../../services/console/contracts/runs.js";
import * as sessions from "../../services/console/contracts/session.js";
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

/** What the page may send to each path that does something. */
export const BODIES: readonly (readonly [path: RegExp, schema: z.ZodType])[] = [
  [/^session$/, sessions.signIn],
  [/^runs\/preview$/, runs.runPreviewRequest],
  [/^runs$/, runs.runStart],
  [/^letters\/preview$/, queues.letterPreviewRequest],
  [/^letters\/(replay|abandon)$/, queues.letterAction],
  [/^reports\/switch$/, reports.reportSwitch],
  [/^(runs|months|mappings)\/[^/]+\/(resume|cancel|verify|heal|accept|reject)$/, actions.actionRequest],
];

/** Pages with their headings, and what their pictures are called: each is opened with data, empty and with its server away. */
export const PAGES: readonly (readonly [hash: string, heading: string, picture: string])[] = [
  ["#/", "Overview", "overview"],
  ["#/runs", "Runs", "runs"],
  ["#/runs/new", "Start a run", "run-new"],
  ["#/runs/r7", "Run r7", "run"],
  ["#/data", "Data", "data"],
  ["#/payments", "Payments", "payments"],
  [`#/payments/${ID.payment}`, `Payment ${ID.payment}`, "payment"],
  ["#/wallets", "Wallets", "wallets"],
  [`#/wallets/${ID.wallet}`, `Wallet ${ID.wallet}`, "wallet"],
  ["#/payouts", "Payouts", "payouts"],
  [`#/payouts/${ID.pago}`, `Payout ${ID.pago}`, "payout"],
  ["#/campaigns", "Campaigns", "campaigns"],
  [`#/campaigns/${ID.campaign}`, "Campaign Autumn", "campaign"],
  ["#/reports", "Reports", "reports"],
  ["#/events", "Events of providers", "events"],
  [`#/events/${ID.event}`, `Event ${ID.event}`, "event"],
  ["#/rules", "Rules and mappings", "rules"],
  ["#/windows", "Windows of reports", "windows"],
  [`#/windows/${ID.window}`, `Window ${ID.window}`, "window"],
  ["#/queues", "Queues and dead letters", "queues"],
  ["#/queues/wallet.dlq", "Queue wallet.dlq", "queue"],
  [`#/queues/wallet.dlq/letters/${ID.letter}`, `Dead letter ${ID.letter}`, "letter"],
  ["#/backups", "Backups", "backups"],
  ["#/actions", "Actions", "actions"],
  // Not after Data: the heading would stand there before the page does.
  ["#/data?by=shapes", "Data", "data-shapes"],
];
