import type { Action } from "../contracts/actions.js";
import type { Overview, Point, Queue } from "../contracts/overview.js";
import { MOST_PENDING, type Pulse, STRETCH_S } from "../store/pulse.js";
import type { UnfinishedRow } from "../store/run.js";
import type { Standing } from "../store/standing.js";
import { alertsOf, type Figures, SILENT_MS } from "./alerts.js";

export type ServerState = Overview["servers"]["postgres"];

/** All that the servers have told, each as new as it could be asked for; undefined: it was never told. */
export interface Seen {
  readonly servers: Overview["servers"];
  readonly figures: Figures;
  readonly queues: readonly Queue[] | undefined;
  readonly pulse: Pulse | undefined;
  readonly standing: Standing | undefined;
  readonly runs: readonly UnfinishedRow[] | undefined;
  readonly actions: readonly Action[] | undefined;
}

/** How it stands, in the words of the API. */
export function overviewOf(
  seen: Seen,
  { sequence, at }: { readonly sequence: number; readonly at: Date },
): Overview {
  const { servers, figures, queues = null, pulse, standing, runs, actions = null } = seen;
  const rates = ratesOf(pulse);
  const known: Omit<Overview, "alerts" | "point"> = {
    sequence,
    servers,
    queues: queues && [...queues],
    payments_per_s: rates?.payments_per_s ?? null,
    rates,
    lag: lagOf(pulse, standing),
    runs: runs?.map(runOf) ?? null,
    actions: actions && [...actions],
    ...standingOf(standing),
    as_of: at.toISOString(),
  };
  return { ...known, point: pointOf(known), alerts: alertsOf(known, figures) };
}

/** What a server that is away said before is no point of now. */
function pointOf({ as_of, rates, queues, servers }: Omit<Overview, "alerts" | "point">): Point {
  const told = servers.postgres.state === "up" ? rates : null;
  const work = servers.rabbitmq.state === "up" ? queues?.filter(({ kind }) => kind === "work") : undefined;
  return {
    at: as_of,
    payments_per_s: told?.payments_per_s ?? null,
    partner_events_per_s: told?.partner_events_per_s ?? null,
    provider_events_per_s: told?.provider_events_per_s ?? null,
    queued: work?.reduce((sum, { messages }) => sum + messages, 0) ?? null,
  };
}

const perS = (count: bigint) => Number(count) / STRETCH_S;

function ratesOf(pulse: Pulse | undefined): Overview["rates"] {
  return pulse === undefined
    ? null
    : {
        payments_per_s: perS(pulse.payments),
        approved_share: pulse.decided === 0n ? null : Number(pulse.approved) / Number(pulse.decided),
        partner_events_per_s: perS(pulse.partnerEvents),
        provider_events_per_s: perS(pulse.providerEvents),
        pagos_per_s: perS(pulse.pagos),
        window_s: STRETCH_S,
      };
}

function lagOf(pulse: Pulse | undefined, standing: Standing | undefined): Overview["lag"] {
  return pulse === undefined || standing === undefined
    ? null
    : {
        pending_payments: Number(pulse.pending),
        pending_more: pulse.pending >= BigInt(MOST_PENDING),
        pending_oldest_s: pulse.pendingOldestS,
        outbox_events: Number(standing.outboxEvents),
        outbox_oldest_s: standing.outboxOldestS,
        open_pagos: Number(standing.openPagos),
        reports_parked: Number(standing.parked),
        reports_applied_at: standing.appliedAt.toISOString(),
      };
}

const runOf = (row: UnfinishedRow): NonNullable<Overview["runs"]>[number] => ({
  run: row.run,
  state: row.state,
  rows: Number(row.rows),
  share: Math.min(1, row.share),
  rows_per_s: rowsPerS(row),
  eta_s: row.etaS,
  failures: Number(row.failures),
});

/** Through all three steps, since planning. */
export const rowsPerS = ({
  share,
  rows,
  elapsedS,
}: Pick<UnfinishedRow, "share" | "rows" | "elapsedS">): number =>
  elapsedS > 0 ? (share * Number(rows)) / elapsedS : 0;

/** One that was given up, and whose work others do, is no news. */
const workersOf = (workers: Standing["workers"]): NonNullable<Overview["workers"]> => {
  const all = workers.map((worker) => ({ ...worker, silent: worker.reaped || worker.silentMs > SILENT_MS }));
  const isDone = all.some(({ silent }) => !silent);
  return all
    .filter(({ reaped }) => !(reaped && isDone))
    .map(({ id, startedAt, heartbeatAt, silent }) => ({
      ...{ id, silent },
      started_at: startedAt.toISOString(),
      heartbeat_at: heartbeatAt.toISOString(),
    }));
};

function standingOf(
  standing: Standing | undefined,
): Pick<Overview, "workers" | "windows" | "services" | "backup" | "audit"> {
  if (standing === undefined) {
    return { workers: null, windows: null, services: null, backup: null, audit: null };
  }
  const { backup, drill, auditAt, differences } = standing;
  return {
    workers: workersOf(standing.workers),
    windows: {
      open: Number(standing.openWindows),
      pending: Number(standing.pendingWindows),
      unknown: Number(standing.unknownWindows),
      alerts_last_hour: Number(standing.alertsLastHour),
    },
    services: standing.services.map(({ service, alerts }) => ({ service, alerts: Number(alerts) })),
    backup: {
      last:
        backup === undefined
          ? null
          : {
              id: backup.id,
              kind: backup.kind,
              state: backup.state,
              finished_at: backup.finishedAt.toISOString(),
              bytes: backup.bytes === null ? null : String(backup.bytes),
            },
      drill:
        drill === undefined
          ? null
          : {
              backup_id: drill.backupId,
              state: drill.state,
              finished_at: drill.finishedAt.toISOString(),
              restore_ms: drill.restoreMs,
            },
    },
    audit: auditAt === null ? null : { finished_at: auditAt.toISOString(), differences: Number(differences) },
  };
}

/** What changes slowly is that old at most. */
export const ASKED_EVERY_MS = 10_000;
