import { afterEach, describe, expect, it } from "vitest";
import { serviceQueues } from "../../lib/broker/topology.js";
import { CoreError } from "../../lib/core_errors.js";
import { silentLogger } from "../../lib/observability/log.js";
import type { Pool } from "../../lib/postgres/pool.js";
import type { Overview } from "./contracts/overview.js";
import { overview } from "./contracts/overview.js";
import { Poller } from "./poller.js";

const queues = serviceQueues("desk", { service: "desk-service", events: ["desk.opened"] });
const AT = new Date("2026-01-01T00:00:00Z");

/** What each statement of a look is answered with. */
const ANSWERS: Readonly<Record<string, readonly object[]>> = {
  console_pulse: [
    {
      ...{ payments: 500n, decided: 400n, approved: 300n, partnerEvents: 5n, providerEvents: 10n, pagos: 1n },
      ...{ pending: 10_000n, pendingOldestS: 2.5 },
    },
  ],
  console_unfinished: [],
  console_running: [],
  console_figures: [
    {
      ...{ outboxEvents: 3n, outboxOldestS: 0.1, openPagos: 2n, parked: 0n, appliedAt: AT },
      ...{
        openWindows: 1n,
        pendingWindows: 0n,
        unknownWindows: 0n,
        alertsLastHour: 0n,
        auditAt: null,
        differences: null,
      },
    },
  ],
  console_workers: [
    { id: "dead", startedAt: AT, heartbeatAt: AT, silentMs: 60_000, reaped: true },
    { id: "frozen", startedAt: AT, heartbeatAt: AT, silentMs: 31_000, reaped: false },
    { id: "alive", startedAt: AT, heartbeatAt: AT, silentMs: 2_000, reaped: false },
  ],
  console_services: [],
  console_backups: [],
  console_drills: [],
};

const started: Poller[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((poller) => poller.stop()));
});

interface Faults {
  readonly failing?: boolean;
  readonly hanging?: boolean;
}

function polling({ failing = false, hanging = false }: Faults = {}) {
  const asked: string[] = [];
  const looks: Overview[] = [];
  const query = async ({ name }: { name: string }) => {
    asked.push(name);
    if (failing) {
      throw new CoreError("POSTGRES_UNREACHABLE", "it is away.");
    }
    return { rows: ANSWERS[name] ?? [] };
  };
  const poller = new Poller({
    pool: { query } as unknown as Pool,
    publisher: {
      lookAt: (queue) =>
        hanging ? new Promise(() => undefined) : Promise.resolve({ messages: queue.length, consumers: 1 }),
    },
    modules: [{ name: "desk", queues }],
    pollMs: 60_000,
    patienceMs: 10,
    watched: () => true,
    onLook: (look) => looks.push(look),
    logger: silentLogger,
  });
  started.push(poller);
  return { poller, asked, looks };
}

it("a look is in the words of the API, and all who ask share it", async () => {
  const { poller, asked, looks } = polling();
  const [one, two] = await Promise.all([poller.overview(), poller.overview()]);
  expect(two).toBe(one);
  expect(looks).toEqual([one]);
  expect(overview.parse(one)).toEqual(one);
  expect(one).toMatchObject({
    payments_per_s: 100,
    rates: { approved_share: 0.75, pagos_per_s: 0.2 },
    lag: { pending_payments: 10_000, pending_more: true, outbox_events: 3 },
    servers: { postgres: { state: "up" }, rabbitmq: { state: "up" } },
    workers: [
      { id: "frozen", silent: true },
      { id: "alive", silent: false },
    ],
  });
  expect(one.queues?.map(({ name, kind }) => [name, kind])).toEqual([
    ["desk-service-desk-opened-consumer", "work"],
    ["desk.dlq", "dead_letters"],
    ...["2s", "4s", "8s"].map((delay) => [`desk.retry.${delay}`, "retry"]),
  ]);
  await poller.overview();
  expect(asked.filter((name) => name === "console_pulse")).toHaveLength(1);
  expect(poller.history).toEqual([
    {
      ...{ at: one.as_of, payments_per_s: 100, partner_events_per_s: 1, provider_events_per_s: 2 },
      queued: "desk-service-desk-opened-consumer".length,
    },
  ]);
});

describe("a server that is away", () => {
  it("leaves what was never told untold", async () => {
    const { poller } = polling({ failing: true });
    expect(await poller.overview()).toMatchObject({
      ...{ payments_per_s: null, rates: null, lag: null, runs: null, workers: null, backup: null },
      servers: {
        postgres: { state: "away", as_of: null, code: "POSTGRES_UNREACHABLE" },
        rabbitmq: { state: "up" },
      },
      alerts: [{ code: "SERVER_AWAY" }, { code: "DEAD_LETTERS" }],
    });
    expect(poller.history[0]?.payments_per_s).toBeNull();
  });

  it("keeps nobody from hearing of the other", async () => {
    const { poller } = polling({ hanging: true });
    expect(await poller.overview()).toMatchObject({
      ...{ queues: null, payments_per_s: 100 },
      servers: { rabbitmq: { state: "unknown", as_of: null } },
    });
  });
});
