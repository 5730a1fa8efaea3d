import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EVENTS_EXCHANGE, type QueueFamily, queueDeclarations } from "../lib/broker/topology.js";
import { CoreError } from "../lib/core_errors.js";
import type { ErrorTable } from "../lib/errors.js";
import { describeApi } from "../lib/http/openapi.js";
import type { MetricDeclarations } from "../lib/observability/registry.js";
import { packageRoot, packageVersion } from "../lib/root.js";
import { describedRoutes, LIB_METRICS, type Module } from "../lib/runtime/module.js";
import { PURGE_BATCH_ROWS, type Retention } from "../lib/runtime/retention.js";
import { type SettingsDeclaration, secretNames } from "../lib/settings/define.js";
import { declarationsOf } from "./declarations.js";
import { apiPage } from "./generate/api_page.js";
import { type ApiDocument, callsOf } from "./generate/calls.js";
import { kubernetesFiles } from "./generate/kubernetes.js";
import { postmanCollection } from "./generate/postman.js";
import { MODULES } from "./modules.js";

/** Pages that follow from the manifests, as `npm run generate` writes them; a test compares. @returns text by path. */
export async function generatedFiles(modules: readonly Module[]): Promise<Record<string, string>> {
  const document = await describeApi(packageVersion(), describedRoutes(modules));
  const calls = callsOf(JSON.parse(document) as ApiDocument);
  return {
    ".env.example": renderEnvExample(declarationsOf(modules)),
    "docs/metrics.md": withTable(
      readFileSync(join(packageRoot, "docs/metrics.md"), "utf8"),
      metricsTable(modules),
    ),
    "docs/modules.md": modulesPage(modules),
    "docs/api.md": apiPage(calls),
    "docs/postman_collection.json": postmanCollection(calls),
    ...kubernetesFiles(modules),
  };
}

/** The text of `.env.example`: every setting, commented out at its default, with its meaning. */
export function renderEnvExample(declarations: readonly SettingsDeclaration[]): string {
  const lines = [
    "# Generated from the modules' settings by `npm run generate`; copy to .env and change what you need.",
    "# Precedence: command-line flag > environment > .env > default. Secrets can come from a file: NAME_FILE=/path.",
    '# The local stack (scripts/stack.sh) generates its own passwords; `eval "$(scripts/stack.sh env)"` exports them.',
  ];
  const secrets = new Set(secretNames(declarations));
  let group = "";
  for (const { schema } of declarations) {
    const defaults = schema.parse({}) as Readonly<Record<string, unknown>>;
    for (const [name, setting] of Object.entries(schema.shape)) {
      const prefix = name.split("_")[0] ?? "";
      if (prefix !== group) {
        lines.push("");
      }
      group = prefix;
      lines.push(`# ${setting.description}`, `#${name}=${secrets.has(name) ? "" : defaults[name]}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

const list = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ") || "–";

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

function metricsTable(modules: readonly Module[]): string {
  const rowsOf = (from: string, metrics: MetricDeclarations) =>
    Object.values(metrics).map(({ name, kind, labels, help }) => {
      return [`\`${name}\``, from, kind, labels.join(", ") || "–", help];
    });
  const ofModules = modules.flatMap(({ name, metrics }) => rowsOf(name, metrics));
  return table(
    ["metric", "from", "type", "labels", "meaning"],
    [...rowsOf("every process", LIB_METRICS), ...ofModules],
  );
}

const TABLE = /(<!-- generated [^\n]*-->\n)[\s\S]*?(<!-- end -->)/;

function withTable(page: string, generated: string): string {
  if (!TABLE.test(page)) {
    throw new Error("the page has lost its marks of what is generated");
  }
  return page.replace(TABLE, (_, begin: string, end: string) => `${begin}${generated}\n${end}`);
}

/** Exchanges of ours that lead to a queue, and the routing keys that do. */
function waysTo({ work, event, ladder }: QueueFamily, queue: string): string {
  if (queue === work && event !== undefined) {
    return `\`${EVENTS_EXCHANGE}\`, key \`${event}\``;
  }
  return ladder.some((rung) => rung.shared && rung.queue === queue) ? `\`${queue}\`, any key` : "–";
}

function lengthOf({ keep }: Retention): string {
  if (typeof keep === "string") {
    return keep;
  }
  if ("until" in keep) {
    return `until ${keep.until}`;
  }
  return `${keep.days === 1 ? "a day" : `${keep.days} days`}, by \`${keep.since}\``;
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
  // Families of a service share their rungs and their dead letters.
  const queues = new Map<string, readonly string[]>();
  for (const module of modules) {
    for (const family of module.queues) {
      for (const queue of queueDeclarations(family)) {
        queues.set(queue.name, [
          `\`${queue.name}\``,
          module.name,
          waysTo(family, queue.name),
          Object.entries(queue.arguments)
            .map(([key, value]) => `${key} ${value === "" ? '""' : value}`)
            .join(", "),
        ]);
      }
    }
  }
  const errorsOf = (owner: string, errors: ErrorTable) =>
    Object.entries(errors).map(([code, { verdict, http, exit }]) => {
      return [`\`${code}\``, owner, verdict, http, exit];
    });
  return `# Modules

Generated from the manifests in \`app/modules.ts\` by \`npm run generate\`. A module owns the names of its row; a name that
two manifests claim is refused.

${table(["module", "settings", "schemas", "roles", "work queues", "views for others"], rows)}

## Queues

All are durable quorum queues. A message reaches each by the default exchange, with the queue's name as its routing key, and some
in another way besides: an event by \`${EVENTS_EXCHANGE}\` (topic), with its own name; a message that waits in a rung which
several work queues share by the rung's exchange (fanout), with the name of its work queue, by which it comes home.

${table(["queue", "module", "also by exchange", "arguments"], [...queues.values()])}

## Retention

What is kept for how long. What has an age is purged once an hour, ${PURGE_BATCH_ROWS} rows a statement, and nobody waits for that. What is
kept for ever no service may delete. \`payments erase\` takes a person's name out of the services' tables.

${table(
  ["table", "module", "kept", "why"],
  modules.flatMap(({ name, retention }) =>
    retention.map((each) => [`\`${each.table}\``, name, lengthOf(each), each.why]),
  ),
)}

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
  for (const [path, text] of Object.entries(await generatedFiles(MODULES))) {
    writeFileSync(join(packageRoot, path), text);
  }
}
