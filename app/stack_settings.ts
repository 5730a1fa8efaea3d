import { z } from "zod";
import { port, type SettingsDeclaration } from "../lib/settings/define.js";

const schema = z.object({
  RABBITMQ_MGMT_PORT: port.default(15_672).describe("Management UI and HTTP API"),
  RABBITMQ_PROMETHEUS_PORT: port.default(15_692).describe("The broker's own metrics"),
  PROMETHEUS_PORT: port.default(9_090).describe("Prometheus"),
  ALERTMANAGER_PORT: port.default(9_093).describe("Alertmanager"),
  POSTGRES_EXPORTER_PORT: port.default(9_187).describe("PostgreSQL's metrics, and those of the ledger"),
  GRAFANA_PORT: port.default(3_000).describe("Grafana; in containers only"),
});

export interface StackSettings extends z.infer<typeof schema> {}

/** Read by scripts/ and compose/ only: where they put what stands beside the processes. */
export const stackSettings: SettingsDeclaration<StackSettings> = { schema, prefixes: [] };
