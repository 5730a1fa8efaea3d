import type { ComponentType } from "preact";
import { ActionsPage } from "./actions.js";
import { BackupsPage } from "./backups.js";
import { CampaignPage } from "./campaign.js";
import { CampaignsPage } from "./campaigns.js";
import { DataPage } from "./data.js";
import { EventPage } from "./event.js";
import { EventsPage } from "./events.js";
import { LetterPage } from "./letter.js";
import { NewRunPage } from "./new_run.js";
import { OverviewPage } from "./overview.js";
import type { PageProps } from "./page_props.js";
import { PaymentPage } from "./payment.js";
import { PaymentsPage } from "./payments.js";
import { PayoutPage } from "./payout.js";
import { PayoutsPage } from "./payouts.js";
import { QueuePage } from "./queue.js";
import { QueuesPage } from "./queues.js";
import { ReportsPage } from "./reports.js";
import { RulesPage } from "./rules.js";
import { RunPage } from "./run.js";
import { RunsPage } from "./runs.js";
import { WalletPage } from "./wallet.js";
import { WalletsPage } from "./wallets.js";
import { WindowPage } from "./window.js";
import { WindowsPage } from "./windows.js";

interface PageOfPattern {
  readonly pattern: string;
  readonly page: ComponentType<PageProps>;
}

export const PAGES: readonly PageOfPattern[] = [
  { pattern: "", page: OverviewPage },
  { pattern: "runs", page: RunsPage },
  { pattern: "runs/new", page: NewRunPage },
  { pattern: "runs/:run", page: RunPage },
  { pattern: "data", page: DataPage },
  { pattern: "payments", page: PaymentsPage },
  { pattern: "payments/:id", page: PaymentPage },
  { pattern: "wallets", page: WalletsPage },
  { pattern: "wallets/:id", page: WalletPage },
  { pattern: "payouts", page: PayoutsPage },
  { pattern: "payouts/:id", page: PayoutPage },
  { pattern: "campaigns", page: CampaignsPage },
  { pattern: "campaigns/:id", page: CampaignPage },
  { pattern: "reports", page: ReportsPage },
  { pattern: "events", page: EventsPage },
  { pattern: "events/:id", page: EventPage },
  { pattern: "rules", page: RulesPage },
  { pattern: "windows", page: WindowsPage },
  { pattern: "windows/:id", page: WindowPage },
  { pattern: "queues", page: QueuesPage },
  { pattern: "queues/:name", page: QueuePage },
  { pattern: "queues/:name/letters/:id", page: LetterPage },
  { pattern: "backups", page: BackupsPage },
  { pattern: "actions", page: ActionsPage },
];

/** A part of the navigation: pages by the first part of their address, with their titles. */
interface Group {
  /** As the lanes of the overview are called; the overview itself has none. */
  readonly title?: string;
  readonly pages: readonly (readonly [name: string, title: string])[];
}

export const NAVIGATION: readonly Group[] = [
  { pages: [["", "Overview"]] },
  {
    title: "History",
    pages: [
      ["runs", "Runs"],
      ["data", "Data"],
    ],
  },
  {
    title: "Payments",
    pages: [
      ["payments", "Payments"],
      ["wallets", "Wallets"],
    ],
  },
  {
    title: "Partners",
    pages: [
      ["campaigns", "Campaigns"],
      ["payouts", "Payouts"],
      ["reports", "Reports"],
    ],
  },
  {
    title: "Providers",
    pages: [
      ["events", "Events"],
      ["rules", "Rules"],
    ],
  },
  {
    title: "Operations",
    pages: [
      ["windows", "Windows"],
      ["queues", "Queues"],
      ["backups", "Backups"],
      ["actions", "Actions"],
    ],
  },
];
