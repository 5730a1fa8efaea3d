import { expect, it } from "vitest";
import type { Overview } from "../contracts/overview.js";
import { alertsOf } from "./alerts.js";
import { overviewOf, type Seen } from "./overview.js";

const AT = new Date("2026-01-02T00:00:00Z");
const up = { state: "up", since: AT.toISOString(), as_of: AT.toISOString(), code: null } as const;
const unseen = {
  ...{ queues: undefined, pulse: undefined, standing: undefined, runs: undefined, actions: undefined },
  servers: { postgres: up, rabbitmq: up },
  figures: { runs: up, standing: up },
};
const nothing = overviewOf(unseen, { sequence: 1, at: AT });

const codesOf = (seen: Partial<Overview>) => alertsOf({ ...nothing, ...seen }).map(({ code }) => code);

it("of what was never told nothing is said: neither alerts nor zeros", () => {
  expect(nothing).toMatchObject({ alerts: [], queues: null, payments_per_s: null, lag: null, workers: null });
});

const queue = { name: "q", module: "m", messages: 3, consumers: 1 };
const lag = {
  ...{
    pending_payments: 0,
    pending_more: false,
    pending_oldest_s: 0,
    outbox_events: 0,
    outbox_oldest_s: 0,
    open_pagos: 0,
  },
  ...{ reports_parked: 0, reports_applied_at: AT.toISOString() },
};
const backup = { id: "b", kind: "dump", finished_at: "2026-01-01T12:00:00Z", bytes: "1" } as const;
const drill = { backup_id: "b", finished_at: AT.toISOString(), restore_ms: 1 };

it.each<[Partial<Overview>, string[]]>([
  [{ queues: [{ ...queue, kind: "dead_letters" }] }, ["DEAD_LETTERS"]],
  [{ queues: [{ ...queue, kind: "dead_letters", messages: 0 }] }, []],
  [{ queues: [{ ...queue, kind: "work" }] }, []],
  [{ queues: [{ ...queue, kind: "work", consumers: 0 }] }, ["NO_CONSUMER"]],
  [{ queues: [{ ...queue, kind: "retry", consumers: 0 }] }, []],
  [{ lag }, []],
  [{ lag: { ...lag, pending_oldest_s: 61 } }, ["PAYMENTS_LATE"]],
  [{ lag: { ...lag, outbox_oldest_s: 31 } }, ["EVENTS_UNSENT"]],
  [{ lag: { ...lag, reports_parked: 1 } }, ["REPORTS_PARKED"]],
  [{ backup: { last: { ...backup, state: "completed" }, drill: { ...drill, state: "passed" } } }, []],
  [{ backup: { last: { ...backup, state: "failed" }, drill: null } }, ["BACKUP_FAILED"]],
  [{ backup: { last: null, drill: { ...drill, state: "failed" } } }, ["DRILL_FAILED"]],
  [
    { backup: { last: { ...backup, state: "completed", finished_at: "2025-12-31T21:00:00Z" }, drill: null } },
    ["BACKUP_OLD"],
  ],
  [{ backup: { last: null, drill: null } }, []],
  [{ audit: { finished_at: AT.toISOString(), differences: 1 } }, ["AUDIT_DIFFERENCES"]],
  [{ services: [{ service: "s", alerts: 1 }] }, ["REPORTS_MISSED"]],
  [{ workers: [{ id: "w", started_at: "", heartbeat_at: "", silent: true }] }, ["WORKER_SILENT"]],
  [
    { runs: [{ run: "r1", state: "running", rows: 1, share: 0, rows_per_s: 0, eta_s: null, failures: 1 }] },
    ["RUN_STUCK"],
  ],
  [{ servers: { postgres: { ...up, state: "unknown" }, rabbitmq: up } }, []],
])("%j comes to %j", (seen, codes) => {
  expect(codesOf(seen)).toEqual(codes);
});

it("figures that PostgreSQL does not tell are stale, unless it is away as a whole", () => {
  const away = { ...up, state: "away", code: "55P03" } as const;
  const textsOf = (seen: Partial<Seen>) =>
    overviewOf({ ...unseen, ...seen }, { sequence: 1, at: AT }).alerts.map(
      ({ code, text }) => `${code} ${text}`,
    );
  expect(textsOf({ figures: { runs: up, standing: away } })).toEqual([
    `FIGURES_STALE outboxes, windows, workers, backups and the audit are as of ${up.as_of} (55P03)`,
  ]);
  expect(textsOf({ figures: { runs: { ...away, as_of: null }, standing: up } })).toEqual([
    "FIGURES_STALE runs and actions were never told (55P03)",
  ]);
  const all = { servers: { postgres: away, rabbitmq: up }, figures: { runs: away, standing: away } };
  expect(textsOf(all)).toEqual(["SERVER_AWAY PostgreSQL does not answer (55P03)"]);
});

it("what is worst comes first, and says where to look", () => {
  const seen = {
    queues: [{ ...queue, name: "wallet.dlq", kind: "dead_letters" }],
    servers: { postgres: { ...up, state: "away", code: "ECONNREFUSED" }, rabbitmq: up },
  } as const satisfies Partial<Overview>;
  expect(alertsOf({ ...nothing, ...seen, queues: [...seen.queues] })).toEqual([
    {
      severity: "critical",
      code: "SERVER_AWAY",
      text: "PostgreSQL does not answer (ECONNREFUSED)",
      link: null,
    },
    {
      ...{ severity: "warning", code: "DEAD_LETTERS", text: "3 dead letters in wallet.dlq" },
      link: { kind: "queue", id: "wallet.dlq", label: "wallet.dlq" },
    },
  ]);
});
