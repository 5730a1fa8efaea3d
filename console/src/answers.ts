import type { z } from "zod";
import type { backups } from "../../services/console/contracts/backups.js";
import type { campaignDetail } from "../../services/console/contracts/campaigns.js";
import type { months } from "../../services/console/contracts/data.js";
import type { eventDetail, rules } from "../../services/console/contracts/events.js";
import type { pagoDetail } from "../../services/console/contracts/pagos.js";
import type { paymentDetail } from "../../services/console/contracts/payments.js";
import type {
  letterDetail,
  letterList,
  letterPreview,
  queues,
  recordedLetter,
} from "../../services/console/contracts/queues.js";
import type { runDetail, runPreview } from "../../services/console/contracts/runs.js";
import type { movementList, walletDetail } from "../../services/console/contracts/wallets.js";
import type { windowDetail } from "../../services/console/contracts/windows.js";

// Types of answers that the contracts give as schemas only; no schema comes into the page itself.
export type Backups = z.output<typeof backups>;
export type CampaignDetail = z.output<typeof campaignDetail>;
export type Months = z.output<typeof months>;
export type EventDetail = z.output<typeof eventDetail>;
export type Rules = z.output<typeof rules>;
export type PagoDetail = z.output<typeof pagoDetail>;
export type PaymentDetail = z.output<typeof paymentDetail>;
export type RecordedLetter = z.output<typeof recordedLetter>;
export type LetterDetail = z.output<typeof letterDetail>;
export type LetterList = z.output<typeof letterList>;
export type LetterPreview = z.output<typeof letterPreview>;
export type Queues = z.output<typeof queues>;
export type RunDetail = z.output<typeof runDetail>;
export type RunPreview = z.output<typeof runPreview>;
export type MovementList = z.output<typeof movementList>;
export type WalletDetail = z.output<typeof walletDetail>;
export type WindowDetail = z.output<typeof windowDetail>;

/** A list's page, whatever it lists. */
export interface ListOf<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
  readonly as_of: string;
}
