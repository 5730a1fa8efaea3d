import { z } from "zod";
import type { Module } from "../lib/runtime/module.js";
import { baseSettings } from "../lib/settings/base.js";
import { port, type SettingsDeclaration, whole } from "../lib/settings/define.js";

const stackSchema = z.object({
  RABBITMQ_PROMETHEUS_PORT: port.default(15_692).describe("The broker's own metrics"),
  PROMETHEUS_PORT: port.default(9_090).describe("Prometheus"),
  ALERTMANAGER_PORT: port.default(9_093).describe("Alertmanager"),
  POSTGRES_EXPORTER_PORT: port.default(9_187).describe("PostgreSQL's metrics, and those of the ledger"),
  PROXY_PORT: port.default(8_088).describe("HAProxy before the nodes of campaigns"),
  PROXY_NODE_1_PORT: port.default(8_001).describe("The first node of campaigns"),
  PROXY_NODE_2_PORT: port.default(8_002).describe("The second node of campaigns"),
  REPORTER_A_PORT: port.default(5_002).describe("The reporter payments-a"),
  REPORTER_B_PORT: port.default(5_010).describe("The reporter payments-b"),
  REPORTER_C_PORT: port.default(5_020).describe("The reporter payments-c"),
  GRAFANA_PORT: port.default(3_000).describe("Grafana; in containers only"),
});

export interface StackSettings extends z.infer<typeof stackSchema> {}

/** Read by scripts/ and compose/ only: where they put what stands beside the processes. */
const stackSettings: SettingsDeclaration<StackSettings> = { schema: stackSchema, prefixes: [] };

const auditSchema = z.object({
  AUDIT_GRACE_S: whole(0, 86_400)
    .default(60)
    .describe("payments audit: what is younger than so many seconds counts as in flight"),
});

export interface AuditSettings extends z.infer<typeof auditSchema> {}

/** Of `payments audit`, which looks across modules. */
export const auditSettings: SettingsDeclaration<AuditSettings> = {
  schema: auditSchema,
  prefixes: ["AUDIT_"],
};

/** Every setting there is, by who declares it. */
export function declarationsOf(modules: readonly Module[]): readonly SettingsDeclaration[] {
  return [baseSettings, ...modules.map(({ settings }) => settings), auditSettings, stackSettings];
}
