import { z } from "zod";
import { type SettingsDeclaration, secret, whole } from "../../lib/settings/define.js";

const schema = z.object({
  MONITOR_QUEUE_URL: z
    .union([z.literal(""), z.url({ protocol: /^https?$/ })])
    .default("")
    .describe("Where monitor-queue finds the monitor; empty: at HTTP_PORT of this machine"),
  MONITOR_QUEUE_API_KEY: secret.describe("The key that it gives there, where keys are set"),
  MONITOR_QUEUE_TRIES: whole(1, 100)
    .default(12)
    .describe("How often a report is tried that the monitor does not take, while it answers others"),
  MONITOR_QUEUE_FIRST_WAIT_MS: whole(1, 300_000)
    .default(1_000)
    .describe("At most so many milliseconds after the first try; twice as many after each further one"),
  MONITOR_QUEUE_LONGEST_WAIT_MS: whole(1, 300_000)
    .default(300_000)
    .describe("But no more than so many; with 12 tries that is 18.5 minutes, below the 30 of RabbitMQ"),
  MONITOR_QUEUE_TIMEOUT_MS: whole(10, 60_000)
    .default(10_000)
    .describe("An answer of the monitor that takes longer is none"),
  MONITOR_QUEUE_HELD: whole(1, 2_000)
    .default(2_000)
    .describe("Reports that a process has in hand at a time; those that wait for another try are among them"),
  MONITOR_QUEUE_CONCURRENCY: whole(1, 1_000).default(64).describe("Requests to the monitor at a time"),
});

export interface MonitorQueueSettings extends z.infer<typeof schema> {}

export const monitorQueueSettings: SettingsDeclaration<MonitorQueueSettings> = {
  schema,
  prefixes: ["MONITOR_QUEUE_"],
};
