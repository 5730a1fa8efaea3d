import { createHmac } from "node:crypto";

const PREFIX = "whsec_";
/** Of a key, as Standard Webhooks 1.0 wants it. */
const KEY_BYTES = { least: 24, most: 64 };

/**
 * The keys of secrets that stand beside each other, parted by blanks: `whsec_` and the key in base64.
 *
 * @throws Error saying what is wrong, without the secret.
 */
export function webhookKeys(secrets: string): readonly Buffer[] {
  return secrets
    .split(/\s+/)
    .filter((secret) => secret !== "")
    .map((secret) => {
      const encoded = secret.slice(PREFIX.length);
      const key = Buffer.from(encoded, "base64");
      // Node reads base64 leniently: what it would not write itself is a slip.
      if (
        !secret.startsWith(PREFIX) ||
        key.toString("base64").replace(/=+$/, "") !== encoded.replace(/=+$/, "")
      ) {
        throw new Error(`is not ${PREFIX} and base64`);
      }
      if (key.length < KEY_BYTES.least || key.length > KEY_BYTES.most) {
        throw new Error(`takes keys of ${KEY_BYTES.least} to ${KEY_BYTES.most} bytes`);
      }
      return key;
    });
}

export interface Signed {
  /** The same for every attempt: by it a receiver knows a repetition. */
  readonly id: string;
  readonly body: string;
  /** Of this attempt. */
  readonly at: Date;
}

/** The headers of Standard Webhooks 1.0: a signature by each key, so that a receiver may change to a new one while both are sent. */
export function signatureHeaders({ id, body, at }: Signed, keys: readonly Buffer[]): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const signatures = keys.map(
    (key) => `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`,
  );
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}
