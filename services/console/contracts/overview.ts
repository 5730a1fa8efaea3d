import { z } from "zod";
import { action } from "./actions.js";
import { asOf, count, instant, link } from "./common.js";

const server = z.object({
  state: z.enum(["up", "away", "unknown"]).meta({ description: "unknown: it was not asked yet." }),
  since: instant.meta({ description: "When it came into its state." }),
  as_of: instant
    .nullable()
    .meta({ description: "When it answered last: the age of all that comes from it; null: never." }),
  code: z.string().nullable().meta({ description: "Of the failure, where it is away." }),
});

export const queue = z.object({
  name: z.string(),
  module: z.string(),
  kind: z.enum(["work", "retry", "dead_letters"]),
  messages: count.meta({ description: "Ready ones; those that consumers hold are not among them." }),
  consumers: count,
});
export type Queue = z.output<typeof queue>;

const alert = z.object({
  code: z.string().meta({ description: "Stable: SERVER_AWAY, FIGURES_STALE, DEAD_LETTERS, RUN_STUCK, …" }),
  severity: z.enum(["critical", "warning"]),
  text: z.string(),
  link: link.nullable(),
});
export type Alert = z.output<typeof alert>;

const seconds = z.number().nonnegative();
const rate = z.number().nonnegative();

/** Of a chart; null where the server that tells it was away: what it said before is no point of then. */
const point = z.object({
  at: instant,
  payments_per_s: rate.nullable(),
  partner_events_per_s: rate.nullable(),
  provider_events_per_s: rate.nullable(),
  queued: count.nullable().meta({ description: "Messages in all work queues." }),
});
export type Point = z.output<typeof point>;

/**
 * GET /console/stream, text/event-stream. Events: `overview` (data: Overview, id: its sequence), `heartbeat` (data: `{"at": …}`,
 * every 15 s without another event), `resync` (data: `{}`: what came after Last-Event-ID is not kept any more, so ask GET overview).
 * The newest overview comes at once. 503 OVERLOADED where too many streams are open.
 *
 * GET overview, and the data of the stream's event `overview`, whose id is `sequence`. null stands for what was never told: not
 * zero, which is a figure. What a server told before it went away stays, as old as its `as_of` says.
 */
export const overview = z.object({
  sequence: count,
  servers: z.object({ postgres: server, rabbitmq: server }),
  queues: z.array(queue).nullable(),
  payments_per_s: rate.nullable(),
  rates: z
    .object({
      payments_per_s: rate,
      approved_share: z.number().min(0).max(1).nullable().meta({ description: "Of those decided." }),
      partner_events_per_s: rate,
      provider_events_per_s: rate,
      pagos_per_s: rate,
      window_s: seconds.meta({ description: "Over so many seconds." }),
    })
    .nullable(),
  lag: z
    .object({
      pending_payments: count,
      pending_more: z.boolean().meta({ description: "There are more: they are not counted further." }),
      pending_oldest_s: seconds,
      outbox_events: count,
      outbox_oldest_s: seconds,
      open_pagos: count,
      reports_parked: count,
      reports_applied_at: instant,
    })
    .nullable(),
  runs: z
    .array(
      z.object({
        run: z.string(),
        state: z.enum(["planned", "running"]),
        rows: count,
        share: z.number().min(0).max(1),
        rows_per_s: rate,
        eta_s: seconds.nullable(),
        failures: count,
      }),
    )
    .nullable()
    .meta({ description: "Those under way." }),
  workers: z
    .array(z.object({ id: z.string(), started_at: instant, heartbeat_at: instant, silent: z.boolean() }))
    .nullable(),
  windows: z
    .object({ open: count, pending: count, unknown: count, alerts_last_hour: count })
    .nullable()
    .meta({ description: "Of the monitor." }),
  services: z
    .array(
      z.object({ service: z.string(), alerts: count.meta({ description: "Of its last five windows." }) }),
    )
    .nullable(),
  backup: z
    .object({
      last: z
        .object({
          id: z.string(),
          kind: z.enum(["dump", "base"]),
          state: z.enum(["completed", "failed"]),
          finished_at: instant,
          bytes: z.string().nullable(),
        })
        .nullable(),
      drill: z
        .object({
          backup_id: z.string(),
          state: z.enum(["passed", "failed"]),
          finished_at: instant,
          restore_ms: count.nullable(),
        })
        .nullable(),
    })
    .nullable(),
  audit: z
    .object({ finished_at: instant, differences: count })
    .nullable()
    .meta({ description: "The latest payments audit; null: never, or not known." }),
  actions: z.array(action).nullable().meta({ description: "Those that run." }),
  point: point.meta({ description: "The newest of the history." }),
  alerts: z.array(alert).meta({ description: "Worst first." }),
  ...asOf,
});
export type Overview = z.output<typeof overview>;

/** GET overview/history: the last minutes, oldest first, for charts that begin before the page was opened. */
export const overviewHistory = z.object({ points: z.array(point), ...asOf });

export type OverviewHistory = z.output<typeof overviewHistory>;
