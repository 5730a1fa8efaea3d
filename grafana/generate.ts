import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { packageRoot } from "../lib/root.js";
import { business } from "./business.js";
import { buildDashboard } from "./panels.js";
import { pipeline } from "./pipeline.js";
import { postgres } from "./postgres.js";
import { rabbitmq } from "./rabbitmq.js";
import { servicesBroker, servicesBusiness, servicesDatabase, servicesHealth } from "./services.js";

export const DASHBOARDS = [
  postgres,
  pipeline,
  rabbitmq,
  business,
  servicesHealth,
  servicesBroker,
  servicesDatabase,
  servicesBusiness,
];

/** Path in the repository → content of every dashboard file. `npm run dashboards` writes them; a test compares. */
export function renderDashboards(): Record<string, string> {
  const files = DASHBOARDS.map((spec) => [`grafana/dashboards/${spec.uid}.json`, render(spec)] as const);
  // For importing by hand into a Grafana that is not provisioned from here.
  return Object.fromEntries([...files, ["docs/grafana-dashboard.json", render(postgres)]]);
}

function render(spec: (typeof DASHBOARDS)[number]): string {
  return `${JSON.stringify(buildDashboard(spec), null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(renderDashboards())) {
    writeFileSync(join(packageRoot, path), text);
  }
}
