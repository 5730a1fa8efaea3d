import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { queueDeclarations } from "../lib/broker/topology.js";
import { CoreError } from "../lib/core_errors.js";
import type { ErrorTable } from "../lib/errors.js";
import type { MetricDeclarations } from "../lib/observability/registry.js";
import { packageRoot } from "../lib/root.js";
import { LIB_METRICS, type Module } from "../lib/runtime/module.js";
import { renderEnvExample } from "../lib/settings/env_example.js";
import { MODULES } from "./modules.js";
import { declarationsOf } from "./settings.js";

/** Pages that follow from the manifests, as `npm run generate` writes them; a test compares. @returns text by path. */
export function generatedFiles(modules: readonly Module[]): Record<string, string> {
  return {
    ".env.example": renderEnvExample(declarationsOf(modules)),
    "docs/metrics.md": withTable(
      readFileSync(join(packageRoot, "docs/metrics.md"), "utf8"),
      metricsTable(modules),
    ),
    "docs/modules.md": modulesPage(modules),
  };
}

const list = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ") || "–";

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

function metricsTable(modules: readonly Module[]): string {
  const rowsOf = (from: string, metrics: MetricDeclarations) =>
    Object.values(metrics).map(({ name, kind, labels, help }) => [
      `\`${name}\``,
      from,
      kind,
      labels.join(", ") || "–",
      help,
    ]);
  return table(
    ["metric", "from", "type", "labels", "meaning"],
    [
      ...rowsOf("every process", LIB_METRICS),
      ...modules.flatMap(({ name, metrics }) => rowsOf(name, metrics)),
    ],
  );
}

const TABLE = /(<!-- generated [^\n]*-->\n)[\s\S]*?(<!-- end -->)/;

function withTable(page: string, generated: string): string {
  if (!TABLE.test(page)) {
    throw new Error("the page has lost its marks of what is generated");
  }
  return page.replace(TABLE, (_, begin: string, end: string) => `${begin}${generated}\n${end}`);
}

function modulesPage(modules: readonly Module[]): string {
  const rows = modules.map(({ name, settings, schemas, roles, queues, views }) => [
    `\`${name}\``,
    list(settings.prefixes),
    list(schemas),
    list(roles),
    list(queues.map(({ work }) => work)),
    list(views),
  ]);
  const queues = modules.flatMap((module) =>
    module.queues.flatMap(queueDeclarations).map((queue) => [
      `\`${queue.name}\``,
      module.name,
      Object.entries(queue.arguments)
        .map(([key, value]) => `${key} ${value === "" ? '""' : value}`)
        .join(", "),
    ]),
  );
  const errorsOf = (owner: string, errors: ErrorTable) =>
    Object.entries(errors).map(([code, { verdict, http, exit }]) => [
      `\`${code}\``,
      owner,
      verdict,
      http,
      exit,
    ]);
  return `# Modules

Generated from the manifests in \`app/modules.ts\` by \`npm run generate\`. A module owns the names of its row; a name that
two manifests claim is refused.

${table(["module", "settings", "schemas", "roles", "work queues", "views for others"], rows)}

## Queues

All are durable quorum queues on the default exchange: a queue's name is its routing key.

${table(["queue", "module", "arguments"], queues)}

## Errors

What follows from a code: for a message (\`outage\`: waited out, costs no attempt; \`retry\`: to the retry ladder; \`reject\`: to
the dead letters), for an HTTP request, for a command. What each means stands beside it in the module's \`errors.ts\`.

${table(
  ["code", "module", "verdict", "HTTP", "exit"],
  [...errorsOf("lib", CoreError.table), ...modules.flatMap(({ name, errors }) => errorsOf(name, errors))],
)}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(generatedFiles(MODULES))) {
    writeFileSync(join(packageRoot, path), text);
  }
}
