import type { Alert, Overview } from "../contracts/overview.js";

/** A heartbeat comes every few seconds; after this a worker's work is given to others. */
export const SILENT_MS = 30_000;
const PENDING_LATE_S = 60;
const OUTBOX_LATE_S = 30;
/** A day, and what a backup may take. */
const BACKUP_OLD_MS = 26 * 3_600_000;

/** Whether PostgreSQL tells what is asked besides the pulse; each may fail alone, for a right, a lock or a limit of time. */
export interface Figures {
  readonly runs: Overview["servers"]["postgres"];
  readonly standing: Overview["servers"]["postgres"];
}

/** What a person should look at, worst first. Of what was never told nothing is said. */
export function alertsOf(seen: Omit<Overview, "alerts" | "point">, figures?: Figures): Alert[] {
  const alerts = [
    ...servers(seen),
    ...(figures === undefined || seen.servers.postgres.state === "away" ? [] : stale(figures)),
    ...queues(seen.queues ?? []),
    ...runs(seen.runs ?? []),
    ...lag(seen.lag),
    ...workers(seen.workers ?? []),
    ...services(seen.services ?? []),
    ...backup(seen.backup, Date.parse(seen.as_of)),
    ...audit(seen.audit),
  ];
  const isLater = ({ severity }: Alert) => Number(severity !== "critical");
  return alerts.toSorted((a, b) => isLater(a) - isLater(b));
}

type Found = Iterable<Alert>;

const alert = (
  severity: Alert["severity"],
  code: string,
  text: string,
  link: Alert["link"] = null,
): Alert => ({ severity, code, text, link });

function* servers({ servers: { postgres, rabbitmq } }: Pick<Overview, "servers">): Found {
  for (const [name, { state, code }] of Object.entries({ PostgreSQL: postgres, RabbitMQ: rabbitmq })) {
    if (state === "away") {
      yield alert("critical", "SERVER_AWAY", `${name} does not answer${code === null ? "" : ` (${code})`}`);
    }
  }
}

function* stale({ runs, standing }: Figures): Found {
  const told = {
    "runs and actions": runs,
    "outboxes, windows, workers, backups and the audit": standing,
  };
  for (const [what, { state, as_of, code }] of Object.entries(told)) {
    if (state === "away") {
      const since = as_of === null ? "were never told" : `are as of ${as_of}`;
      yield alert("warning", "FIGURES_STALE", `${what} ${since}${code === null ? "" : ` (${code})`}`);
    }
  }
}

function* queues(all: NonNullable<Overview["queues"]>): Found {
  for (const { name, kind, messages, consumers } of all) {
    const link = { kind: "queue", id: name, label: name } as const;
    if (kind === "dead_letters" && messages > 0) {
      yield alert(
        "warning",
        "DEAD_LETTERS",
        `${messages} dead letter${messages === 1 ? "" : "s"} in ${name}`,
        link,
      );
    }
    if (kind === "work" && messages > 0 && consumers === 0) {
      yield alert("critical", "NO_CONSUMER", `nobody takes the ${messages} message(s) in ${name}`, link);
    }
  }
}

function* runs(all: NonNullable<Overview["runs"]>): Found {
  for (const { run, failures } of all.filter((each) => each.failures > 0)) {
    const link = { kind: "run", id: run, label: run } as const;
    yield alert("critical", "RUN_STUCK", `${run} waits for ${failures} step(s) that failed for good`, link);
  }
}

function* lag(seen: Overview["lag"]): Found {
  if (seen === null) {
    return;
  }
  if (seen.pending_oldest_s > PENDING_LATE_S) {
    yield alert("warning", "PAYMENTS_LATE", `a payment waits since ${Math.round(seen.pending_oldest_s)} s`);
  }
  if (seen.outbox_oldest_s > OUTBOX_LATE_S) {
    yield alert("warning", "EVENTS_UNSENT", `${seen.outbox_events} event(s) wait to be published`);
  }
  if (seen.reports_parked > 0) {
    const link = { kind: "reports", id: "", label: "reports" } as const;
    yield alert("warning", "REPORTS_PARKED", `${seen.reports_parked} payout(s) are in no report yet`, link);
  }
}

function* workers(all: NonNullable<Overview["workers"]>): Found {
  for (const { id } of all.filter(({ silent }) => silent)) {
    yield alert("warning", "WORKER_SILENT", `worker ${id} gives no sign of life`);
  }
}

function* services(all: NonNullable<Overview["services"]>): Found {
  for (const { service, alerts } of all.filter((each) => each.alerts > 0)) {
    yield alert(
      "warning",
      "REPORTS_MISSED",
      `${service} missed reports in ${alerts} of its last five windows`,
    );
  }
}

function* backup(seen: Overview["backup"], now: number): Found {
  if (seen?.last?.state === "failed") {
    yield alert("critical", "BACKUP_FAILED", `the latest backup failed: ${seen.last.id}`);
  } else if (seen?.last != null && now - Date.parse(seen.last.finished_at) > BACKUP_OLD_MS) {
    yield alert("warning", "BACKUP_OLD", `the latest backup is older than a day: ${seen.last.id}`);
  }
  if (seen?.drill?.state === "failed") {
    yield alert("critical", "DRILL_FAILED", `backup ${seen.drill.backup_id} could not be restored`);
  }
}

function* audit(seen: Overview["audit"]): Found {
  if (seen !== null && seen.differences > 0) {
    yield alert("critical", "AUDIT_DIFFERENCES", `the latest audit found ${seen.differences} difference(s)`);
  }
}
