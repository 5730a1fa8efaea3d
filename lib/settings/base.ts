import { z } from "zod";
import { messageOf } from "../errors.js";
import { placesOf } from "../places.js";
import { TLS_MODES } from "../tls.js";
import { port, type SettingsDeclaration, secret, text, whole } from "./define.js";

/** PostgreSQL's own databases, the drills' template and the data lake, none of which can be the platform's. */
const TAKEN_DATABASES = ["postgres", "template0", "template1", "payments_scratch", "datalake"];

/** The name of a database that may be the platform's. scripts/stack.sh has the same rule, which has to stand without this file. */
export const databaseName = z
  .string()
  .regex(/^[a-z_][a-z0-9_]{0,62}$/, "takes small letters, digits and _, at most 63, and no digit first")
  .refine((name) => !TAKEN_DATABASES.includes(name), "is a database with a purpose of its own");

/** One or several hosts, each with a port of its own or without. */
const hosts = z.string().superRefine((host, check) => {
  try {
    host === "" || placesOf({ host, port: 1 });
  } catch (error) {
    check.addIssue({ code: "custom", message: messageOf(error) });
  }
});

const schema = z.object({
  POSTGRES_HOST: hosts
    .min(1)
    .default("127.0.0.1")
    .describe("Where PostgreSQL listens; of several (db1,db2:5433) the one that is the primary"),
  POSTGRES_PORT: port.default(5432).describe("Preferred port; stack.sh takes a free one when it is in use"),
  POSTGRES_READ_HOSTS: hosts
    .default("")
    .describe("Read replicas, as POSTGRES_HOST names servers: lists, figures and the console are read there"),
  // Where the primary is is asked once a second: under load a replica that is next to it is known to be a second behind at most.
  POSTGRES_READ_MAX_LAG_S: whole(2, 3_600)
    .default(5)
    .describe("How far behind a replica may be, 2 or more; while it is further, the primary is read"),
  POSTGRES_DB: databaseName.default("payments").describe("Database name"),
  POSTGRES_SSLMODE: z
    .enum(TLS_MODES)
    .default("disable")
    .describe(
      "disable, require (TLS with whoever answers), verify-ca (its certificate is checked) or verify-full (its name too)",
    ),
  POSTGRES_SSLROOTCERT: z
    .string()
    .default("")
    .describe("File with the authorities that verify-ca and verify-full trust; by default those of Node.js"),
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
  POSTGRES_APP_USER: text
    .default("payments_app")
    .describe("Login of the services: each acts as the role of its own schema, and has no rights besides"),
  POSTGRES_APP_PASSWORD: secret.describe("Its password"),
  RABBITMQ_HOST: hosts
    .min(1)
    .default("127.0.0.1")
    .describe("Where RabbitMQ listens; of several (mq1,mq2:5673), the nodes of a cluster, one that answers"),
  RABBITMQ_PORT: port.default(5672).describe("AMQP port; stack.sh takes a free one when it is in use"),
  RABBITMQ_MGMT_PORT: port
    .default(15_672)
    .describe(
      "Management UI and HTTP API, which `payments doctor` asks about a cluster; in TLS where AMQP is",
    ),
  RABBITMQ_USER: text.default("payments").describe("Broker user"),
  RABBITMQ_PASSWORD: secret.describe("Its password"),
  RABBITMQ_VHOST: text.default("payments").describe("Virtual host that holds the queues"),
  RABBITMQ_SSLMODE: z.enum(TLS_MODES).default("disable").describe("The same as POSTGRES_SSLMODE, for AMQP"),
  RABBITMQ_SSLROOTCERT: z
    .string()
    .default("")
    .describe("File with the authorities that verify-ca and verify-full trust; by default those of Node.js"),
  RABBITMQ_HEARTBEAT_S: whole(1, 60)
    .default(10)
    .describe("A peer that is silent for two to three of these is given up, by us and by the broker"),
  HTTP_HOST: text.default("127.0.0.1").describe("Where `payments serve` answers; an address of this machine"),
  HTTP_PORT: port.default(8_080).describe("Its port; every path of the API is there"),
  HTTP_ALLOWED_HOSTS: z
    .string()
    .default("")
    .describe("More names that requests may give as Host, comma separated: those of a proxy before us"),
  HTTP_TRUSTED_PROXIES: z
    .string()
    .default("")
    .describe("Addresses or networks of proxies whose X-Forwarded-For is believed, comma separated"),
  HTTP_CORS_ORIGINS: z
    .string()
    .default("")
    .describe("Origins whose pages may call the API, comma separated, e.g. https://shop.example"),
  HTTP_API_KEYS: secret.describe(
    "name=SHA-256 of its key in hex, comma separated; required when HTTP_HOST is not loopback",
  ),
  HTTP_MAX_IN_FLIGHT: whole(1, 100_000)
    .default(1_000)
    .describe("Requests served at a time; more are answered 503 at once"),
  HTTP_MAX_POOL_QUEUE: whole(1, 100_000)
    .default(500)
    .describe("Requests of a module that may wait for a database connection; more are answered 503 at once"),
  HTTP_DRAIN_MS: whole(0, 60_000)
    .default(0)
    .describe(
      "How long a process that is told to end serves on, so that a proxy before it notices; 600 for ours",
    ),
  SELF_WATCH: z
    .enum(["off", "on"])
    .default("off")
    .describe("on: worker, services and jobs report to the monitor as long as they live"),
  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
    .default("info")
    .describe("Least level logged"),
  LOG_FORMAT: z
    .enum(["auto", "json", "pretty"])
    .default("auto")
    .describe("auto: readable on a terminal, JSON elsewhere"),
});

export interface Settings extends z.infer<typeof schema> {}

/** Where the broker is, and as whom we come. */
export type BrokerAddress = Pick<Settings, Extract<keyof Settings, `RABBITMQ_${string}`>>;

/** What every process reads: its servers and its log. */
export const baseSettings: SettingsDeclaration<Settings> = { schema, prefixes: [] };
