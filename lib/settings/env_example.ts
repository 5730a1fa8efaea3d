import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isSecret, settingNames, settingsSchema } from "./schema.js";

/** The text of `.env.example`: every setting, commented out at its default, with its meaning. */
export function renderEnvExample(): string {
  const defaults = settingsSchema.parse({});
  const lines = [
    "# Generated from lib/settings/schema.ts by `npm run env:example`; copy to .env and change what you need.",
    "# Precedence: command-line flag > environment > .env > default. Secrets can come from a file: NAME_FILE=/path.",
    '# The local stack (scripts/stack.sh) generates its own passwords; `eval "$(scripts/stack.sh env)"` exports them.',
  ];
  let group = "";
  for (const name of settingNames) {
    const prefix = name.split("_")[0] ?? "";
    if (prefix !== group) lines.push("");
    group = prefix;
    lines.push(
      `# ${settingsSchema.shape[name].description}`,
      `#${name}=${isSecret(name) ? "" : defaults[name]}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(".env.example", renderEnvExample());
