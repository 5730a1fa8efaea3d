import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { CoreError } from "../core_errors.js";

/** Who calls, by the name of its key; where no keys are set, all callers are one. */
export const ANYBODY = "anybody";

/** What is known of a caller's key. */
interface ApiKey {
  readonly name: string;
  readonly digest: Buffer;
}

const ENTRY = /^([a-z0-9][a-z0-9._-]{0,62})=([0-9a-f]{64})$/i;

/** The keys that may call, as the setting HTTP_API_KEYS names them. A key itself is kept nowhere. */
export class ApiKeys {
  readonly #keys: readonly ApiKey[];

  /** @throws CoreError SETTINGS_INVALID saying which entry is wrong by its place, never its text. */
  constructor(setting: string) {
    const entries = setting
      .split(",")
      .map((entry) => entry.trim())
      .filter((entry) => entry !== "");
    this.#keys = entries.map((entry, i) => {
      const [, name, hex] = ENTRY.exec(entry) ?? [];
      if (name === undefined || hex === undefined) {
        const hint = "An entry is name=, then 64 hex digits: printf %s KEY | sha256sum.";
        throw new CoreError(
          "SETTINGS_INVALID",
          `HTTP_API_KEYS: entry ${i + 1} is not a name and a SHA-256.`,
          {
            hint,
          },
        );
      }
      return { name, digest: Buffer.from(hex, "hex") };
    });
    const names = this.#keys.map(({ name }) => name);
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (twice !== undefined || names.includes(ANYBODY)) {
      throw new CoreError("SETTINGS_INVALID", `HTTP_API_KEYS: the name ${twice ?? ANYBODY} is taken.`);
    }
  }

  get none(): boolean {
    return this.#keys.length === 0;
  }

  /** The name of the key that a request gives; undefined when it gives none that is known. */
  nameOf(headers: IncomingHttpHeaders): string | undefined {
    const given = bearerOf(headers.authorization) ?? headers["x-api-key"];
    if (typeof given !== "string") {
      return undefined;
    }
    const digest = hash("sha256", given, "buffer");
    // All are compared, each in constant time: how long it takes tells nothing of any of them.
    let found: string | undefined;
    for (const key of this.#keys) {
      if (timingSafeEqual(key.digest, digest)) {
        found = key.name;
      }
    }
    return found;
  }
}

function bearerOf(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : /^Bearer +(\S+)$/i.exec(authorization)?.[1];
}
