import { CoreError } from "../core_errors.js";
import { webhookKey } from "./signature.js";

/** By the name of who signs; two while one changes from the first to the second. */
export type WebhookKeys = ReadonlyMap<string, readonly Buffer[]>;

/** A partner's name. */
const SOURCE = /^[a-z0-9][a-z0-9_-]{0,49}$/;

/**
 * Keys as a setting has them: `source=whsec_…`, comma separated.
 *
 * @param name of the setting
 * @returns undefined when it is not set
 * @throws CoreError SETTINGS_INVALID saying which entry is wrong by its place, never its text
 */
export function readWebhookKeys(name: string, setting: string): WebhookKeys | undefined {
  const entries = setting
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  const keys = new Map<string, Buffer[]>();
  for (const [i, entry] of entries.entries()) {
    const [, source = "", secret = ""] = /^([^=]*)=(.*)$/.exec(entry) ?? [];
    const key = keyOf(secret);
    if (key === undefined || !SOURCE.test(source)) {
      throw new CoreError(
        "SETTINGS_INVALID",
        `${name}: entry ${i + 1} is not a source, =, and whsec_ with 24 to 64 bytes in base64.`,
        { hint: `Make one: printf 'whsec_%s' "$(openssl rand -base64 32)".` },
      );
    }
    keys.set(source, [...(keys.get(source) ?? []), key]);
  }
  return keys.size === 0 ? undefined : keys;
}

function keyOf(secret: string): Buffer | undefined {
  try {
    return webhookKey(secret);
  } catch {
    return undefined;
  }
}
