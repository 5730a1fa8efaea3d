import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { MODULES } from "../../app/modules.js";
import { Publisher } from "../../lib/broker/publisher.js";
import { newId } from "../../lib/domain/ids.js";
import { type EventContract, eventMessage } from "../../lib/messaging/event.js";
import { silentLogger } from "../../lib/observability/log.js";
import { packageRoot } from "../../lib/root.js";
import { withPool } from "./database.js";
import { eventually } from "./eventually.js";
import { FakeGateway, WEBHOOK_SECRET } from "./fake_gateway.js";
import { freePort } from "./free_port.js";
import { payments, startPayments, WorkerProcess } from "./process.js";
import { newSecret } from "./receiver.js";
import { startServers } from "./servers.js";
import { testSettings } from "./settings.js";

const run = promisify(execFile);

/** Durations of the rules and of scraping, for tests: a minute becomes two seconds. */
const FASTER = 30;
/** A rate needs two samples, a second apart. */
const LEAST_S = 4;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** One series of an answer, with its values over time. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

/** The test stack with monitoring, the schema in its own database, a worker, the services, and clocks that run faster. */
export class Monitored {
  readonly settings;
  /** That Pagos are paid through. */
  readonly gateway: FakeGateway;
  readonly #ports: Readonly<Record<string, string>>;
  #worker: WorkerProcess | undefined;
  #services: ReturnType<typeof startPayments> | undefined;

  private constructor(ports: Readonly<Record<string, string>>, gateway: FakeGateway) {
    this.#ports = ports;
    this.gateway = gateway;
    this.settings = testSettings({
      STRIPE_API_KEY: "sk_test",
      STRIPE_API_BASE: gateway.url,
      STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      PAYOUTS_PROBE_AFTER_S: "1",
      INGEST_RATE_PER_MINUTE: "0",
    });
  }

  static async start(): Promise<Monitored> {
    const stackSh = join(packageRoot, "scripts", "stack.sh");
    process.env["STACK_PROMETHEUS_DIR"] = fasterConfiguration();
    await run(stackSh, ["up", "--with-monitoring"], { env: process.env });
    const { stdout } = await run(stackSh, ["env"], { env: process.env });
    const ports = [...stdout.matchAll(/^export (\w+_PORT)='(\d+)'$/gm)];
    const named = Object.fromEntries(ports.map(([, name, port]) => [name, port]));
    const monitored = new Monitored(named, await FakeGateway.start());
    for (const command of [["migrate", "up"], ["seed"], ["wallets", "seed"]]) {
      const { code, stderr } = await payments(monitored.settings, ...command);
      if (code !== 0) {
        throw new Error(stderr);
      }
    }
    await monitored.startWorker();
    await monitored.startServices();
    return monitored;
  }

  async close(): Promise<void> {
    await this.stopWorker();
    await this.stopServices();
    await this.gateway.close();
    await startServers();
    const stackSh = join(packageRoot, "scripts", "stack.sh");
    await run(stackSh, ["up", "--without-monitoring"], { env: process.env });
    rmSync(process.env["STACK_PROMETHEUS_DIR"] ?? "", { recursive: true, force: true });
  }

  async startWorker(): Promise<void> {
    const port = Number(this.#ports["WORKER_METRICS_PORT"]);
    this.#worker = await WorkerProcess.start({ ...this.settings, WORKER_METRICS_PORT: port });
  }

  async stopWorker(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.#worker?.stop(signal);
    this.#worker = undefined;
  }

  /** `payments serve`. */
  async startServices(): Promise<void> {
    const services = startPayments(
      {
        ...this.settings,
        HTTP_PORT: this.#httpPort,
        // Few enough for a test to tell more.
        COLLECTOR_EVENTS_PER_MINUTE: 1_000,
        // Nobody is there: what is to be told is tried, and waits.
        PAYMENTS_WEBHOOK_URL: `http://127.0.0.1:${await freePort()}/`,
        PAYMENTS_WEBHOOK_SECRET: newSecret(),
        PAYMENTS_WEBHOOK_ALLOW_INTERNAL: "true",
      },
      "serve",
    );
    this.#services = services;
    await eventually("services are ready", async () => {
      if (services.child.exitCode !== null) {
        throw new Error(services.output.stderr);
      }
      return (await this.request("GET", "/readyz").catch(() => undefined))?.status === 200;
    });
  }

  async stopServices(): Promise<void> {
    this.#services?.child.kill("SIGTERM");
    await this.#services?.ended;
    this.#services = undefined;
  }

  /** Asks the services. @returns the status, and what came as JSON. */
  async request(
    method: "GET" | "POST",
    path: string,
    body?: object | string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; body: unknown }> {
    const answer = await fetch(`http://127.0.0.1:${this.#httpPort}${path}`, {
      method,
      ...(body && {
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
      }),
    });
    return { status: answer.status, body: await answer.json() };
  }

  /** Publishes events as their service would. */
  async publish<Body>(event: EventContract<Body>, ...bodies: readonly Body[]): Promise<void> {
    const publisher = new Publisher({
      address: this.settings,
      name: "test events",
      logger: silentLogger,
      connectPolicy: "once",
      families: MODULES.flatMap(({ queues }) => queues),
    });
    try {
      await publisher.publishAll(bodies.map((body) => eventMessage(event, body, { messageId: newId() })));
    } finally {
      await publisher.close();
    }
  }

  get #httpPort(): number {
    return Number(this.#ports["HTTP_PORT"]);
  }

  /** Runs `payments kickoff --wait`. */
  async load(rows: number): Promise<void> {
    const { code, stderr } = await payments(this.settings, "kickoff", "--rows", `${rows}`, "--wait");
    if (code !== 0) {
      throw new Error(stderr);
    }
  }

  async sql(statement: string): Promise<void> {
    await withPool({ role: "admin" }, (pool) => pool.query(statement));
  }

  /** A connection to hold. */
  client(): pg.Client {
    const { POSTGRES_HOST: host, POSTGRES_PORT: port, POSTGRES_DB: database } = this.settings;
    const { POSTGRES_ADMIN_USER: user, POSTGRES_ADMIN_PASSWORD: password } = this.settings;
    const client = new pg.Client({ host, port, database, user, password });
    client.on("error", () => undefined);
    return client;
  }

  /** Two sessions that take two rows in opposite order; PostgreSQL ends one of them. */
  async deadlock(): Promise<void> {
    const [one, two] = [this.client(), this.client()];
    await Promise.all([one.connect(), two.connect()]);
    const take = (client: pg.Client, row: string) =>
      client.query(`SELECT FROM etl.month WHERE month = '${row}' FOR UPDATE`);
    try {
      await Promise.all([one.query("BEGIN"), two.query("BEGIN")]);
      await Promise.all([take(one, "2025-01-01"), take(two, "2025-02-01")]);
      await Promise.allSettled([take(one, "2025-02-01"), take(two, "2025-01-01")]);
    } finally {
      await Promise.all([one.end(), two.end()]);
    }
  }

  /** The tables that backups write their results into, where the schema does not have them. */
  async backupTables(): Promise<void> {
    await this.sql(`
      CREATE TABLE IF NOT EXISTS ops.backup (
        backup_id text PRIMARY KEY, kind text NOT NULL, state text NOT NULL,
        started_at timestamptz NOT NULL, finished_at timestamptz NOT NULL, bytes bigint, row_count bigint, failure text);
      CREATE TABLE IF NOT EXISTS ops.restore_drill (
        drill_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, backup_id text NOT NULL, place text NOT NULL,
        state text NOT NULL, started_at timestamptz NOT NULL, finished_at timestamptz NOT NULL, failure text);
      GRANT SELECT ON ops.backup, ops.restore_drill TO payments_exporter`);
    await this.backup("0", "completed");
    await this.drill("0", "passed");
  }

  /** Enters a backup that ended so long ago. */
  async backup(ago: string, state: "completed" | "failed"): Promise<void> {
    await this.sql(`
      ${state === "completed" ? older("ops.backup") : ""}
      INSERT INTO ops.backup (backup_id, kind, state, started_at, finished_at, bytes, failure)
      VALUES (gen_random_uuid(), 'dump', '${state}', now() - interval '${ago}' - interval '1 minute',
              now() - interval '${ago}', ${state === "completed" ? 1_000_000 : "NULL"}, ${failure(state)})`);
  }

  /** Enters a restore drill that ended so long ago. */
  async drill(ago: string, state: "passed" | "failed"): Promise<void> {
    await this.sql(`
      ${state === "passed" ? older("ops.restore_drill") : ""}
      INSERT INTO ops.restore_drill (backup_id, place, state, started_at, finished_at, failure)
      VALUES ('test', 'database', '${state}', now() - interval '${ago}' - interval '1 minute',
              now() - interval '${ago}', ${failure(state)})`);
  }

  /** Values over the last `seconds`, second by second. @throws when Prometheus refuses the expression. */
  async range(expr: string, seconds: number): Promise<Series[]> {
    const end = Date.now() / 1_000;
    const query = new URLSearchParams({ query: expr, start: `${end - seconds}`, end: `${end}`, step: "1" });
    return ((await this.ask(`query_range?${query}`)) as { result: Series[] }).result;
  }

  /** Names of the alerts that fire now. */
  async firing(): Promise<Set<string>> {
    const { alerts } = (await this.ask("alerts")) as {
      alerts: { state: string; labels: { alertname: string } }[];
    };
    return new Set(alerts.filter(({ state }) => state === "firing").map(({ labels }) => labels.alertname));
  }

  /** What Alertmanager has been told of and holds for current: name → is it told on, or kept quiet? */
  async told(): Promise<Map<string, "active" | "suppressed" | "unprocessed">> {
    const answer = await fetch(`http://127.0.0.1:${this.#ports["ALERTMANAGER_PORT"]}/api/v2/alerts`);
    const alerts = (await answer.json()) as {
      labels: { alertname: string };
      status: { state: "active" | "suppressed" | "unprocessed" };
    }[];
    return new Map(alerts.map(({ labels, status }) => [labels.alertname, status.state]));
  }

  /** GET of Prometheus' API. */
  async ask(path: string): Promise<unknown> {
    const answer = await fetch(`http://127.0.0.1:${this.#ports["PROMETHEUS_PORT"]}/api/v1/${path}`);
    const { status, data, error } = (await answer.json()) as {
      status: string;
      data: unknown;
      error?: string;
    };
    if (status !== "success") {
      throw new Error(`${path}: ${error}`);
    }
    return data;
  }
}

/** Makes what is there old, in the transaction of what is entered: the exporter must not see the one without the other. */
const older = (table: string) =>
  `UPDATE ${table} SET finished_at = finished_at - interval '10 days', started_at = started_at - interval '10 days';`;

function failure(state: string): string {
  return state === "failed" ? "'on purpose'" : "NULL";
}

/** A copy of prometheus/ in which time runs faster. @returns its folder. */
function fasterConfiguration(): string {
  const folder = mkdtempSync(join(tmpdir(), "payments-prometheus-"));
  for (const file of [
    "prometheus.yml",
    "recording.yml",
    "alerts.yml",
    "alertmanager.yml",
    "postgres_exporter.yml",
  ]) {
    const text = readFileSync(join(packageRoot, "prometheus", file), "utf8");
    writeFileSync(join(folder, file), file === "postgres_exporter.yml" ? withoutCaches(text) : faster(text));
  }
  return folder;
}

function faster(text: string): string {
  const scale = (count: string, unit: string) =>
    Math.max(LEAST_S, Math.round((Number(count) * (SECONDS[unit] ?? 1)) / FASTER));
  return (
    text
      .replace(/^( *)(scrape_interval|scrape_timeout|evaluation_interval): .*$/gm, "$1$2: 1s")
      .replace(/\[(\d+)([smhd])\]/g, (_, count: string, unit: string) => `[${scale(count, unit)}s]`)
      .replace(
        /^( *for: )(\d+)([smhd])$/gm,
        (_, key: string, count: string, unit: string) => `${key}${scale(count, unit)}s`,
      )
      // The exporter asks thrice, over three seconds, before it says that PostgreSQL is down.
      .replace(
        "- job_name: postgres\n",
        "- job_name: postgres\n    scrape_interval: 4s\n    scrape_timeout: 4s\n",
      )
      .replace(/(group_wait|group_interval): \d+[smh]/g, "$1: 1s")
  );
}

function withoutCaches(text: string): string {
  return text.replace(/^ *cache_seconds: .*\n/gm, "");
}
