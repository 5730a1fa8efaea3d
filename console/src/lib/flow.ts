import type { Overview, Queue } from "../../../services/console/contracts/overview.js";

/** A module on the way of a message, with what lies in its queues. */
export interface Stop {
  readonly module: string;
  readonly title: string;
  /** The page that shows what it does. */
  readonly page?: string;
}

export interface Lane {
  readonly title: string;
  readonly source: string;
  readonly rateOf: (now: Overview) => number | null;
  readonly unit: string;
  readonly stops: readonly Stop[];
}

/** How things go through the platform, left to right. */
export const LANES: readonly Lane[] = [
  {
    title: "History",
    source: "Runs",
    rateOf: ({ runs }) => runs?.reduce((sum, { rows_per_s }) => sum + rows_per_s, 0) ?? null,
    unit: "rows/s",
    stops: [{ module: "etl", title: "Worker", page: "runs" }],
  },
  {
    title: "Payments",
    source: "Clients",
    rateOf: ({ rates }) => rates?.payments_per_s ?? null,
    unit: "payments/s",
    stops: [
      { module: "payments", title: "Payments", page: "payments" },
      { module: "fraud", title: "Fraud" },
      { module: "wallet", title: "Wallet", page: "wallets" },
    ],
  },
  {
    title: "Partners",
    source: "Partners",
    rateOf: ({ rates }) => rates?.partner_events_per_s ?? null,
    unit: "events/s",
    stops: [
      { module: "collector", title: "Collector" },
      { module: "campaigns", title: "Campaigns", page: "campaigns" },
      { module: "payouts", title: "Payouts", page: "payouts" },
      { module: "reports", title: "Reports", page: "reports" },
    ],
  },
  {
    title: "Providers",
    source: "Providers",
    rateOf: ({ rates }) => rates?.provider_events_per_s ?? null,
    unit: "events/s",
    stops: [{ module: "ingest", title: "Ingest", page: "events" }],
  },
  {
    title: "Windows",
    source: "Reporters",
    rateOf: ({ windows }) => windows?.open ?? null,
    unit: "open windows",
    stops: [
      { module: "monitor-queue", title: "Monitor queue" },
      { module: "monitor", title: "Monitor", page: "windows" },
    ],
  },
];

/** What lies in a module's queues. */
export interface Load {
  readonly waiting: number;
  readonly retried: number;
  readonly dead: number;
  /** Of work queues; they have none: nobody takes what waits. */
  readonly unattended: boolean;
  readonly deadQueue: string | undefined;
}

/** @returns null: the module has no queue */
export function loadOf(module: string, queues: readonly Queue[]): Load | null {
  const own = queues.filter((queue) => queue.module === module);
  if (own.length === 0) {
    return null;
  }
  const of = (kind: Queue["kind"]) => own.filter((queue) => queue.kind === kind);
  const sum = (kind: Queue["kind"]) => of(kind).reduce((total, { messages }) => total + messages, 0);
  return {
    waiting: sum("work"),
    retried: sum("retry"),
    dead: sum("dead_letters"),
    unattended: of("work").some(({ consumers, messages }) => consumers === 0 && messages > 0),
    deadQueue: of("dead_letters").find(({ messages }) => messages > 0)?.name,
  };
}
