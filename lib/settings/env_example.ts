import { type SettingsDeclaration, secretNames } from "./define.js";

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
