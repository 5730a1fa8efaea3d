import { z } from "zod";
import { TLS_MODES } from "../tls.js";

/**
 * Every setting of the platform: its name, type, default and meaning. Nothing else in the project defines one;
 * `.env.example` is generated from here (`npm run env:example`) and a test fails when it is stale.
 */

const text = z.string().min(1);
const port = z.coerce.number().int().min(1).max(65_535);
const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const rate = z.coerce.number().min(0).max(1);
const day = z.iso.date();

/** A setting whose value never reaches a log, an error or `.env.example`, and which may come from `NAME_FILE`. */
const secret = z.string().default("").meta({ secret: true });

/** A file or folder; lib/settings/path.ts says how it may be written. */
const path = (byDefault: string) => z.string().default(byDefault).meta({ path: true });
/** PostgreSQL's own databases and the drills' template, none of which can be the platform's. */
const TAKEN_DATABASES = ["postgres", "template0", "template1", "payments_scratch"];

export const settingsSchema = z.object({
  POSTGRES_HOST: text.default("127.0.0.1").describe("Where PostgreSQL listens"),
  POSTGRES_PORT: port.default(5432).describe("Preferred port; stack.sh takes a free one when it is in use"),
  // scripts/stack.sh has the same rule, which has to stand without this file.
  POSTGRES_DB: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, "takes small letters, digits and _, at most 63, and no digit first")
    .refine((name) => !TAKEN_DATABASES.includes(name), "is a database with a purpose of its own")
    .default("payments")
    .describe("Database name"),
  POSTGRES_SSLMODE: z
    .enum(TLS_MODES)
    .default("disable")
    .describe("disable, require (TLS with whoever answers) or verify-full (whose certificate is checked)"),
  POSTGRES_SSLROOTCERT: z
    .string()
    .default("")
    .describe("File with the authorities that verify-full trusts; by default those of Node.js"),
  POSTGRES_USER: text
    .default("payments_loader")
    .describe("Role of the worker and the commands: no DDL on the data"),
  POSTGRES_PASSWORD: secret.describe("Its password"),
  POSTGRES_ADMIN_USER: text
    .default("payments_admin")
    .describe("Role of `payments migrate`: owns the schema, no superuser"),
  POSTGRES_ADMIN_PASSWORD: secret.describe("Its password"),
  POSTGRES_BACKUP_USER: text
    .default("payments_backup")
    .describe("Role of the backups: reads everything, writes their history only"),
  POSTGRES_BACKUP_PASSWORD: secret.describe("Its password"),

  RABBITMQ_HOST: text.default("127.0.0.1").describe("Where RabbitMQ listens"),
  RABBITMQ_PORT: port.default(5672).describe("AMQP port; stack.sh takes a free one when it is in use"),
  RABBITMQ_USER: text.default("payments").describe("Broker user"),
  RABBITMQ_PASSWORD: secret.describe("Its password"),
  RABBITMQ_VHOST: text.default("payments").describe("Virtual host that holds the queues"),
  RABBITMQ_SSLMODE: z.enum(TLS_MODES).default("disable").describe("The same as POSTGRES_SSLMODE, for AMQP"),
  RABBITMQ_SSLROOTCERT: z
    .string()
    .default("")
    .describe("File with the authorities that verify-full trusts; by default those of Node.js"),
  RABBITMQ_HEARTBEAT_S: whole(1, 60)
    .default(10)
    .describe("A peer that is silent for two to three of these is given up, by us and by the broker"),
  RABBITMQ_MGMT_PORT: port.default(15_672).describe("Management UI and HTTP API"),
  RABBITMQ_PROMETHEUS_PORT: port.default(15_692).describe("The broker's own metrics"),

  STAGE_TARGET_TXN: whole(0, 1e11)
    .default(1_000_000)
    .describe("Rows of a default run; for bootstrap.sh the target it tops up to"),
  STAGE_CHUNK_SIZE: whole(1, 1_000_000)
    .default(250_000)
    .describe("Most rows in a chunk: one message, one COPY, one transaction"),
  STAGE_WINDOW: whole(1, 1_000)
    .default(8)
    .describe("Chunks of one run in flight: bounds the depth of the queue at any size"),
  STAGE_SEED: whole(0, 4_294_967_295)
    .default(1)
    .describe("Seed of a default run: same seed on an empty database, same data"),
  STAGE_FROM: day.default("2025-01-01").describe("First day of a default run (UTC)"),
  STAGE_TO: day.default("2026-01-01").describe("Day after its last day (UTC)"),
  STAGE_DIRT_RATE: rate.default(0.01).describe("Share of rows with an injected defect"),
  STAGE_FRAUD_RATE: rate.default(0.002).describe("Share of rows that belong to a fraud pattern"),

  WORKER_CONCURRENCY: whole(1, 64)
    .default(2)
    .describe("Steps one worker runs at a time; each uses a database connection and a generator thread"),
  WORKER_METRICS_HOST: text
    .default("127.0.0.1")
    .describe("Where a worker serves /metrics, /healthz and /readyz"),
  WORKER_METRICS_PORT: whole(0, 65_535).default(9_464).describe("Its port; 0 serves nothing"),

  PROMETHEUS_PORT: port.default(9_090).describe("Prometheus"),
  ALERTMANAGER_PORT: port.default(9_093).describe("Alertmanager"),
  POSTGRES_EXPORTER_PORT: port.default(9_187).describe("PostgreSQL's metrics, and those of the ledger"),
  GRAFANA_PORT: port.default(3_000).describe("Grafana; in containers only"),

  BACKUP_DIR: path("backups").describe(
    "Where backups go; like all paths here: absolute, ~/..., or relative to the checkout",
  ),
  BACKUP_WAL_DIR: path("").describe("Where PostgreSQL archives its WAL; by default wal below BACKUP_DIR"),
  BACKUP_JOBS: whole(1, 64).default(2).describe("Tables dumped, restored and checked at the same time"),
  BACKUP_ENCRYPT_TO: z
    .string()
    .default("")
    .describe(
      "Public key that dumps are encrypted to: an age recipient (age1...) or a gpg key; empty: not encrypted",
    ),
  BACKUP_AGE_IDENTITY: path("").describe("File with the age key that opens encrypted dumps"),
  BACKUP_PASSPHRASE: secret.describe("Passphrase of the gpg key that opens encrypted dumps"),
  BACKUP_INTERVAL_S: whole(1, 31_536_000).default(86_400).describe("Seconds from one dump to the next"),
  BACKUP_BASE_INTERVAL_S: whole(0, 31_536_000)
    .default(86_400)
    .describe("Seconds from one base backup to the next, where WAL is archived; 0: none"),
  BACKUP_DRILL_INTERVAL_S: whole(0, 31_536_000)
    .default(604_800)
    .describe("Seconds from one restore drill to the next; 0: none"),
  BACKUP_KEEP_DAILY: whole(1, 1_000).default(7).describe("Dumps kept: the last one of so many days"),
  BACKUP_KEEP_WEEKLY: whole(0, 1_000).default(4).describe("and of so many weeks"),
  BACKUP_KEEP_MONTHLY: whole(0, 1_000).default(6).describe("and of so many months"),
  BACKUP_KEEP_BASE: whole(1, 100)
    .default(2)
    .describe("Base backups kept, with the WAL since the oldest of them"),

  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
    .default("info")
    .describe("Least level logged"),
  LOG_FORMAT: z
    .enum(["auto", "json", "pretty"])
    .default("auto")
    .describe("auto: readable on a terminal, JSON elsewhere"),
});

export type Settings = z.infer<typeof settingsSchema>;
export type SettingName = keyof Settings;

/** Names in the order of the schema. */
export const settingNames = Object.keys(settingsSchema.shape) as SettingName[];

export function isSecret(name: SettingName): boolean {
  return settingsSchema.shape[name].meta()?.["secret"] === true;
}

export function isPath(name: SettingName): boolean {
  return settingsSchema.shape[name].meta()?.["path"] === true;
}
